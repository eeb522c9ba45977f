//! What is measured: each store behind the same few calls.

use std::collections::HashMap;

use bydesign::flash::simulator::Rule;
use bydesign::flash::{Blocking, NeverPends, Overwritable, WriteOnce};
use bydesign::secret::RootKey;
use bydesign::store::{Change, Class, Ram};
use chacha20::ChaCha20Rng;
use chacha20::rand_core::{Rng, SeedableRng};
use chacha20poly1305::{AeadInOut, ChaCha20Poly1305, KeyInit};
use embassy_sync::blocking_mutex::raw::NoopRawMutex;
use futures_executor::block_on;
use sequential_storage::cache::Cache;
use sequential_storage::cache::key_pointers::HeapKeyPointers;
use sequential_storage::cache::page_pointers::HeapPagePointers;
use sequential_storage::cache::page_states::HeapPageStates;
use sequential_storage::map::{MapConfig, MapStorage};

use crate::part::{PAGE, Part, Pending, Storage};

/// Items that a store is made for.
pub const ITEMS: usize = 8192;
/// Bytes of the largest value.
pub const LARGEST: usize = 900;

pub type Failed = String;

/// An item's name, of eight bytes at most, and its number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    pub text: String,
    pub number: usize,
}

impl Name {
    fn bytes(&self) -> [u8; 8] {
        let mut bytes = [0; 8];
        bytes[..self.text.len()].copy_from_slice(self.text.as_bytes());
        bytes
    }
}

pub trait Subject: Sized {
    const NAME: &str;
    /// Whether it encrypts and authenticates.
    const SEALED: bool;
    const RULE: Rule;
    /// On a blank part.
    fn format(part: Part) -> Result<Self, Failed>;
    /// On a part that it wrote before.
    fn open(part: Part) -> Result<Self, Failed>;
    fn put(&mut self, name: &Name, value: &[u8]) -> Result<(), Failed>;
    /// Puts several at once, or one after the other where the store cannot.
    fn put_all(&mut self, items: &[(&Name, Vec<u8>)]) -> Result<(), Failed> {
        items.iter().try_for_each(|(name, value)| self.put(name, value))
    }
    fn get(&mut self, name: &Name, out: &mut [u8]) -> Result<usize, Failed>;
    /// Upkeep between the puts, where the store has it.
    fn maintain(&mut self) -> Result<(), Failed> {
        Ok(())
    }
}

fn failed(error: impl std::fmt::Debug) -> Failed {
    format!("{error:?}")
}

// ---- bydesign ----

pub struct Bydesign<M: NeverPends, const CHECKPOINTS: bool> {
    store: bydesign::store::Store<M, Ram<ITEMS, 1024>>,
    random: ChaCha20Rng,
}

fn root_key() -> RootKey {
    let mut bytes = [0; 32];
    ChaCha20Rng::seed_from_u64(20_261_123).fill_bytes(&mut bytes);
    RootKey::new(bytes).expect("random enough")
}

macro_rules! bydesign {
    ($wrapper:ident, $checkpoints:literal, $name:literal, $rule:ident) => {
        impl Subject for Bydesign<$wrapper<Blocking<Part>>, $checkpoints> {
            const NAME: &str = $name;
            const SEALED: bool = true;
            const RULE: Rule = Rule::$rule;
            fn format(part: Part) -> Result<Self, Failed> {
                let mut random = ChaCha20Rng::seed_from_u64(1);
                let store = bydesign::store::Store::format(
                    $wrapper::new(part),
                    Ram::new(),
                    &root_key(),
                    "bench",
                    &mut random,
                );
                let mut store = store.map_err(failed)?;
                if $checkpoints {
                    store.keep_checkpoints(&mut random).map_err(failed)?;
                }
                Ok(Self { store, random })
            }
            fn open(part: Part) -> Result<Self, Failed> {
                let store =
                    bydesign::store::Store::mount($wrapper::new(part), Ram::new(), &root_key(), "bench");
                Ok(Self {
                    store: store.map_err(failed)?,
                    random: ChaCha20Rng::seed_from_u64(2),
                })
            }
            fn put(&mut self, name: &Name, value: &[u8]) -> Result<(), Failed> {
                self.store
                    .put_bytes(Class::Settings, &name.text, value, &mut self.random)
                    .map_err(failed)
            }
            fn put_all(&mut self, items: &[(&Name, Vec<u8>)]) -> Result<(), Failed> {
                let changes: Vec<_> = items
                    .iter()
                    .map(|(name, value)| Change::put_bytes(Class::Settings, &name.text, value))
                    .collect();
                self.store
                    .commit(&changes, &mut self.random)
                    .map_err(failed)
            }
            fn get(&mut self, name: &Name, out: &mut [u8]) -> Result<usize, Failed> {
                let found = self.store.get_bytes(Class::Settings, &name.text, out);
                found.map_err(failed)?.ok_or_else(|| "absent".into())
            }
            fn maintain(&mut self) -> Result<(), Failed> {
                while self.store.maintain(16, &mut self.random).map_err(failed)? {}
                Ok(())
            }
        }
    };
}

bydesign!(WriteOnce, false, "bydesign, write-once", WriteOnce);
bydesign!(WriteOnce, true, "bydesign, write-once, checkpoints", WriteOnce);
bydesign!(Overwritable, false, "bydesign, overwritable", Multiwrite);

// ---- sealed by hand ----

/// What applications do around a plain store: the name is associated data, the nonce is stored before the value.
pub struct ByHand<S, const PLAIN: bool> {
    store: S,
    cipher: ChaCha20Poly1305,
    sealed: u64,
}

/// Nonce and tag.
const BY_HAND: usize = 12 + 16;

/// A store that knows nothing of ciphers.
pub trait Plain: Sized {
    const NAME: &str;
    const SEALED_NAME: &str;
    const RULE: Rule;
    fn format(part: Part) -> Result<Self, Failed>;
    fn open(part: Part) -> Result<Self, Failed>;
    fn put(&mut self, name: &Name, value: &[u8]) -> Result<(), Failed>;
    fn get(&mut self, name: &Name, out: &mut [u8]) -> Result<usize, Failed>;
}

impl<S: Plain, const PLAIN: bool> ByHand<S, PLAIN> {
    fn around(store: S) -> Self {
        Self {
            store,
            cipher: ChaCha20Poly1305::new(&[7; 32].into()),
            sealed: 0,
        }
    }
}

impl<S: Plain, const PLAIN: bool> Subject for ByHand<S, PLAIN> {
    const NAME: &str = if PLAIN { S::NAME } else { S::SEALED_NAME };
    const SEALED: bool = !PLAIN;
    const RULE: Rule = S::RULE;

    fn format(part: Part) -> Result<Self, Failed> {
        S::format(part).map(Self::around)
    }

    fn open(part: Part) -> Result<Self, Failed> {
        S::open(part).map(Self::around)
    }

    fn put(&mut self, name: &Name, value: &[u8]) -> Result<(), Failed> {
        if PLAIN {
            return self.store.put(name, value);
        }
        self.sealed += 1;
        let mut sealed = vec![0; 12];
        sealed[..8].copy_from_slice(&self.sealed.to_le_bytes());
        let nonce: [u8; 12] = sealed.as_slice().try_into().map_err(failed)?;
        sealed.extend_from_slice(value);
        let tag = self
            .cipher
            .encrypt_inout_detached((&nonce).into(), name.text.as_bytes(), (&mut sealed[12..]).into())
            .map_err(failed)?;
        sealed.extend_from_slice(&tag);
        self.store.put(name, &sealed)
    }

    fn get(&mut self, name: &Name, out: &mut [u8]) -> Result<usize, Failed> {
        if PLAIN {
            return self.store.get(name, out);
        }
        let mut sealed = [0; LARGEST + BY_HAND];
        let len = self.store.get(name, &mut sealed)?;
        let (nonce, rest) = sealed[..len].split_at_mut(12);
        let (value, tag) = rest.split_at_mut(len - BY_HAND);
        let nonce: [u8; 12] = (&*nonce).try_into().map_err(failed)?;
        let tag: [u8; 16] = (&*tag).try_into().map_err(failed)?;
        self.cipher
            .decrypt_inout_detached(
                (&nonce).into(),
                name.text.as_bytes(),
                (&mut *value).into(),
                (&tag).into(),
            )
            .map_err(failed)?;
        out[..value.len()].copy_from_slice(value);
        Ok(value.len())
    }
}

// ---- sequential-storage ----

type Caches = Cache<HeapPageStates, HeapPagePointers, HeapKeyPointers<[u8; 8]>, [u8; 8]>;

/// With all its caches, which is how it is fast.
pub struct Sequential {
    map: MapStorage<[u8; 8], Pending, Caches>,
    buffer: Vec<u8>,
}

impl Plain for Sequential {
    const NAME: &str = "sequential-storage 8";
    const SEALED_NAME: &str = "sequential-storage 8, sealed by hand";
    const RULE: Rule = Rule::WriteOnce;

    fn format(part: Part) -> Result<Self, Failed> {
        Self::open(part)
    }

    fn open(part: Part) -> Result<Self, Failed> {
        let pages = part.pages();
        let end = u32::try_from(pages * PAGE).map_err(failed)?;
        let caches = Cache::new(
            HeapPageStates::new(pages),
            HeapPagePointers::new(pages),
            HeapKeyPointers::new(ITEMS),
        );
        let config = MapConfig::try_new(0..end).map_err(failed)?;
        Ok(Self {
            map: MapStorage::new(Pending(part), config, caches),
            buffer: vec![0; 1024],
        })
    }

    fn put(&mut self, name: &Name, value: &[u8]) -> Result<(), Failed> {
        let name = name.bytes();
        block_on(self.map.store_item(&mut self.buffer, &name, &value)).map_err(failed)
    }

    fn get(&mut self, name: &Name, out: &mut [u8]) -> Result<usize, Failed> {
        let name = name.bytes();
        let found = block_on(self.map.fetch_item::<&[u8]>(&mut self.buffer, &name)).map_err(failed)?;
        let value = found.ok_or("absent")?;
        out[..value.len()].copy_from_slice(value);
        Ok(value.len())
    }
}

// ---- ekv ----

/// One transaction a put.
pub struct Ekv(ekv::Database<Part, NoopRawMutex>);

impl Subject for Ekv {
    const NAME: &str = "ekv 1";
    const SEALED: bool = false;
    const RULE: Rule = Rule::WriteOnce;

    fn format(part: Part) -> Result<Self, Failed> {
        let database = ekv::Database::new(part, ekv::Config::default());
        block_on(database.format()).map_err(failed)?;
        Ok(Self(database))
    }

    fn open(part: Part) -> Result<Self, Failed> {
        let database = ekv::Database::new(part, ekv::Config::default());
        block_on(database.mount()).map_err(failed)?;
        Ok(Self(database))
    }

    fn put(&mut self, name: &Name, value: &[u8]) -> Result<(), Failed> {
        self.put_all(&[(name, value.to_vec())])
    }

    fn put_all(&mut self, items: &[(&Name, Vec<u8>)]) -> Result<(), Failed> {
        // Its keys have to come in order.
        let mut items: Vec<_> = items
            .iter()
            .map(|(name, value)| (name.text.as_bytes(), value))
            .collect();
        items.sort();
        block_on(async {
            let mut transaction = self.0.write_transaction().await;
            for (name, value) in items {
                transaction.write(name, value).await.map_err(failed)?;
            }
            transaction.commit().await.map_err(failed)
        })
    }

    fn get(&mut self, name: &Name, out: &mut [u8]) -> Result<usize, Failed> {
        block_on(async {
            let transaction = self.0.read_transaction().await;
            transaction.read(name.text.as_bytes(), out).await.map_err(failed)
        })
    }
}

// ---- tickv ----

pub struct Tickv(tickv::tickv::TicKV<'static, Part, PAGE>);

impl Tickv {
    /// FNV-1a: it takes whatever 64 bits it is given.
    fn hash(name: &[u8]) -> u64 {
        name.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
        })
    }
}

impl Subject for Tickv {
    const NAME: &str = "tickv 2";
    const SEALED: bool = false;
    const RULE: Rule = Rule::Multiwrite;

    fn format(part: Part) -> Result<Self, Failed> {
        Self::open(part)
    }

    fn open(part: Part) -> Result<Self, Failed> {
        let size = part.pages() * PAGE;
        // It wants the buffer for as long as it lives, which is as long as this program.
        let buffer = Box::leak(Box::new([0; PAGE]));
        let store = tickv::tickv::TicKV::new(part, buffer, size);
        store
            .initialise(Self::hash(tickv::tickv::MAIN_KEY))
            .map_err(failed)?;
        Ok(Self(store))
    }

    fn put(&mut self, name: &Name, value: &[u8]) -> Result<(), Failed> {
        use tickv::error_codes::ErrorCode;
        let hash = Self::hash(name.text.as_bytes());
        match self.0.invalidate_key(hash) {
            Ok(_) | Err(ErrorCode::KeyNotFound) => {}
            Err(error) => return Err(failed(error)),
        }
        match self.0.append_key(hash, value) {
            Err(ErrorCode::FlashFull | ErrorCode::RegionFull) => {
                self.0.garbage_collect().map_err(failed)?;
                self.0.append_key(hash, value).map(drop).map_err(failed)
            }
            appended => appended.map(drop).map_err(failed),
        }
    }

    fn get(&mut self, name: &Name, out: &mut [u8]) -> Result<usize, Failed> {
        let found = self.0.get_key(Self::hash(name.text.as_bytes()), out);
        found.map(|(_, len)| len).map_err(failed)
    }
}

// ---- wasefire-store ----

/// Keys are numbers of twelve bits. It overwrites what is superseded.
pub struct Wasefire(wasefire_store::Store<Storage>);

impl Plain for Wasefire {
    const NAME: &str = "wasefire-store 0.3";
    const SEALED_NAME: &str = "wasefire-store 0.3, sealed by hand";
    const RULE: Rule = Rule::Multiwrite;

    fn format(part: Part) -> Result<Self, Failed> {
        Self::open(part)
    }

    fn open(part: Part) -> Result<Self, Failed> {
        if part.pages() > 64 {
            return Err("it takes 63 pages at most".into());
        }
        let pages = part.pages().min(63);
        let store = wasefire_store::Store::new(Storage { part, pages });
        store.map(Self).map_err(|(error, _)| failed(error))
    }

    fn put(&mut self, name: &Name, value: &[u8]) -> Result<(), Failed> {
        self.0.insert(name.number, value).map_err(failed)
    }

    fn get(&mut self, name: &Name, out: &mut [u8]) -> Result<usize, Failed> {
        let found = self.0.find(name.number).map_err(failed)?;
        let value = found.ok_or("absent")?;
        out[..value.len()].copy_from_slice(&value);
        Ok(value.len())
    }
}

// ---- the limit ----

/// A bound, not a store: the value sealed and appended with its tag in one call, the oldest page erased when there is no room; no
/// header, no name, no stored nonce, nothing ever copied. Where a value is, only this object knows.
pub struct Limit {
    part: Part,
    cipher: ChaCha20Poly1305,
    at: usize,
    sealed: u64,
    places: HashMap<usize, (usize, usize, u64)>,
}

impl Limit {
    fn nonce(number: u64) -> [u8; 12] {
        let mut nonce = [0; 12];
        nonce[..8].copy_from_slice(&number.to_le_bytes());
        nonce
    }
}

impl Subject for Limit {
    const NAME: &str = "the limit";
    const SEALED: bool = true;
    const RULE: Rule = Rule::WriteOnce;

    fn format(part: Part) -> Result<Self, Failed> {
        Ok(Self {
            part,
            cipher: ChaCha20Poly1305::new(&[7; 32].into()),
            at: 0,
            sealed: 0,
            places: HashMap::new(),
        })
    }

    fn open(_: Part) -> Result<Self, Failed> {
        Err("nothing on the part says where a value is".into())
    }

    fn put(&mut self, name: &Name, value: &[u8]) -> Result<(), Failed> {
        use embedded_storage::nor_flash::NorFlash;
        self.sealed += 1;
        let mut record = value.to_vec();
        let nonce = Self::nonce(self.sealed);
        let tag = self
            .cipher
            .encrypt_inout_detached((&nonce).into(), &[], record.as_mut_slice().into())
            .map_err(failed)?;
        record.extend_from_slice(&tag);
        let capacity = self.part.pages() * PAGE;
        if self.at % PAGE + record.len() > PAGE {
            self.at = (self.at / PAGE + 1) * PAGE % capacity;
        }
        let offset = |at: usize| u32::try_from(at).map_err(failed);
        if self.at.is_multiple_of(PAGE) {
            self.part
                .erase(offset(self.at)?, offset(self.at + PAGE)?)
                .map_err(failed)?;
        }
        self.part.write(offset(self.at)?, &record).map_err(failed)?;
        self.places
            .insert(name.number, (self.at, record.len(), self.sealed));
        self.at = (self.at + record.len()) % capacity;
        Ok(())
    }

    fn get(&mut self, name: &Name, out: &mut [u8]) -> Result<usize, Failed> {
        use embedded_storage::nor_flash::ReadNorFlash;
        let (at, len, sealed) = *self.places.get(&name.number).ok_or("absent")?;
        let mut record = [0; LARGEST + 16];
        let record = &mut record[..len];
        let offset = u32::try_from(at).map_err(failed)?;
        ReadNorFlash::read(&mut self.part, offset, record).map_err(failed)?;
        let (value, tag) = record.split_at_mut(len - 16);
        let tag: [u8; 16] = (&*tag).try_into().map_err(failed)?;
        let nonce = Self::nonce(sealed);
        // What was overwritten since does not open, and costs the same.
        let _ = self
            .cipher
            .decrypt_inout_detached((&nonce).into(), &[], (&mut *value).into(), (&tag).into());
        out[..value.len()].copy_from_slice(value);
        Ok(value.len())
    }
}

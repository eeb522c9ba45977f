//! Which key comes from which: root key, store key, class keys, and what each is for. Section 2 of the format document.
//!
//! ```text
//!  key_page · keys · log · mount
//!  hierarchy (this file)
//!  format · crypto · secret
//! ```

use super::error::Fault;
use super::format;
use crate::crypto::{self, Label, SealingKey};
use crate::secret::{RootKey, Secret};

/// Bytes of a key that is wrapped on a key page.
pub(crate) const KEY_LEN: usize = 32;

/// Which store a key is for: its id and the integrator's label are part of every derivation.
#[derive(Clone, Copy)]
pub(crate) struct Context {
    pub(crate) store_id: [u8; 16],
    label: [u8; format::MAX_LABEL],
    label_len: u8,
}

impl Context {
    /// `None` if the label is too long.
    pub(crate) fn new(store_id: [u8; 16], label: &str) -> Option<Self> {
        let label_len = u8::try_from(label.len())
            .ok()
            .filter(|&len| usize::from(len) <= format::MAX_LABEL)?;
        let mut padded = [0; format::MAX_LABEL];
        format::place(&mut padded, 0, label.as_bytes());
        Some(Self {
            store_id,
            label: padded,
            label_len,
        })
    }

    /// Of no store.
    const fn none() -> Self {
        Self {
            store_id: [0; 16],
            label: [0; format::MAX_LABEL],
            label_len: 0,
        }
    }

    //= compliance/requirements.md#store-24
    //# Every key MUST be derived with its purpose, the store id and the partition label.
    fn derive<const N: usize>(
        &self,
        salt: &[u8],
        key_material: &[&[u8]],
        label: Label,
        place: &[u8],
        key: &mut Secret<N>,
    ) -> Result<(), Fault> {
        let partition = self.label.get(..usize::from(self.label_len)).unwrap_or_default();
        let context: [&[u8]; 4] = [&self.store_id, &[self.label_len], partition, place];
        Ok(crypto::derive_into(
            salt,
            key_material,
            label,
            &context,
            key.expose_mut(),
        )?)
    }

    fn sealing(
        &self,
        key: &[u8; KEY_LEN],
        seal: Label,
        nonce: Label,
        place: &[u8],
        sealing: &mut SealingKey,
    ) -> Result<(), Fault> {
        self.derive(&[], &[key], seal, place, &mut sealing.seal)?;
        self.derive(&[], &[key], nonce, place, &mut sealing.nonce)
    }
}

/// What the root key itself is used for: to wrap the other keys on the key pages, and nothing else.
pub(crate) struct WrapKeys {
    pub(crate) context: Context,
    pub(crate) wrap: SealingKey,
    store_mix: Secret<KEY_LEN>,
}

impl WrapKeys {
    const fn none() -> Self {
        Self {
            context: Context::none(),
            wrap: SealingKey::none(),
            store_mix: Secret::new([0; KEY_LEN]),
        }
    }

    pub(crate) fn derive(root_key: &RootKey, context: Context) -> Result<Self, Fault> {
        let mut keys = Self::none();
        keys.fill(root_key, context)?;
        Ok(keys)
    }

    /// Derives them where they stay.
    pub(crate) fn fill(&mut self, root_key: &RootKey, context: Context) -> Result<(), Fault> {
        let root = root_key.expose();
        self.context = context;
        context.sealing(root, Label::WrapSeal, Label::WrapNonce, &[], &mut self.wrap)?;
        context.derive(&[], &[root], Label::StoreMix, &[], &mut self.store_mix)
    }

    /// The key of a new store. The root key goes into it: a poor random source alone does not reveal it.
    pub(crate) fn new_store_key(&self, randomness: &Secret<KEY_LEN>) -> Result<Secret<KEY_LEN>, Fault> {
        let material: [&[u8]; 2] = [randomness.expose(), self.store_mix.expose()];
        let mut key = Secret::new([0; KEY_LEN]);
        self.context
            .derive(&[0; KEY_LEN], &material, Label::StoreKey, &[], &mut key)?;
        Ok(key)
    }
}

/// The keys that belong to the store and to no class.
pub(crate) struct StoreKeys {
    pub(crate) wrapping: WrapKeys,
    pub(crate) store: SealingKey,
    class_mix: Secret<KEY_LEN>,
    pub(crate) structure: Secret<16>,
    live: Secret<16>,
    name: Secret<16>,
}

impl StoreKeys {
    /// Room for those of a store that is not found yet.
    pub(crate) const fn none() -> Self {
        Self {
            wrapping: WrapKeys::none(),
            store: SealingKey::none(),
            class_mix: Secret::new([0; KEY_LEN]),
            structure: Secret::new([0; 16]),
            live: Secret::new([0; 16]),
            name: Secret::new([0; 16]),
        }
    }

    /// Derives them where they stay, from the store's key; those that wrap it are there.
    pub(crate) fn fill(&mut self, store_key: &Secret<KEY_LEN>) -> Result<(), Fault> {
        let Self {
            wrapping: WrapKeys { context, .. },
            store,
            class_mix,
            structure,
            live,
            name,
        } = self;
        let key = store_key.expose();
        context.sealing(key, Label::StoreSeal, Label::StoreNonce, &[], store)?;
        context.derive(&[], &[key], Label::ClassMix, &[], class_mix)?;
        context.derive(&[], &[key], Label::Structure, &[], structure)?;
        context.derive(&[], &[key], Label::Live, &[], live)?;
        context.derive(&[], &[key], Label::Name, &[], name)
    }

    /// A new class key. The one before goes into it, and cannot be had from it.
    pub(crate) fn new_class_key(
        &self,
        before: &Secret<KEY_LEN>,
        randomness: &Secret<KEY_LEN>,
        slot: u8,
        generation: u32,
    ) -> Result<Secret<KEY_LEN>, Fault> {
        let material: [&[u8]; 2] = [randomness.expose(), self.class_mix.expose()];
        let place = class_place(slot, generation);
        let mut key = Secret::new([0; KEY_LEN]);
        self.wrapping
            .context
            .derive(before.expose(), &material, Label::ClassKey, &place, &mut key)?;
        Ok(key)
    }

    /// What a class key seals with.
    pub(crate) fn class_sealing(
        &self,
        class_key: &Secret<KEY_LEN>,
        slot: u8,
        generation: u32,
        sealing: &mut SealingKey,
    ) -> Result<(), Fault> {
        let place = class_place(slot, generation);
        let key = class_key.expose();
        self.wrapping
            .context
            .sealing(key, Label::ClassSeal, Label::ClassNonce, &place, sealing)
    }

    /// The live record at `address` as a summand of the live sum.
    pub(crate) fn live_summand(&self, address: u32) -> u32 {
        low_bits(crypto::fingerprint(&self.live, &[&address.to_le_bytes()]), 32)
    }

    /// The bits by which the index finds a name.
    pub(crate) fn name_hash(&self, slot: u8, name: &[u8]) -> u32 {
        low_bits(
            crypto::fingerprint(&self.name, &[&[slot], name]),
            format::NAME_HASH_BITS,
        )
    }
}

fn class_place(slot: u8, generation: u32) -> [u8; 5] {
    let mut place = [slot, 0, 0, 0, 0];
    format::place(&mut place, 1, &generation.to_le_bytes());
    place
}

fn low_bits(number: u64, bits: u32) -> u32 {
    u32::try_from(number & ((1 << bits) - 1)).unwrap_or(0)
}

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

    //= compliance/requirements.md#store-24
    //# Every key MUST be derived with its purpose, the store id and the partition label.
    fn derive<const N: usize>(
        &self,
        salt: &[u8],
        key_material: &[&[u8]],
        label: Label,
        place: &[u8],
    ) -> Result<Secret<N>, Fault> {
        let partition = self.label.get(..usize::from(self.label_len)).unwrap_or_default();
        let context: [&[u8]; 4] = [&self.store_id, &[self.label_len], partition, place];
        Ok(crypto::derive(salt, key_material, label, &context)?)
    }

    fn sealing(
        &self,
        key: &[u8; KEY_LEN],
        seal: Label,
        nonce: Label,
        place: &[u8],
    ) -> Result<SealingKey, Fault> {
        Ok(SealingKey {
            seal: self.derive(&[], &[key], seal, place)?,
            nonce: self.derive(&[], &[key], nonce, place)?,
        })
    }
}

/// What the root key itself is used for: to wrap the other keys on the key pages, and nothing else.
pub(crate) struct WrapKeys {
    pub(crate) context: Context,
    pub(crate) wrap: SealingKey,
    store_mix: Secret<KEY_LEN>,
}

impl WrapKeys {
    pub(crate) fn derive(root_key: &RootKey, context: Context) -> Result<Self, Fault> {
        let root = root_key.expose();
        Ok(Self {
            context,
            wrap: context.sealing(root, Label::WrapSeal, Label::WrapNonce, &[])?,
            store_mix: context.derive(&[], &[root], Label::StoreMix, &[])?,
        })
    }

    /// The key of a new store. The root key goes into it: a poor random source alone does not reveal it.
    pub(crate) fn new_store_key(&self, randomness: &Secret<KEY_LEN>) -> Result<Secret<KEY_LEN>, Fault> {
        let material: [&[u8]; 2] = [randomness.expose(), self.store_mix.expose()];
        self.context
            .derive(&[0; KEY_LEN], &material, Label::StoreKey, &[])
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
    pub(crate) fn derive(wrapping: WrapKeys, store_key: &Secret<KEY_LEN>) -> Result<Self, Fault> {
        let (context, key) = (wrapping.context, store_key.expose());
        Ok(Self {
            wrapping,
            store: context.sealing(key, Label::StoreSeal, Label::StoreNonce, &[])?,
            class_mix: context.derive(&[], &[key], Label::ClassMix, &[])?,
            structure: context.derive(&[], &[key], Label::Structure, &[])?,
            live: context.derive(&[], &[key], Label::Live, &[])?,
            name: context.derive(&[], &[key], Label::Name, &[])?,
        })
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
        self.wrapping.context.derive(
            before.expose(),
            &material,
            Label::ClassKey,
            &class_place(slot, generation),
        )
    }

    /// What a class key seals with.
    pub(crate) fn class_sealing(
        &self,
        class_key: &Secret<KEY_LEN>,
        slot: u8,
        generation: u32,
    ) -> Result<SealingKey, Fault> {
        let place = class_place(slot, generation);
        self.wrapping
            .context
            .sealing(class_key.expose(), Label::ClassSeal, Label::ClassNonce, &place)
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

//! A ledger of every sealing call of the current thread, for tests of nonce uniqueness.
//!
//! ```
//! use bydesign::crypto::ledger;
//!
//! ledger::start();
//! // … use a store …
//! assert!(ledger::reused(&ledger::stop()).is_none());
//! ```

use std::cell::RefCell;
use std::collections::HashMap;
use std::vec::Vec;

use sha2::{Digest, Sha256};

/// One sealing call, as digests: the ledger holds no secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Entry {
    /// SHA-256 of the key.
    pub key: [u8; 32],
    /// The nonce.
    pub nonce: [u8; 24],
    /// SHA-256 of the associated data and the plaintext.
    pub contents: [u8; 32],
}

std::thread_local! {
    static LEDGER: RefCell<Option<Vec<Entry>>> = const { RefCell::new(None) };
}

/// Begins an empty ledger on this thread.
pub fn start() {
    LEDGER.with(|ledger| *ledger.borrow_mut() = Some(Vec::new()));
}

/// Ends the ledger of this thread and gives what it holds, oldest first.
#[must_use]
pub fn stop() -> Vec<Entry> {
    LEDGER
        .with(|ledger| ledger.borrow_mut().take())
        .unwrap_or_default()
}

/// The first two entries that share key and nonce and differ in contents, if there are any.
#[must_use]
pub fn reused(entries: &[Entry]) -> Option<(Entry, Entry)> {
    let mut seen = HashMap::new();
    entries.iter().find_map(|entry| {
        let earlier = *seen.entry((entry.key, entry.nonce)).or_insert(*entry);
        (earlier.contents != entry.contents).then_some((earlier, *entry))
    })
}

pub(super) fn note(key: &[u8; 32], nonce: &[u8; 24], associated: &[u8], text: &[u8]) {
    LEDGER.with(|ledger| {
        if let Some(entries) = ledger.borrow_mut().as_mut() {
            let mut contents = Sha256::new();
            contents.update(u64::try_from(associated.len()).unwrap_or(u64::MAX).to_le_bytes());
            contents.update(associated);
            contents.update(text);
            entries.push(Entry {
                key: Sha256::digest(key).into(),
                nonce: *nonce,
                contents: contents.finalize().into(),
            });
        }
    });
}

//! What can go wrong, one enum per family of operations.

use embedded_storage::nor_flash::NorFlashErrorKind;

/// Why a store could not be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FormatError {
    /// The flash driver reported an error; format again.
    #[error("the flash driver failed")]
    Flash(NorFlashErrorKind),
    /// The flash holds something. Nothing was touched; see [`Store::format_erasing`](super::Store::format_erasing).
    #[error("the flash is not blank")]
    NotBlank,
    /// The part is too small (four pages at least), its erase unit larger than 256 KiB, or its word larger than 32 bytes.
    #[error("a store cannot live on this geometry")]
    Geometry,
    /// The random source failed or is visibly stuck. Nothing was touched.
    #[error("the random source failed or is stuck")]
    Random,
    /// The partition label is longer than 32 bytes.
    #[error("the partition label is too long")]
    Label,
    /// What was written does not read back: the flash is worn or write-protected.
    #[error("the flash does not keep what is written")]
    Unkept,
    /// The memory given has room for fewer than three class keys.
    #[error("the memory has too few class slots")]
    Memory,
    /// An internal limit was met; never caused by what is on flash.
    #[error("internal limit")]
    Internal,
}

/// Why a store could not be mounted. Trying destroys nothing that was not already doomed: an erasure or overwriting that a power
/// cut interrupted may be completed first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MountError {
    /// The flash driver reported an error.
    #[error("the flash driver failed")]
    Flash(NorFlashErrorKind),
    /// There is no store: the key pages are blank, or a format never finished.
    #[error("the flash is not formatted")]
    Unformatted,
    /// The flash holds something that is no store.
    #[error("the flash holds something else")]
    Foreign,
    /// The store was written by a newer version of the format (its number is given).
    #[error("the store has the newer format version {0}")]
    NewerFormat(u8),
    /// The store uses features of the format (a bit each) that this version does not know: newer software wrote it.
    #[error("the store uses features that this version does not know: {0:#010b}")]
    UnknownFeatures(u8),
    /// The store was made for another word size, page size or number of pages, or a store cannot live on this part.
    #[error("the store was made for another geometry")]
    Geometry,
    /// The store was made for the other [`MediumKind`](crate::flash::MediumKind).
    #[error("the store was made for the other kind of medium")]
    Medium,
    /// The key pages do not open: another root key, another partition label, or they were tampered with.
    #[error("the root key or the label does not fit the store")]
    WrongRootKey,
    /// Something at this byte address that must open does not.
    #[error("damage at byte {0:#x}")]
    Damaged(u32),
    /// All that is there opens, but it does not belong together: something was dropped, replayed or swapped.
    #[error("the parts of the store do not belong together")]
    Inconsistent,
    /// The store holds more items than the index has room for.
    #[error("the index is too small")]
    IndexFull,
    /// A record is longer than the record buffer; the bytes needed are given.
    #[error("the record buffer is too small, {0} bytes are needed")]
    BufferTooSmall(usize),
    /// The store has more class keys than the memory has slots; the number needed is given.
    #[error("the memory has too few class slots, {0} are needed")]
    TooManyClasses(usize),
    /// The partition label is longer than 32 bytes.
    #[error("the partition label is too long")]
    Label,
    /// What was written to finish an interrupted operation does not read back.
    #[error("the flash does not keep what is written")]
    Unkept,
    /// An erasure was begun and cut short: [`Eraser::mount`](crate::erase::Eraser::mount) completes it, and before that nothing can be read.
    #[error("an erasure was begun and is not complete")]
    ErasureBegun,
    /// The counter is ahead of what the store states: the flash was set back to an earlier state.
    #[error("the store was set back: it states {store}, the counter stands at {counter}")]
    SetBack {
        /// The value that the store states.
        store: u32,
        /// The value of the counter.
        counter: u32,
    },
    /// The counter is behind what the store states: it is another one, or was reset.
    #[error("the counter is not the one that the store was held against")]
    OtherCounter,
    /// The store was never held against a counter, or its first time was cut short.
    #[error("the store is held against no counter")]
    NotAnchored,
    /// The counter failed.
    #[error("the counter failed")]
    Counter,
    /// An internal limit was met.
    #[error("internal limit")]
    Internal,
}

/// Why a store could not be held against a counter. What is stored is as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AnchorError {
    /// The flash driver reported an error.
    #[error("the flash driver failed")]
    Flash(NorFlashErrorKind),
    /// The counter failed, has come to its end, or did not keep the value it was moved to.
    #[error("the counter failed")]
    Counter,
    /// The counter moved by itself, or is another one.
    #[error("the counter is not the one that the store was held against")]
    OtherCounter,
    /// The store was not mounted with its counter: what is there may be an earlier state, and is not declared the latest.
    #[error("the store was not mounted with a counter")]
    NotAnchored,
    /// The random source failed, or is visibly stuck.
    #[error("the random source failed")]
    Random,
    /// What was written does not read back: the flash is worn or write-protected.
    #[error("the flash does not keep what is written")]
    Unkept,
    /// A record in the way, at this byte address, no longer opens.
    #[error("damage at byte {0:#x}")]
    Damaged(u32),
    /// There is no room for the record.
    #[error("the store is full")]
    Full,
    /// An internal limit was met.
    #[error("internal limit")]
    Internal,
}

/// Why something could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The flash driver reported an error.
    #[error("the flash driver failed")]
    Flash(NorFlashErrorKind),
    /// The item's record, at this byte address, no longer opens.
    #[error("damage at byte {0:#x}")]
    Damaged(u32),
    /// The value is longer than the caller's buffer; the bytes needed are given.
    #[error("the buffer is too small, {0} bytes are needed")]
    OutputTooSmall(usize),
    /// The name is longer than 63 bytes.
    #[error("the name is too long")]
    Name,
    /// The value was stored under this other version of its key. Its bytes stay as they are.
    #[error("the value has version {0} of its key")]
    Version(u8),
    /// The stored bytes are no value of the asked type. They stay as they are.
    #[error("the stored bytes do not decode")]
    Decode,
    /// An erasure was begun and failed on its way: [`Eraser::carry_out`](crate::erase::Eraser::carry_out) completes it.
    #[error("an erasure was begun and is not complete")]
    ErasureBegun,
    /// An internal limit was met.
    #[error("internal limit")]
    Internal,
}

/// Why something could not be written or removed. The old value is still there, except after `Flash` and `Unkept`: where the
/// change stands on the flash and only the overwriting of the old value failed, the new one counts, and each later write
/// reports the same until the old one is overwritten.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// The flash driver reported an error.
    #[error("the flash driver failed")]
    Flash(NorFlashErrorKind),
    /// The store has no room for the value. Removal still works.
    #[error("the store is full")]
    Full,
    /// The index has no room for another item.
    #[error("the index is full")]
    IndexFull,
    /// No class slot is free for another user or application class.
    #[error("no class slot is free")]
    ClassesFull,
    /// The value is too long; the limit in bytes for this name is given.
    #[error("the value is too long, {0} bytes are the limit")]
    TooLong(usize),
    /// The records of the transaction do not fit one page; the bytes they take, and those that a page has for them.
    #[error("the transaction takes {bytes} bytes, {limit} are the limit")]
    TransactionTooLong {
        /// Bytes of all its records.
        bytes: u32,
        /// Bytes that one page holds.
        limit: u32,
    },
    /// A transaction changes one item twice.
    #[error("the transaction changes an item twice")]
    Repeated,
    /// The name is longer than 63 bytes.
    #[error("the name is too long")]
    Name,
    /// The item is write-once and already there.
    #[error("the item can be written only once")]
    Fixed,
    /// The class is [`Class::Ledger`](super::Class::Ledger), or the name begins with a zero byte: those are the library's own.
    #[error("the class or the name is reserved")]
    Reserved,
    /// An erasure was begun and failed on its way: [`Eraser::carry_out`](crate::erase::Eraser::carry_out) completes it.
    #[error("an erasure was begun and is not complete")]
    ErasureBegun,
    /// The value does not encode.
    #[error("the value does not encode")]
    Encode,
    /// The random source failed, or is visibly stuck where a class key was to be made.
    #[error("the random source failed")]
    Random,
    /// What was written does not read back: the flash is worn or write-protected.
    #[error("the flash does not keep what is written")]
    Unkept,
    /// A record in the way, at this byte address, no longer opens.
    #[error("damage at byte {0:#x}")]
    Damaged(u32),
    /// An internal limit was met: 2³² pages written.
    #[error("internal limit")]
    Internal,
}

/// Why an item could not be brought to the present version of its key. It is as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UpgradeError {
    /// It could not be read; [`ReadError::Version`] if it is of a later version, or of an earlier one that the key does not read.
    #[error("not read: {0}")]
    Read(#[from] ReadError),
    /// It could not be written.
    #[error("not written: {0}")]
    Write(#[from] WriteError),
}

/// Why something could not be erased.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EraseError {
    /// The flash driver reported an error. If the erasure had begun, the next operation or mount goes on with it.
    #[error("the flash driver failed")]
    Flash(NorFlashErrorKind),
    /// The random source failed or is visibly stuck. Nothing stored was touched.
    #[error("the random source failed or is stuck")]
    Random,
    /// What was written or erased does not read back so: the flash is worn or write-protected.
    #[error("the flash does not keep what is written")]
    Unkept,
    /// A record in the way, at this byte address, no longer opens.
    #[error("damage at byte {0:#x}")]
    Damaged(u32),
    /// The name is longer than 63 bytes.
    #[error("the name is too long")]
    Name,
    /// There is no room: to move what stays, or to note what was begun, which [`Eraser::prepare`](crate::erase::Eraser::prepare) sees to.
    #[error("the store is full")]
    Full,
    /// No class slot is free for the notes of an erasure, which [`Eraser::prepare`](crate::erase::Eraser::prepare) sees to.
    #[error("no class slot is free")]
    ClassesFull,
    /// The item is write-once: it goes with its class only.
    #[error("the item can only be erased with its class")]
    Fixed,
    /// The record buffer, with fewer than 192 bytes, has no room for the notes of an erasure.
    #[error("the record buffer is too small")]
    BufferTooSmall,
    /// An earlier erasure is not complete, or there is none that waits for this.
    #[error("another erasure comes first")]
    Unfinished,
    /// What would go or stay has changed since the plan was made: make and show another.
    #[error("the store has changed since the plan was made")]
    Changed,
    /// The class is [`Class::Ledger`](super::Class::Ledger), or the name begins with a zero byte: those are the library's own.
    #[error("the class or the name is reserved")]
    Reserved,
    /// What was noted of an erasure is of a later version.
    #[error("a later version noted the erasure")]
    Note,
    /// An internal limit was met.
    #[error("internal limit")]
    Internal,
}

/// Everything that can go wrong below the operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    Flash(NorFlashErrorKind),
    Random,
    Unkept,
    Damaged(u32),
    Full,
    /// A record of so many bytes does not fit the record buffer.
    TooLong(u32),
    /// An erasure is not complete.
    Begun,
    Internal,
}

impl From<NorFlashErrorKind> for Fault {
    fn from(kind: NorFlashErrorKind) -> Self {
        Self::Flash(kind)
    }
}

impl From<crate::crypto::Refused> for Fault {
    fn from(_: crate::crypto::Refused) -> Self {
        Self::Internal
    }
}

macro_rules! from_fault {
    ($error:ident { $($fault:pat => $variant:expr),* $(,)? }) => {
        impl From<Fault> for $error {
            fn from(fault: Fault) -> Self {
                match fault {
                    Fault::Flash(kind) => Self::Flash(kind),
                    $($fault => $variant,)*
                    #[allow(unreachable_patterns)]
                    _ => Self::Internal,
                }
            }
        }
    };
}

from_fault!(FormatError { Fault::Random => Self::Random, Fault::Unkept => Self::Unkept });
from_fault!(MountError {
    Fault::Unkept => Self::Unkept,
    Fault::Damaged(at) => Self::Damaged(at),
    Fault::TooLong(needed) => Self::BufferTooSmall(usize::try_from(needed).unwrap_or(usize::MAX)),
});
from_fault!(ReadError { Fault::Damaged(at) => Self::Damaged(at), Fault::Begun => Self::ErasureBegun });

impl From<ReadError> for MountError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Flash(kind) => Self::Flash(kind),
            ReadError::Damaged(at) => Self::Damaged(at),
            _ => Self::Internal,
        }
    }
}

impl From<ReadError> for EraseError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Flash(kind) => Self::Flash(kind),
            ReadError::Damaged(at) => Self::Damaged(at),
            ReadError::Name => Self::Name,
            ReadError::ErasureBegun => Self::Unfinished,
            _ => Self::Internal,
        }
    }
}

impl From<WriteError> for EraseError {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Flash(kind) => Self::Flash(kind),
            WriteError::Random => Self::Random,
            WriteError::Unkept => Self::Unkept,
            WriteError::Damaged(at) => Self::Damaged(at),
            WriteError::Full | WriteError::IndexFull => Self::Full,
            WriteError::ClassesFull => Self::ClassesFull,
            WriteError::Fixed => Self::Fixed,
            WriteError::Name => Self::Name,
            WriteError::Reserved => Self::Reserved,
            WriteError::ErasureBegun => Self::Unfinished,
            WriteError::TooLong(_) | WriteError::TransactionTooLong { .. } => Self::BufferTooSmall,
            _ => Self::Internal,
        }
    }
}
from_fault!(WriteError {
    Fault::Begun => Self::ErasureBegun,
    Fault::Random => Self::Random,
    Fault::Unkept => Self::Unkept,
    Fault::Damaged(at) => Self::Damaged(at),
    Fault::Full => Self::Full,
});
from_fault!(AnchorError {
    Fault::Random => Self::Random,
    Fault::Unkept => Self::Unkept,
    Fault::Damaged(at) => Self::Damaged(at),
    Fault::Full => Self::Full,
});
from_fault!(EraseError {
    Fault::Begun => Self::Unfinished,
    Fault::Random => Self::Random,
    Fault::Unkept => Self::Unkept,
    Fault::Damaged(at) => Self::Damaged(at),
    Fault::Full => Self::Full,
});

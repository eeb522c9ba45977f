//! One operation type for the model tests and the fuzz targets.
#![allow(dead_code, unreachable_pub)]

#[cfg(feature = "async")]
use bydesign::flash::Medium;
use bydesign::flash::NeverPends;
#[cfg(feature = "async")]
use bydesign::store::AsyncStore;
use bydesign::store::{Change, Class, EraseError, Scope, Store, UserId, WriteError};
use chacha20::ChaCha20Rng;

use super::{Memory, Model, class};

/// What a history is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    Put {
        class: u8,
        key: u8,
        len: u16,
        fill: u8,
    },
    Remove {
        class: u8,
        key: u8,
    },
    EraseItem {
        class: u8,
        key: u8,
    },
    /// A transaction: puts `key` and, half as long, the next one in the next class, and removes the one after in the same class.
    Commit {
        class: u8,
        key: u8,
        len: u16,
        fill: u8,
    },
    EraseClass {
        class: u8,
    },
    EraseUser,
    Maintain {
        steps: u8,
    },
    KeepCheckpoints,
}

/// How an operation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// As asked.
    Done,
    /// Refused for want of room; nothing changed.
    Refused,
    /// The driver failed: power went.
    Cut,
}

pub fn name(key: u8) -> String {
    // short, empty and long names
    match key % 12 {
        0 => String::new(),
        11 => "n".repeat(63),
        key => format!("key-{key}"),
    }
}

pub fn value(len: u16, fill: u8) -> Vec<u8> {
    (0..len)
        .map(|at| fill.wrapping_add(at.to_le_bytes()[0].wrapping_mul(31)))
        .collect()
}

/// Puts so many bytes of `fill` under the name with this number.
pub fn put(class: u8, key: u8, len: u16, fill: u8) -> Operation {
    Operation::Put {
        class,
        key,
        len,
        fill,
    }
}

/// The transaction of such an [`Operation::Commit`].
pub fn commit(class: u8, key: u8, len: u16, fill: u8) -> Operation {
    Operation::Commit {
        class,
        key,
        len,
        fill,
    }
}

/// The body of [`Operation::run`] and [`Operation::run_async`].
macro_rules! run {
    ($operation:ident, $store:ident, $random:ident, $($await:tt)*) => {{
        let written = |result: Result<(), WriteError>| match result {
            Ok(()) => Outcome::Done,
            Err(
                WriteError::Full
                | WriteError::IndexFull
                | WriteError::TooLong(_)
                | WriteError::TransactionTooLong { .. },
            ) => Outcome::Refused,
            Err(WriteError::Flash(_) | WriteError::Unkept) => Outcome::Cut,
            Err(error) => panic!("{:?}: {error}", $operation),
        };
        // Never for want of room.
        let always = |result: Result<(), WriteError>| match result {
            Ok(()) => Outcome::Done,
            Err(WriteError::Flash(_) | WriteError::Unkept) => Outcome::Cut,
            Err(error) => panic!("{:?}: {error}", $operation),
        };
        let erased = |result: Result<(), EraseError>| match result {
            Ok(()) => Outcome::Done,
            Err(EraseError::Flash(_) | EraseError::Unkept) => Outcome::Cut,
            Err(error) => panic!("{:?}: {error}", $operation),
        };
        match $operation {
            Operation::Put {
                class: number,
                key,
                len,
                fill,
            } => written($store.put_bytes(class(*number), &name(*key), &value(*len, *fill), $random)$($await)*),
            Operation::Remove { class: number, key } => {
                always($store.remove_bytes(class(*number), &name(*key), $random)$($await)*.map(drop))
            }
            Operation::EraseItem { class: number, key } => {
                erased($store.erase_item(class(*number), &name(*key), $random)$($await)*)
            }
            Operation::Commit {
                class: number,
                key,
                len,
                fill,
            } => {
                let names = [0, 1, 2].map(|more| name(key.wrapping_add(more)));
                let values = [value(*len, *fill), value(len / 2, !fill)];
                let next = (number % 5 + 1) % 5;
                written($store.commit(
                    &[
                        Change::put_bytes(class(*number), &names[0], &values[0]),
                        Change::put_bytes(class(next), &names[1], &values[1]),
                        Change::remove_bytes(class(*number), &names[2]),
                    ],
                    $random,
                )$($await)*)
            }
            Operation::EraseClass { class } => erased($store.erase(
                match class % 5 {
                    0 => Class::Identity,
                    1 => Class::Settings,
                    2 | 3 => Class::User,
                    _ => Class::Application(1),
                },
                $random,
            )$($await)*),
            Operation::EraseUser => erased($store.erase(Scope::User(UserId(7)), $random)$($await)*),
            Operation::KeepCheckpoints => erased($store.keep_checkpoints($random)$($await)*),
            Operation::Maintain { steps } => always($store.maintain(usize::from(*steps), $random)$($await)*.map(drop)),
        }
    }};
}

impl Operation {
    /// The state after the operation.
    pub fn apply(&self, model: &Model) -> Model {
        let mut after = model.clone();
        match self {
            Self::Put {
                class,
                key,
                len,
                fill,
            } => {
                after.insert((class % 5, name(*key)), value(*len, *fill));
            }
            Self::Remove { class, key } | Self::EraseItem { class, key } => {
                after.remove(&(class % 5, name(*key)));
            }
            Self::Commit {
                class,
                key,
                len,
                fill,
            } => {
                let next = (class % 5 + 1) % 5;
                after.insert((class % 5, name(*key)), value(*len, *fill));
                after.insert((next, name(key.wrapping_add(1))), value(len / 2, !fill));
                after.remove(&(class % 5, name(key.wrapping_add(2))));
            }
            Self::EraseClass { class } => after.retain(|(in_class, _), _| {
                let taken = match class % 5 {
                    2 | 3 => *in_class == 2 || *in_class == 3,
                    other => *in_class == other,
                };
                !taken
            }),
            Self::EraseUser => after.retain(|(in_class, _), _| *in_class != 3),
            Self::Maintain { .. } | Self::KeepCheckpoints => {}
        }
        after
    }

    /// Runs the operation; panics if the store answers what it must not.
    pub fn run<M: NeverPends>(&self, store: &mut Store<M, Memory>, random: &mut ChaCha20Rng) -> Outcome {
        run!(self, store, random,)
    }

    /// As [`Operation::run`], by the async face.
    #[cfg(feature = "async")]
    pub async fn run_async<M: Medium>(
        &self,
        store: &mut AsyncStore<M, Memory>,
        random: &mut ChaCha20Rng,
    ) -> Outcome {
        run!(self, store, random, .await)
    }
}

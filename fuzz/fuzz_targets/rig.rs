//! What the fuzz targets need of a part beyond what the tests need: its counters, and whether it is off while a store runs.
#![allow(dead_code)] // each target uses a part of it

use bydesign::flash::NeverPends;
use bydesign::flash::simulator::Counters;
use bydesign::store::{EraseError, ReadError, Store};
use chacha20::ChaCha20Rng;

use crate::support::operation::{Operation, Outcome, name};
use crate::support::{Ecc, Memory, Model, Nor, Part, class};

pub trait Rig: Part {
    fn counters(&self) -> &Counters;
    fn is_off_in_store(store: &Store<Self::Medium<'_>, Memory>) -> bool;
}

macro_rules! rig {
    ($part:ident) => {
        impl<const WRITE: usize, const ERASE: usize> Rig for $part<WRITE, ERASE> {
            fn counters(&self) -> &Counters {
                self.0.counters()
            }
            fn is_off_in_store(store: &Store<Self::Medium<'_>, Memory>) -> bool {
                store.medium().driver().is_off()
            }
        }
    };
}

rig!(Nor);
rig!(Ecc);

/// Everything the store holds; or the first error that reading it gives.
pub fn observe<M: NeverPends>(store: &mut Store<M, Memory>) -> Result<Model, ReadError> {
    let mut all = Model::new();
    for number in 0..5 {
        store.for_each(class(number), |name, value| {
            let twice = all.insert((number, name.to_owned()), value.to_vec());
            assert!(twice.is_none(), "{name} is there twice");
        })?;
    }
    assert_eq!(store.figures().items, all.len(), "figures and iteration agree");
    Ok(all)
}

/// Runs an operation. To [`Operation::run`], an item that cannot be erased for want of room is an error; parts as small as
/// these may have burnt their room in power cuts, and the store may say so.
pub fn run_operation<M: NeverPends>(
    operation: &Operation,
    store: &mut Store<M, Memory>,
    source: &mut ChaCha20Rng,
) -> Outcome {
    let Operation::EraseItem { class: number, key } = operation else {
        return operation.run(store, source);
    };
    match store.erase_item(class(*number), &name(*key), source) {
        Ok(()) => Outcome::Done,
        Err(EraseError::Full) => Outcome::Refused,
        Err(EraseError::Flash(_) | EraseError::Unkept) => Outcome::Cut,
        Err(error) => panic!("{operation:?}: {error}"),
    }
}

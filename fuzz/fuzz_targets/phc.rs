//! Strings that are to be PHC strings of verifiers.
//!
//! What must hold: no panic; what is taken is the one form of its verifier, which writes the same string again; its cost is within
//! bounds, and memory that is too little is refused before anything is computed.
#![no_main]

use bydesign::credential::{Block, LONGEST_PHC, Verifier, VerifierError};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = core::str::from_utf8(bytes) else {
        return;
    };
    let Ok(verifier) = Verifier::from_phc(text) else {
        return;
    };
    let mut out = [0; LONGEST_PHC];
    assert_eq!(verifier.write_phc(&mut out).expect("what was read fits"), text);
    let cost = verifier.cost();
    assert!(cost.memory_kib() >= 8 * cost.lanes() && cost.passes() <= 255 && cost.lanes() <= 16);
    let mut few = [Block::new(); 7];
    let refused = verifier.ready(&mut few).err();
    assert_eq!(refused, Some(VerifierError::Memory(cost.memory_kib())));
});

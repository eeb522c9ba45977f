//! Erasures, as `tests/erase/main.rs`, without what asks for the async face.

#[path = "../erase/cuts.rs"]
mod cuts;
#[path = "../support/erasure.rs"]
mod erasure;
#[path = "../../examples/lifecycle/forensics.rs"]
mod forensics;
#[path = "../erase/histories.rs"]
mod histories;
#[path = "../erase/scopes.rs"]
mod scopes;
#[path = "../support/mod.rs"]
mod support;

//! What `.ci/run` has time for: the store against its model, with its power cuts, and each operation once.

#[path = "../../examples/lifecycle/forensics.rs"]
mod forensics;
#[path = "../store/model.rs"]
mod model;
#[path = "../store/operations.rs"]
mod operations;
#[path = "../support/mod.rs"]
mod support;
#[path = "../store/transactions.rs"]
mod transactions;

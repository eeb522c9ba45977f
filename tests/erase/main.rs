//! Erasures, from one item to the whole device, and their receipts. One program, so that the code under test is compiled once.

#[path = "../support/drivers.rs"]
mod drivers;
#[path = "../support/erasure.rs"]
mod erasure;
#[path = "../../examples/lifecycle/forensics.rs"]
mod forensics;
#[path = "../support/mod.rs"]
mod support;

mod cuts;
mod faults;
mod histories;
mod receipt;
mod scopes;

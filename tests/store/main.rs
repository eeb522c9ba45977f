//! The sealed store, from outside: what it keeps, and what power cuts, faults and attackers do to it. One program, so that the store is compiled once.

#[path = "../support/drivers.rs"]
mod drivers;
#[path = "../../examples/lifecycle/forensics.rs"]
mod forensics;
#[path = "../support/mod.rs"]
mod support;

mod anchored;
mod attacks;
mod attacks_on_commits;
mod boot_loops;
mod cancelled;
mod checkpoints;
mod fresh_images;
mod inspect;
mod key_changes;
mod large_pages;
mod left_out;
mod mixed_faults;
mod model;
mod no_overwriting;
mod nonces;
mod operations;
mod power_cut;
mod residue;
mod root_key;
mod salvage;
mod schema;
mod sharing;
mod tamper;
mod tear_models;
mod threads;
mod transactions;
mod turned_pages;
mod unsteady;
mod upkeep;
mod vectors;

//! The store, as `tests/store/main.rs`, without what asks for the async face.

#[path = "../store/anchored.rs"]
mod anchored;
#[path = "../store/attacks.rs"]
mod attacks;
#[path = "../store/boot_loops.rs"]
mod boot_loops;
#[path = "../store/checkpoints.rs"]
mod checkpoints;
#[path = "../../examples/lifecycle/forensics.rs"]
mod forensics;
#[path = "../store/fresh_images.rs"]
mod fresh_images;
#[path = "../store/large_pages.rs"]
mod large_pages;
#[path = "../store/model.rs"]
mod model;
#[path = "../store/no_overwriting.rs"]
mod no_overwriting;
#[path = "../store/operations.rs"]
mod operations;
#[path = "../store/power_cut.rs"]
mod power_cut;
#[path = "../store/residue.rs"]
mod residue;
#[path = "../store/root_key.rs"]
mod root_key;
#[path = "../store/schema.rs"]
mod schema;
#[path = "../support/mod.rs"]
mod support;
#[path = "../store/tear_models.rs"]
mod tear_models;
#[path = "../store/transactions.rs"]
mod transactions;
#[path = "../store/upkeep.rs"]
mod upkeep;

//! The factory: a batch from order to files, killed and resumed, read back as devices, stations and recipients would.
//!
//! ```text
//!  cargo test --test factory
//!  BYDESIGN_DEVICES=10000 cargo test --release --test factory -- --nocapture a_batch      the long one
//! ```

#![allow(clippy::cast_possible_truncation)] // sizes and test data made here

mod batch;
mod first_boot;
mod killed;
mod support;
mod throughput;

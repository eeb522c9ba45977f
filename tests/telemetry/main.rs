//! Telemetry: what is declared is what leaves, whatever power, users, clocks and firmware do.
// Figures of simulations.
#![allow(
    clippy::cast_lossless,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::float_cmp,
    clippy::similar_names,
    clippy::type_complexity
)]

#[path = "../../examples/lifecycle/forensics.rs"]
mod forensics;
#[path = "../support/mod.rs"]
mod support;
#[allow(dead_code, unreachable_pub)]
#[path = "../../examples/thermostat/declaration.rs"]
mod thermostat;

mod again;
mod anomaly;
mod attacks;
mod budget;
mod camera;
mod consent;
mod decoding;
mod dictionary;
mod epochs;
mod preview;
mod queue;
mod residue;
mod sizes;
mod toy;
mod treatments;
mod year;

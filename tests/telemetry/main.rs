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

#[allow(dead_code, unreachable_pub)]
#[path = "../../examples/camera/declaration.rs"]
mod cameras;
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
mod bounds;
mod budget;
mod camera;
mod collecting;
mod consent;
mod decoding;
mod dictionary;
mod epochs;
mod mallory;
mod names;
mod preview;
mod queue;
mod residue;
mod sizes;
mod toy;
mod treatments;
mod untreated;
mod year;

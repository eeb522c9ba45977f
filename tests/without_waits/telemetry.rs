//! Consents, budgets and the queue, as `tests/telemetry/main.rs`.

#[path = "../telemetry/budget.rs"]
mod budget;
#[path = "../telemetry/consent.rs"]
mod consent;
#[path = "../telemetry/epochs.rs"]
mod epochs;
#[path = "../../examples/lifecycle/forensics.rs"]
mod forensics;
#[path = "../telemetry/preview.rs"]
mod preview;
#[path = "../telemetry/queue.rs"]
mod queue;
#[path = "../telemetry/residue.rs"]
mod residue;
#[path = "../support/mod.rs"]
mod support;
#[allow(dead_code)]
#[path = "../../examples/thermostat/declaration.rs"]
mod thermostat;
#[path = "../telemetry/toy.rs"]
mod toy;

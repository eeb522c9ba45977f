//! Telemetry that gives away less: what leaves the device is declared and treated first.
//!
//! ```text
//!  collect   sums and estimates, on the host, feature `collector`
//!  noise     randomised answers with an exact epsilon
//! ```

#[cfg(feature = "collector")]
pub mod collect;
pub mod noise;

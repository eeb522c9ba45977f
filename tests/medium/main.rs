//! The media that come with the crate: the simulator against parts and a foreign driver, and the file.

#[path = "../support/mod.rs"]
mod support;

#[cfg(target_os = "linux")]
mod device;
mod file;
mod simulator;

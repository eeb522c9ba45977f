//! Secure-by-design primitives for connected devices.
#![no_std]
#![forbid(unsafe_code)]

#[cfg(any(test, feature = "std"))]
extern crate std;

pub mod crypto;
pub mod flash;
pub mod secret;
pub mod store;

//! Bare metal under the crate: drivers for NOR flash, two emulated boards, and the device side of the example lifecycle.
//!
//! ```text
//!  lifecycle (image)              what a device does, and its journal on the serial line
//!  orders                         what the host wants of this boot
//!  board    ast1030 · virt        start, serial line, end
//!  part     spi_nor · cfi_nor     commands of flash chips as embedded-storage drivers;   partition
//! ```
//!
//! The drivers are written as a product's would be, and know nothing of the emulator; the boards are.
#![no_std]

pub mod board;
pub mod orders;
pub mod part;

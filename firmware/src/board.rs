//! The board that the target is for.
//!
//! ```text
//!  lifecycle
//!  board     (this file)
//!    ast1030   QEMU ast1030-evb: Cortex-M4, serial NOR on its controller
//!    virt      QEMU virt: RISC-V 32, parallel NOR in its memory
//!  moments     a chip whose power goes at a chosen moment
//!  part
//! ```
//!
//! Each has `Chip`, `Medium` (what the chip is to the store), `chip`, `orders`, `cut_after`, `Serial` and `rest`.

#[cfg(target_arch = "arm")]
mod ast1030;
#[cfg(target_arch = "riscv32")]
mod moments;
#[cfg(target_arch = "riscv32")]
mod virt;

#[cfg(target_arch = "arm")]
pub use ast1030::*;
#[cfg(target_arch = "riscv32")]
pub use virt::*;

//! The audit against vendors' mistakes, made anew, and against honest batches.
//!
//! ```text
//!  main     (this file)
//!  mistakes      each class of mistake, caught under the right prohibition
//!  honest        what is random passes
//!  input         what is no batch is refused with its place
//!  make          batches from a printed seed; the vendors' algorithms in code that the audit does not share
//! ```

// Small numbers become other small numbers here, and text is made where it is read.
#![allow(
    clippy::cast_possible_truncation,
    clippy::format_collect,
    clippy::format_push_string,
    clippy::too_many_lines,
    clippy::type_complexity
)]

mod honest;
mod input;
mod make;
mod mistakes;

//! The audit against vendors' mistakes, made anew, and against honest batches.
//!
//! ```text
//!  main     (this file)
//!  mistakes      each class of mistake, caught under the right prohibition
//!  honest        what is random passes
//!  input         what is no batch is refused with its place
//!  make          batches from a printed seed; the vendors' algorithms in code that the audit does not share
//! ```

mod honest;
mod input;
mod make;
mod mistakes;

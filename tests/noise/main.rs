//! Randomised treatments: every draw of the implemented tables is accounted for, and no output tells two values apart by more than epsilon.
//! The collector: sums that merge in any order, estimates without bias, intervals that hold.

// Small numbers of categories and steps, and shares that 53 bits are enough for.
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss
)]

mod ends;
mod enumerated;
mod estimates;
mod exact;
mod given;
mod hostile;
mod ideal;
mod privacy;
mod source;
mod sums;

//! Randomised treatments: every draw of the implemented tables is accounted for, and no output tells two values apart by more than epsilon.

mod ends;
mod enumerated;
mod exact;
mod given;
mod ideal;
mod privacy;
mod source;

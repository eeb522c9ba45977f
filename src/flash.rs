//! The medium: what the flash part can do, said in a type.
//!
//! The integrator wraps the part's `embedded-storage` driver in what the part *is*: [`Overwritable`] when a programmed
//! word may be programmed again (bits only ever go from one to zero), [`WriteOnce`] when it may not (most internal
//! flash with error-correcting codes). The store chooses from it how a removed record disappears; see
//! [`Medium::KIND`].
//!
//! ```text
//!  store
//!  flash     (this file)  Medium = Overwritable | WriteOnce, over any NorFlash driver, blocking or async
//!  driver    yours        embedded-storage / embedded-storage-async
//! ```
//!
//! Two drivers are here, both for hosts: `file` (feature `std`), and `simulator`, which cuts the power (feature `test-util`).

mod blocking;
mod faces;
#[cfg(feature = "std")]
pub mod file;
#[cfg(feature = "factory")]
pub(crate) mod image;
mod medium;
mod now;
// Test support on a host: an index out of bounds is a bug of the simulator, and may show as one.
#[allow(clippy::indexing_slicing)]
#[cfg(feature = "test-util")]
pub mod simulator;

pub use blocking::Blocking;
pub(crate) use faces::{AtOnce, foreign, ours, two_faces};
pub(crate) use medium::Routine;
pub use medium::{Medium, MediumKind, NeverPends, Overwritable, WriteOnce};
pub(crate) use now::Now;

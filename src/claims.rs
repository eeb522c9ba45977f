//! What is compiled into this program, and no more: the `CLAIMS` of each primitive, collected under the same features.
//!
//! ```
//! for of in bydesign::claims::compiled_in() {
//!     for claim in of.claims {
//!         println!("{}: EN 303 645 {} by {:?}", of.primitive, claim.provision, claim.requirements);
//!     }
//! }
//! ```
//!
//! ```text
//!  claims   (this file)
//!  store · erase · credential · telemetry · secret · flash      CLAIMS beside each
//!  guideline
//! ```
// Made by `cargo xtask mapping --write` from compliance/catalogue.toml and compliance/requirements.md: do not edit.

use crate::guideline::Claims;

/// The claims of each primitive that is compiled in.
#[must_use]
#[rustfmt::skip]
pub const fn compiled_in() -> &'static [Claims] {
    &[
        crate::secret::CLAIMS,
        crate::store::CLAIMS,
        crate::erase::CLAIMS,
        crate::credential::CLAIMS,
        #[cfg(feature = "factory")]
        crate::credential::factory::CLAIMS,
        #[cfg(feature = "factory")]
        crate::credential::audit::CLAIMS,
        crate::telemetry::CLAIMS,
        #[cfg(feature = "collector")]
        crate::telemetry::collect::CLAIMS,
        crate::paper::CLAIMS,
        #[cfg(feature = "std")]
        crate::flash::file::CLAIMS,
        #[cfg(feature = "lab")]
        crate::store::inspect::CLAIMS,
    ]
}

//! What [`secret`](crate::secret) claims.
// Made by `cargo xtask mapping --write` from compliance/catalogue.toml and compliance/requirements.md: do not edit.

use crate::guideline::{Claim, Claims, Relation};

/// Secrets and root keys: the provisions of EN 303 645 V3.1.3 that it serves, and by which requirements.
///
/// | provision | asks for | how far the library goes | by |
/// | --- | --- | --- | --- |
/// | 5.4-1 | Sensitive security parameters in persistent storage are stored securely: critical ones against modification and disclosure, public ones against modification. | implements | SECRET-2, SECRET-3, SECRET-4 |
/// | 5.4-3 | No hard-coded critical security parameters in source. | supports | SECRET-1 |
/// | 5.4-4 | Critical parameters for update integrity or service communication are unique per device and generated to resist class attacks. | supports | SECRET-1 |
///
/// What the words mean is said at [`Relation`], and who completes each provision at [`PROVISIONS`](crate::guideline::PROVISIONS).
#[rustfmt::skip]
pub const CLAIMS: Claims = Claims::new("secret", &[
    Claim::new("5.4-1", Relation::Implements, &["SECRET-2", "SECRET-3", "SECRET-4"]),
    Claim::new("5.4-3", Relation::Supports, &["SECRET-1"]),
    Claim::new("5.4-4", Relation::Supports, &["SECRET-1"]),
]);

//! What [`store::inspect`](crate::store::inspect) claims.
// Made by `cargo xtask mapping --write` from compliance/catalogue.toml and compliance/requirements.md: do not edit.

use crate::guideline::{Claim, Claims, Relation};

/// Looking into images: the provisions of EN 303 645 V3.1.3 that it serves, and by which requirements.
///
/// | provision | asks for | how far the library goes | by |
/// | --- | --- | --- | --- |
/// | 5.4-1 | Sensitive security parameters in persistent storage are stored securely: critical ones against modification and disclosure, public ones against modification. | implements | LAB-1 |
/// | 5.11-1 | User can simply erase all user data from the device; erase means recovery made infeasible, stronger than delete. | supports | LAB-1 |
///
/// What the words mean is said at [`Relation`], and who completes each provision at [`PROVISIONS`](crate::guideline::PROVISIONS).
#[rustfmt::skip]
pub const CLAIMS: Claims = Claims::new("lab", &[
    Claim::new("5.4-1", Relation::Implements, &["LAB-1"]),
    Claim::new("5.11-1", Relation::Supports, &["LAB-1"]),
]);

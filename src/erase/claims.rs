//! What [`erase`](crate::erase) claims.
// Made by `cargo xtask mapping --write` from compliance/catalogue.toml and compliance/requirements.md: do not edit.

use crate::guideline::{Claim, Claims, Relation};

/// Erasure that can be shown: the provisions of EN 303 645 V3.1.3 that it serves, and by which requirements.
///
/// | provision | asks for | how far the library goes | by |
/// | --- | --- | --- | --- |
/// | 5.5-8 | Secure management processes cover critical parameters over their whole lifecycle. | supports | ERASE-5 |
/// | 5.11-1 | User can simply erase all user data from the device; erase means recovery made infeasible, stronger than delete. | supports | ERASE-1, ERASE-2, ERASE-3, ERASE-4, ERASE-5, ERASE-9, ERASE-10, ERASE-11 |
/// | 5.11-2 | On-device functionality to delete personal data from associated services. | supports | ERASE-3 |
/// | 5.11-3 | Clear instructions for deleting and, where possible, erasing personal data. | documents | ERASE-10 |
/// | 5.11-4 | Clear confirmation that data was deleted and, where possible, erased. | supports | ERASE-3, ERASE-5, ERASE-6, ERASE-7, ERASE-8 |
///
/// What the words mean is said at [`Relation`], and who completes each provision at [`PROVISIONS`](crate::guideline::PROVISIONS).
#[rustfmt::skip]
pub const CLAIMS: Claims = Claims::new("erase", &[
    Claim::new("5.5-8", Relation::Supports, &["ERASE-5"]),
    Claim::new("5.11-1", Relation::Supports, &["ERASE-1", "ERASE-2", "ERASE-3", "ERASE-4", "ERASE-5", "ERASE-9", "ERASE-10", "ERASE-11"]),
    Claim::new("5.11-2", Relation::Supports, &["ERASE-3"]),
    Claim::new("5.11-3", Relation::Documents, &["ERASE-10"]),
    Claim::new("5.11-4", Relation::Supports, &["ERASE-3", "ERASE-5", "ERASE-6", "ERASE-7", "ERASE-8"]),
]);

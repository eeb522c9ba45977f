//! What [`store`](crate::store) claims.
// Made by `cargo xtask mapping --write` from compliance/catalogue.toml and compliance/requirements.md: do not edit.

use crate::guideline::{Claim, Claims, Relation};

/// Sealed key-value store: the provisions of EN 303 645 V3.1.3 that it serves, and by which requirements.
///
/// | provision | asks for | how far the library goes | by |
/// | --- | --- | --- | --- |
/// | 5.4-1 | Sensitive security parameters in persistent storage are stored securely: critical ones against modification and disclosure, public ones against modification. | implements | STORE-2, STORE-3, STORE-4, STORE-5, STORE-8, STORE-12, STORE-14, STORE-15, STORE-16, STORE-18, STORE-24, STORE-26, STORE-27, STORE-28, STORE-29, STORE-30, STORE-36 |
/// | 5.4-2 | Hard-coded per-device identity used for security resists tampering. | supports | STORE-18 |
/// | 5.5-8 | Secure management processes cover critical parameters over their whole lifecycle. | supports | STORE-26, STORE-27 |
/// | 5.9-1 | Resilience to network and power outages. | supports | STORE-34, STORE-35 |
/// | 5.9-2 | Local operation without network; clean recovery after power loss. | supports | STORE-1, STORE-5, STORE-6, STORE-7, STORE-8, STORE-13, STORE-14, STORE-17, STORE-19, STORE-21, STORE-22, STORE-25, STORE-26, STORE-29, STORE-31, STORE-32, STORE-33, STORE-36 |
/// | 5.11-1 | User can simply erase all user data from the device; erase means recovery made infeasible, stronger than delete. | supports | STORE-6, STORE-7, STORE-9, STORE-10, STORE-11, STORE-12, STORE-20, STORE-22, STORE-23, STORE-35 |
///
/// What the words mean is said at [`Relation`], and who completes each provision at [`PROVISIONS`](crate::guideline::PROVISIONS).
#[rustfmt::skip]
pub const CLAIMS: Claims = Claims::new("store", &[
    Claim::new("5.4-1", Relation::Implements, &["STORE-2", "STORE-3", "STORE-4", "STORE-5", "STORE-8", "STORE-12", "STORE-14", "STORE-15", "STORE-16", "STORE-18", "STORE-24", "STORE-26", "STORE-27", "STORE-28", "STORE-29", "STORE-30", "STORE-36"]),
    Claim::new("5.4-2", Relation::Supports, &["STORE-18"]),
    Claim::new("5.5-8", Relation::Supports, &["STORE-26", "STORE-27"]),
    Claim::new("5.9-1", Relation::Supports, &["STORE-34", "STORE-35"]),
    Claim::new("5.9-2", Relation::Supports, &["STORE-1", "STORE-5", "STORE-6", "STORE-7", "STORE-8", "STORE-13", "STORE-14", "STORE-17", "STORE-19", "STORE-21", "STORE-22", "STORE-25", "STORE-26", "STORE-29", "STORE-31", "STORE-32", "STORE-33", "STORE-36"]),
    Claim::new("5.11-1", Relation::Supports, &["STORE-6", "STORE-7", "STORE-9", "STORE-10", "STORE-11", "STORE-12", "STORE-20", "STORE-22", "STORE-23", "STORE-35"]),
]);

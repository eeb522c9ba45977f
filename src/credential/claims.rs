//! What [`credential`](crate::credential) claims.
// Made by `cargo xtask mapping --write` from compliance/catalogue.toml and compliance/requirements.md: do not edit.

use crate::guideline::{Claim, Claims, Relation};

/// Credentials on the device: the provisions of EN 303 645 V3.1.3 that it serves, and by which requirements.
///
/// | provision | asks for | how far the library goes | by |
/// | --- | --- | --- | --- |
/// | 5.1-1 | Outside factory default, passwords for users or machine-to-machine are unique per device or user-defined. | supports | CRED-7, CRED-8, CRED-9, CRED-10 |
/// | 5.1-3 | User and machine-to-machine authentication uses best-practice cryptography suited to technology, environment, risk and use. | supports | CRED-1, CRED-2 |
/// | 5.1-4 | Simple mechanism for user or administrator to change the authentication value. | supports | CRED-12 |
/// | 5.1-5 | Mechanism that makes successful brute force over network interfaces impracticable unless the use case dictates a resource limit. | implements | CRED-3, CRED-4, CRED-5, CRED-6, CRED-10, CRED-11 |
/// | 5.4-1 | Sensitive security parameters in persistent storage are stored securely: critical ones against modification and disclosure, public ones against modification. | implements | CRED-1, CRED-33 |
/// | 5.4-3 | No hard-coded critical security parameters in source. | supports | CRED-9 |
/// | 5.4-4 | Critical parameters for update integrity or service communication are unique per device and generated to resist class attacks. | supports | CRED-33 |
/// | 5.5-8 | Secure management processes cover critical parameters over their whole lifecycle. | supports | CRED-33 |
/// | 5.13-1A | Application-layer input via user interfaces is validated by the device. | supports | CRED-8 |
///
/// What the words mean is said at [`Relation`], and who completes each provision at [`PROVISIONS`](crate::guideline::PROVISIONS).
#[rustfmt::skip]
pub const CLAIMS: Claims = Claims::new("credential", &[
    Claim::new("5.1-1", Relation::Supports, &["CRED-7", "CRED-8", "CRED-9", "CRED-10"]),
    Claim::new("5.1-3", Relation::Supports, &["CRED-1", "CRED-2"]),
    Claim::new("5.1-4", Relation::Supports, &["CRED-12"]),
    Claim::new("5.1-5", Relation::Implements, &["CRED-3", "CRED-4", "CRED-5", "CRED-6", "CRED-10", "CRED-11"]),
    Claim::new("5.4-1", Relation::Implements, &["CRED-1", "CRED-33"]),
    Claim::new("5.4-3", Relation::Supports, &["CRED-9"]),
    Claim::new("5.4-4", Relation::Supports, &["CRED-33"]),
    Claim::new("5.5-8", Relation::Supports, &["CRED-33"]),
    Claim::new("5.13-1A", Relation::Supports, &["CRED-8"]),
]);

//! What [`telemetry`](crate::telemetry) claims.
// Made by `cargo xtask mapping --write` from compliance/catalogue.toml and compliance/requirements.md: do not edit.

use crate::guideline::{Claim, Claims, Relation};

/// Telemetry that gives away less: the provisions of EN 303 645 V3.1.3 that it serves, and by which requirements.
///
/// | provision | asks for | how far the library goes | by |
/// | --- | --- | --- | --- |
/// | 5.10-1 | Telemetry is examined for security anomalies. | supports | TELE-16 |
/// | 5.13-1B | Application-layer input via network interfaces is validated by the device. | supports | TELE-9 |
/// | 6-1 | Information on which personal data is processed, why, by whom and for how long. | documents | TELE-10 |
/// | 6-2 | Device offers a means to obtain consent validly. | supports | TELE-3, TELE-5 |
/// | 6-3A | Device offers a means to withdraw consent at any time. | supports | TELE-7 |
/// | 6-3B | Device offers a means to store information about consent (e.g. timestamp and purpose). | supports | TELE-5, TELE-15 |
/// | 6-4 | Personal data processing in telemetry limited to what the functions declared under 6-5 need; anonymise where possible. | supports | TELE-1, TELE-2, TELE-13, TELE-14 |
/// | 6-5 | Consumers told what telemetry is collected, how, by whom and why. | documents | TELE-2, TELE-10 |
/// | 6-6 | Stored, processed or transmitted data limited to what the stated purposes need and deleted when no longer needed. | supports | TELE-1, TELE-7, TELE-8, TELE-13 |
/// | 6-8 | Use anonymisation technology in collection, processing and storage (local protective noise is an example). | supports | TELE-4, TELE-6, TELE-11, TELE-30, TELE-31, TELE-32, TELE-33, TELE-34 |
///
/// What the words mean is said at [`Relation`], and who completes each provision at [`PROVISIONS`](crate::guideline::PROVISIONS).
#[rustfmt::skip]
pub const CLAIMS: Claims = Claims::new("telemetry", &[
    Claim::new("5.10-1", Relation::Supports, &["TELE-16"]),
    Claim::new("5.13-1B", Relation::Supports, &["TELE-9"]),
    Claim::new("6-1", Relation::Documents, &["TELE-10"]),
    Claim::new("6-2", Relation::Supports, &["TELE-3", "TELE-5"]),
    Claim::new("6-3A", Relation::Supports, &["TELE-7"]),
    Claim::new("6-3B", Relation::Supports, &["TELE-5", "TELE-15"]),
    Claim::new("6-4", Relation::Supports, &["TELE-1", "TELE-2", "TELE-13", "TELE-14"]),
    Claim::new("6-5", Relation::Documents, &["TELE-2", "TELE-10"]),
    Claim::new("6-6", Relation::Supports, &["TELE-1", "TELE-7", "TELE-8", "TELE-13"]),
    Claim::new("6-8", Relation::Supports, &["TELE-4", "TELE-6", "TELE-11", "TELE-30", "TELE-31", "TELE-32", "TELE-33", "TELE-34"]),
]);

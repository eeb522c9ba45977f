//! What [`telemetry::collect`](crate::telemetry::collect) claims.
// Made by `cargo xtask mapping --write` from compliance/catalogue.toml and compliance/requirements.md: do not edit.

use crate::guideline::{Claim, Claims, Relation};

/// The collector's side of telemetry: the provisions of EN 303 645 V3.1.3 that it serves, and by which requirements.
///
/// | provision | asks for | how far the library goes | by |
/// | --- | --- | --- | --- |
/// | 5.13-1B | Application-layer input via network interfaces is validated by the device. | supports | TELE-37 |
/// | 6-1 | Information on which personal data is processed, why, by whom and for how long. | documents | TELE-12 |
/// | 6-5 | Consumers told what telemetry is collected, how, by whom and why. | documents | TELE-12 |
/// | 6-7 | Data collected only for an aggregate: collect the minimum, aggregate early, minimise retention of inputs and result. | supports | TELE-35, TELE-36, TELE-38 |
/// | 6-8 | Use anonymisation technology in collection, processing and storage (local protective noise is an example). | supports | TELE-39 |
///
/// What the words mean is said at [`Relation`], and who completes each provision at [`PROVISIONS`](crate::guideline::PROVISIONS).
#[rustfmt::skip]
pub const CLAIMS: Claims = Claims::new("collector", &[
    Claim::new("5.13-1B", Relation::Supports, &["TELE-37"]),
    Claim::new("6-1", Relation::Documents, &["TELE-12"]),
    Claim::new("6-5", Relation::Documents, &["TELE-12"]),
    Claim::new("6-7", Relation::Supports, &["TELE-35", "TELE-36", "TELE-38"]),
    Claim::new("6-8", Relation::Supports, &["TELE-39"]),
]);

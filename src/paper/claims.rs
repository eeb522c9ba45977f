//! What [`paper`](crate::paper) claims.
// Made by `cargo xtask mapping --write` from compliance/catalogue.toml and compliance/requirements.md: do not edit.

use crate::guideline::{Claim, Claims, Relation};

/// What a manufacturer publishes: the provisions of EN 303 645 V3.1.3 that it serves, and by which requirements.
///
/// | provision | asks for | how far the library goes | by |
/// | --- | --- | --- | --- |
/// | 5.2-1 | Public vulnerability disclosure policy with contact and timelines for acknowledgement and status updates. | supports | PAPER-1, PAPER-2, PAPER-3 |
/// | 5.3-13 | Defined support period published accessibly. | supports | PAPER-4, PAPER-5 |
/// | 5.6-1 | Unused network interfaces, and unused logical interfaces reachable over them, are disabled. | supports | PAPER-6, PAPER-7, PAPER-8 |
/// | 5.6-4A | Debug interfaces disabled, or protected by best-practice authentication/access control. | supports | PAPER-8 |
/// | 5.6-5 | Only needed software services enabled. | supports | PAPER-6, PAPER-7 |
///
/// What the words mean is said at [`Relation`], and who completes each provision at [`PROVISIONS`](crate::guideline::PROVISIONS).
#[rustfmt::skip]
pub const CLAIMS: Claims = Claims::new("paper", &[
    Claim::new("5.2-1", Relation::Supports, &["PAPER-1", "PAPER-2", "PAPER-3"]),
    Claim::new("5.3-13", Relation::Supports, &["PAPER-4", "PAPER-5"]),
    Claim::new("5.6-1", Relation::Supports, &["PAPER-6", "PAPER-7", "PAPER-8"]),
    Claim::new("5.6-4A", Relation::Supports, &["PAPER-8"]),
    Claim::new("5.6-5", Relation::Supports, &["PAPER-6", "PAPER-7"]),
]);

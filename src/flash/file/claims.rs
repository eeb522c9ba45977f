//! What [`flash::file`](crate::flash::file) claims.
// Made by `cargo xtask mapping --write` from compliance/catalogue.toml and compliance/requirements.md: do not edit.

use crate::guideline::{Claim, Claims, Relation};

/// A file as the flash: the provisions of EN 303 645 V3.1.3 that it serves, and by which requirements.
///
/// | provision | asks for | how far the library goes | by |
/// | --- | --- | --- | --- |
/// | 5.9-2 | Local operation without network; clean recovery after power loss. | supports | FILE-1, FILE-2, FILE-3, FILE-4, FILE-5, FILE-6, FILE-7, FILE-8 |
///
/// What the words mean is said at [`Relation`], and who completes each provision at [`PROVISIONS`](crate::guideline::PROVISIONS).
#[rustfmt::skip]
pub const CLAIMS: Claims = Claims::new("file", &[
    Claim::new("5.9-2", Relation::Supports, &["FILE-1", "FILE-2", "FILE-3", "FILE-4", "FILE-5", "FILE-6", "FILE-7", "FILE-8"]),
]);

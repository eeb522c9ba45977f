//! The factory: an order and a profile in; an image, a label, a row of the registry and a sealed row of the manifest out, for each device.
//!
//! One value, [`Issued`], holds what a device is given. Its label, QR code, verifiers, image and rows are made of that value and of nothing
//! else, so they cannot disagree; [`verify_label`] looks whether they still do at the end of the line, when the label is on the device.
//!
//! ```no_run
//! use std::path::Path;
//! use bydesign::credential::factory::{Batch, Profile};
//!
//! let profile = Profile::read(Path::new("lamp.toml"))?;
//! let report = Batch::new(profile, Path::new("order.csv"), Path::new("out")).run(&mut |_| {})?;
//! println!("{} devices", report.devices);
//! # Ok::<(), bydesign::credential::factory::BatchError>(())
//! ```
//!
//! The files that come out are described in `docs/provisioning.md`.
//!
//! ```text
//!  factory  (this file)
//!    batch        a directory of files: threads, journal, resuming         journal · output
//!    verify       a printed label against an image
//!    image · label · registry · manifest     what comes out of one device    sheet · qr
//!    issue        one value for a device                                    certificate
//!    profile · order · derive · source       what goes in                   place
//!  code · offline · matter · wifi · items
//!  store · flash::image · crypto::factory
//! ```
//!
//! # Security
//!
//! Labels carry codes in clear: that is what they are for. Root keys leave only sealed, in the manifest. Neither the registry, the report, the
//! journal nor what is printed holds a secret, nor anything from which one follows: no verifier, no salt, no fast hash of a code. Images hold
//! verifiers and the identity, sealed under the device's root key. Serves CoP 1, 4 and 5; [`CLAIMS`] has the provisions of EN 303 645.

mod batch;
mod certificate;
mod claims;
mod derive;
mod image;
mod issue;
mod journal;
mod label;
mod manifest;
mod order;
mod output;
mod place;
mod profile;
mod qr;
mod registry;
mod report;
mod sheet;
mod source;
mod verify;

pub use batch::{Batch, BatchError, Progress};
pub use certificate::{Issuer, IssuerError, subject_public_key_info};
pub use claims::CLAIMS;
pub use derive::BatchKey;
pub use issue::{IssueError, Issued};
pub use label::Label;
pub use manifest::{Manifest, ManifestError, open_row};
pub use order::{Mac, Order, Row};
pub use place::{BadInput, Column};
pub use profile::{Flow, Profile};
pub use report::Report;
pub use source::{Generator, SourceError, Sources};
pub use verify::{Mismatch, is_not_for_sale, verify_label};

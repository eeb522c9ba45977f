//! Secure-by-design primitives for connected devices.
//!
//! For firmware engineers who have to keep secrets and personal data on a part of flash, survive power cuts, and make
//! "delete my data" true; and for the reviewers who have to believe it. Each primitive names the guideline of the UK Code of
//! Practice for Consumer IoT Security (2018) and the provision of ETSI EN 303 645 that it serves.
//!
//! What it is not: no secure element, no protection against somebody who runs code on the device or measures its power
//! consumption, no certificate of conformity. The root key has to come from the hardware.
//!
//! # Where to begin
//!
//! * [`store`]: the sealed key-value store. Its first page has an example that runs on a PC.
//! * [`erase`]: from one item to the whole device, planned, resumed after a power cut, with a receipt.
//! * [`telemetry`]: what is not declared and treated cannot leave; consent, privacy budget, queue.
//! * [`credential`]: no default passwords; a limiter that counts every guess before it is checked, across power cuts.
//! * [`paper`]: what a manufacturer has to publish: `security.txt`, a support period with an end, what of the device is open.
//! * [`secret`]: secrets that wipe themselves, and the root key that refuses to be weak.
//! * [`flash`]: what the part is, [`Overwritable`](flash::Overwritable) or [`WriteOnce`](flash::WriteOnce); with feature
//!   `std` also a file in its place, and with `test-util` a simulator that cuts the power and misbehaves, for your own tests.
//!
//! # Features
//!
//! * `test-util`: [`flash`]'s simulator and the nonce ledger; needs the standard library.
//! * `qr`: receipts of erasures as QR codes; needs no standard library.
//! * `std`: a file as the flash, for embedded Linux and for tests on a PC.
//! * `collector`: the collector's side of [`telemetry`]; needs the standard library.
//! * `lab`: what an image of flash holds, page by page, for laboratories; needs the standard library.
//! * `factory`: batches of devices with credentials of their own, and audits of any vendor's; needs the standard library.
//!
//! Features add and never weaken. Without `std` and `test-util` the crate needs neither `std` nor an allocator.
//!
//! # Guidelines
//!
//! | guideline | provision | served by |
//! | --- | --- | --- |
//! | 1 no default passwords | 5.1-1, 5.1-5 | [`credential::Device`], [`credential::limiter`] |
//! | 2 vulnerability disclosure | 5.2-1 | [`paper::security_txt`] |
//! | 3 keep software updated | 5.3-13 | [`paper::SupportPeriod`] |
//! | 4 securely store credentials | 5.4-1 | [`store::Store`], [`secret::Secret`] |
//! | 4 | 5.4-3, 5.4-4 | [`secret::RootKey`] |
//! | 6 attack surface | 5.6-1, 5.6-4A, 5.6-5 | [`paper::Surface`] |
//! | 8 personal data | 5.8 | [`store::Class::User`]: personal data apart, one key for each user |
//! | 9 resilience | 5.9-2 | [`store::Store::mount`] |
//! | 8, 10 telemetry | 5.10-1, 6-1 to 6-8 | [`telemetry::Gate`], [`report!`], [`telemetry::signals`] |
//! | 11 easy deletion | 5.11-1, 5.11-2, 5.11-4 | [`erase::Eraser`], [`store::Store::erase`], [`store::Store::erase_item`] |
//!
//! # Layers
//!
//! ```text
//!  credential  identity, verifiers, attempt limiter, first boot
//!  erase     erasures of several steps, with a receipt        telemetry   reports by declaration, behind one gate
//!  store     sealed key-value store
//!  crypto    the only place that imports cipher and hash crates      flash    the medium
//!  secret    secrets of a fixed size      stack    wiped behind calls      paper    what is published (imports nothing)
//! ```
//!
//! Arrows run one way, downwards; a test holds them to it.
#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    warn(
        clippy::indexing_slicing,
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::unreachable,
        clippy::todo,
        clippy::get_unwrap,
        clippy::string_slice
    )
)]

#[cfg(any(test, feature = "std"))]
extern crate std;

pub mod claims;
pub mod credential;
pub mod crypto;
pub mod erase;
pub mod flash;
pub mod guideline;
pub mod paper;
pub mod secret;
mod stack;
pub mod store;
pub mod telemetry;

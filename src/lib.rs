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
//! <!-- guidelines: begin -->
//! | guideline | provisions of EN 303 645 | served by |
//! | --- | --- | --- |
//! | 1 No default passwords | implements 5.1-2, 5.1-5; supports 5.1-1, 5.1-3, 5.1-4 | [`credential`](mod@credential) ([claims](credential::CLAIMS)), `credential::factory` (feature `factory`), `credential::audit` (feature `factory`) |
//! | 2 Implement a vulnerability disclosure policy | supports 5.2-1 | [`paper`](mod@paper) ([claims](paper::CLAIMS)) |
//! | 3 Keep software updated | supports 5.3-13 | [`paper`](mod@paper) ([claims](paper::CLAIMS)) |
//! | 4 Securely store credentials and security-sensitive data | implements 5.4-1; supports 5.4-2, 5.4-3, 5.4-4 | [`secret`](mod@secret) ([claims](secret::CLAIMS)), [`store`](mod@store) ([claims](store::CLAIMS)), [`erase`](mod@erase) ([claims](erase::CLAIMS)), [`credential`](mod@credential) ([claims](credential::CLAIMS)), `credential::factory` (feature `factory`), `store::inspect` (feature `lab`) |
//! | 5 Communicate securely | supports 5.5-8; documents 5.5-2 | [`store`](mod@store) ([claims](store::CLAIMS)), [`erase`](mod@erase) ([claims](erase::CLAIMS)), [`credential`](mod@credential) ([claims](credential::CLAIMS)), `credential::factory` (feature `factory`) |
//! | 6 Minimise exposed attack surfaces | supports 5.6-1, 5.6-4A, 5.6-5; documents 5.6-6, 5.6-9 | [`paper`](mod@paper) ([claims](paper::CLAIMS)) |
//! | 7 Ensure software integrity | none of them | [`store`](mod@store) ([claims](store::CLAIMS)) |
//! | 8 Ensure that personal data is protected | supports 6-2, 6-3A, 6-3B, 6-4, 6-6, 6-7, 6-8; documents 6-1, 6-5 | [`store`](mod@store) ([claims](store::CLAIMS)), [`erase`](mod@erase) ([claims](erase::CLAIMS)), [`telemetry`](mod@telemetry) ([claims](telemetry::CLAIMS)), `telemetry::collect` (feature `collector`) |
//! | 9 Make systems resilient to outages | supports 5.9-1, 5.9-2 | [`store`](mod@store) ([claims](store::CLAIMS)), `flash::file` (feature `std`) |
//! | 10 Monitor system telemetry data | supports 5.10-1, 6-4, 6-6, 6-7, 6-8; documents 6-5 | [`telemetry`](mod@telemetry) ([claims](telemetry::CLAIMS)), `telemetry::collect` (feature `collector`) |
//! | 11 Make it easy for consumers to delete personal data | supports 5.11-1, 5.11-2, 5.11-4, 6-6; documents 5.11-3 | [`store`](mod@store) ([claims](store::CLAIMS)), [`erase`](mod@erase) ([claims](erase::CLAIMS)), [`telemetry`](mod@telemetry) ([claims](telemetry::CLAIMS)), `store::inspect` (feature `lab`) |
//! | 12 Make installation and maintenance of devices easy | supports 5.12-1 | `credential::factory` (feature `factory`) |
//! | 13 Validate input data | supports 5.13-1A, 5.13-1B | [`credential`](mod@credential) ([claims](credential::CLAIMS)), [`telemetry`](mod@telemetry) ([claims](telemetry::CLAIMS)), `telemetry::collect` (feature `collector`) |
//! <!-- guidelines: end -->
//!
//! [`guideline`] has all of it as data, [`claims`] what is compiled into a program.
//!
//! # Layers
//!
//! ```text
//!  claims    what is compiled in
//!  credential  identity, verifiers, attempt limiter, first boot
//!  erase     erasures of several steps, with a receipt        telemetry   reports by declaration, behind one gate
//!  store     sealed key-value store
//!  crypto    the only place that imports cipher and hash crates      flash    the medium
//!  secret    secrets of a fixed size      stack    wiped behind calls      guideline    data      paper    what is published
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
// What sources name for waits is not used then, and what is right with waits can be said in fewer words without.
#![cfg_attr(
    not(feature = "async"),
    allow(
        clippy::manual_find,
        clippy::needless_pass_by_value,
        clippy::semicolon_if_nothing_returned,
        clippy::unused_self,
        clippy::unused_unit,
        rustdoc::private_intra_doc_links,
        unused_imports
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

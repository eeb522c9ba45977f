//! Credentials of one's own for every device: no default passwords, and proof of it.
//!
//! * [`Device`]: first boot as types; an owner's password before anything else.
//! * [`limiter`]: every guess is on flash before it is checked.
//! * [`Verifier`], [`Cost`]: what is kept of a password or code, and what a guess costs.
//! * [`PasswordPolicy`], [`Blocklist`]: what an owner may choose.
//! * [`CodeWindow`]: codes that the device draws, right once and for a while.
//! * [`items`]: under which names all of it is kept. [`published`]: secrets that everybody knows.
//!
//! Serves CoP 1, 4 and 5; EN 303 645 5.1-1 to 5.1-5, 5.4-2 and 5.4-3; UK PSTI Regulations 2023, Schedule 1, paragraph 1.
//!
//! ```text
//!  credential (this file)
//!    device · owner    how far the device has come
//!    verifier          what is kept of a password or code           limiter    attempts, on flash
//!    policy            what an owner may choose                      window     codes that the device draws
//!    blocklist · folded · phc · cost · published
//!    items             under which names all of it is kept
//!  erase
//!  store
//!  crypto · secret
//! ```

mod blocklist;
mod cost;
mod device;
mod folded;
pub mod items;
pub mod limiter;
mod owner;
mod phc;
mod policy;
pub mod published;
mod verifier;
mod window;

pub use blocklist::Blocklist;
pub use cost::Cost;
pub use device::{Claim, Device, DeviceError, OwnerSet, Provisioned, Stage, Unprovisioned};
pub use phc::{LONGEST_PHC, PhcError};
pub use policy::{Accepted, PasswordPolicy, Refusal};
pub use verifier::{LONGEST_PASSWORD, Ready, SALT_LEN, Verifier, VerifierError};
pub use window::{CodeRefusal, CodeWindow, DrawError};

pub use crate::crypto::password::Block;

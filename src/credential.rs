//! Credentials of one's own for every device: no default passwords, and proof of it.
//!
//! * [`Device`]: first boot as types; an owner's password before anything else.
//! * [`limiter`]: every guess is on flash before it is checked.
//! * [`Verifier`], [`Cost`]: what is kept of a password or code, and what a guess costs.
//! * [`PasswordPolicy`], [`Blocklist`]: what an owner may choose.
//! * [`CodeWindow`]: codes that the device draws, right once and for a while.
//! * [`items`]: under which names all of it is kept. [`published`]: secrets that everybody knows.
//! * [`code`], [`offline`]: two kinds that types keep apart: a pairing code is short and only means something where guesses are counted; an
//!   offline secret may be attacked offline, and has at least 80 bits or is not made. [`matter`], [`wifi`]: how labels carry them.
//! * `factory` (with its feature): orders in; images, labels, registry and sealed manifest out.
//! * [`reseal`](mod@reseal): from a transport key to the device's own, at first boot.
//!
//! Serves CoP 1, 4 and 5; UK PSTI Regulations 2023, Schedule 1, paragraph 1. [`CLAIMS`] names the provisions of EN 303 645, how far each is served and by which requirements.
//!
//! ```text
//!  credential (this file)
//!    factory           orders in; images, labels, registry, sealed manifest out     (feature `factory`)
//!    audit             how any vendor's batch came about                              (feature `factory`)
//!    reseal            from a transport key to the device's own
//!    device · owner    how far the device has come
//!    verifier          what is kept of a password or code           limiter    attempts, on flash
//!    policy            what an owner may choose                      window     codes that the device draws
//!    blocklist · folded · phc · cost · published
//!    items             under which names all of it is kept
//!    code · offline · matter · wifi     what people read, and how labels carry it
//!    verhoeff · text · draw · alphabet · hexadecimal
//!  erase
//!  store
//!  crypto · secret
//! ```

mod blocklist;
mod claims;
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
pub use claims::CLAIMS;
pub use cost::Cost;
pub use device::{Claim, Device, DeviceError, OwnerSet, Provisioned, Stage, Unprovisioned};
pub use phc::{LONGEST_PHC, PhcError};
pub use policy::{Accepted, PasswordPolicy, Refusal};
pub use verifier::{LONGEST_PASSWORD, Ready, SALT_LEN, Verifier, VerifierError};
pub use window::{CodeRefusal, CodeWindow, DrawError};

pub use crate::crypto::password::Block;

// What people read off labels, and the factory.
pub mod alphabet;
#[cfg(feature = "factory")]
pub mod audit;
pub mod code;
mod draw;
#[cfg(feature = "factory")]
pub mod factory;
#[cfg(feature = "factory")]
mod hexadecimal;
pub mod matter;
pub mod offline;
pub mod reseal;
pub mod text;
mod verhoeff;
pub mod wifi;

//! Credentials of one's own for every device: no default passwords, and proof of it.
//!
//! Two kinds that types keep apart: a [`PairingCode`](code::PairingCode) is short and only means something where guesses are counted;
//! an [`OfflineSecret`](offline::OfflineSecret) may be attacked offline, and has at least 80 bits or is not made.
//!
//! ```text
//!  credential (this file)
//!    factory    orders in; images, labels, registry, sealed manifest out          (feature `factory`)
//!    reseal     from a transport key to the device's own, at first boot
//!    items      under which names they are kept
//!    verifier   what is kept of a password or code
//!    phc · cost
//!    code · offline · matter · wifi     the secrets that people read, and how labels carry them
//!    verhoeff · text · draw             check digits, wiped text, uniform draws
//!    alphabet   symbols that people do not mistake for one another
//!  erase
//!  store
//!  crypto · secret
//! ```

mod cost;
pub mod items;
mod phc;
mod verifier;

pub use cost::Cost;
pub use phc::{LONGEST_PHC, PhcError};
pub use verifier::{LONGEST_PASSWORD, SALT_LEN, Verifier, VerifierError};

pub use crate::crypto::password::Block;

// What people read off labels, and the factory.
pub mod alphabet;
pub mod code;
mod draw;
#[cfg(feature = "factory")]
pub mod factory;
pub mod matter;
pub mod offline;
pub mod text;
mod verhoeff;
pub mod wifi;

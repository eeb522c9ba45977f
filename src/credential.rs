//! Credentials of one's own for every device: no default passwords, and proof of it.
//!
//! ```text
//!  credential (this file)
//!    items      under which names they are kept
//!    verifier   what is kept of a password or code
//!    phc · cost
//!  erase
//!  store
//!  crypto · secret
//! ```

mod cost;

pub mod items;
pub mod limiter;
mod phc;
mod verifier;

pub use cost::Cost;
pub use phc::{LONGEST_PHC, PhcError};
pub use verifier::{LONGEST_PASSWORD, Ready, SALT_LEN, Verifier, VerifierError};

pub use crate::crypto::password::Block;

//! Credentials of one's own for every device: no default passwords, and proof of it.
//!
//! ```text
//!  credential (this file)
//!    alphabet   symbols that people do not mistake for one another
//!    audit      how any vendor's batch came about, with feature `factory`
//!    matter     setup codes of the Matter standard
//!  crypto · secret
//! ```

pub mod alphabet;
#[cfg(feature = "factory")]
pub mod audit;
pub mod matter;

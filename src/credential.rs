//! Credentials of one's own for every device: no default passwords, and proof of it.
//!
//! Two kinds that types keep apart: a [`PairingCode`](code::PairingCode) is short and only means something where guesses are counted;
//! an [`OfflineSecret`](offline::OfflineSecret) may be attacked offline, and has at least 80 bits or is not made.
//!
//! ```text
//!  credential (this file)
//!    factory    orders in; images, labels, registry, sealed manifest out          (feature `factory`)
//!    code · offline · matter · wifi     the secrets that people read, and how labels carry them
//!    verhoeff · text · draw             check digits, wiped text, uniform draws
//!    alphabet   symbols that people do not mistake for one another
//!  crypto · secret
//! ```

pub mod alphabet;
pub mod code;
mod draw;
pub mod matter;
pub mod offline;
pub mod text;
mod verhoeff;
pub mod wifi;

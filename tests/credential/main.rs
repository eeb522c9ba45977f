//! Credentials on the device: the limiter under cuts, attacks, glitches and time; verifiers, policy, codes and first boot.
//!
//! ```text
//!  limiter_cuts · limiter_attacks · limiter_time · limiter_wear · limiter_async
//!  phc · password · first_boot
//!  rig    one chip with two partitions: the store's, and the limiter's area
//! ```

mod first_boot;
mod limiter_async;
mod limiter_attacks;
mod limiter_cuts;
mod limiter_time;
mod limiter_wear;
mod password;
mod phc;
mod rig;

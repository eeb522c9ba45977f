//! The limiter and first boot, as `tests/credential/main.rs`, without what asks for the async face.

#[path = "../credential/first_boot.rs"]
mod first_boot;
#[path = "../credential/limiter_attacks.rs"]
mod limiter_attacks;
#[path = "../credential/limiter_cuts.rs"]
mod limiter_cuts;
#[path = "../credential/limiter_time.rs"]
mod limiter_time;
#[path = "../credential/limiter_wear.rs"]
mod limiter_wear;
#[path = "../credential/password.rs"]
mod password;
#[path = "../credential/rig.rs"]
mod rig;

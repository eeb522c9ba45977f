//! Slow checks and campaigns.
fn main() {}

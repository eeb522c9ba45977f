//! Gives the image the memory of its part.

use std::env;

fn main() {
    let folder = env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
    if env::var("TARGET").is_ok_and(|target| target.starts_with("thumb")) {
        println!("cargo::rustc-link-arg-bins=-L{folder}");
        println!("cargo::rustc-link-arg-bins=-Tlink.x");
    }
    println!("cargo::rerun-if-changed=memory.x");
}

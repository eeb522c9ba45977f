//! Gives each image the memory of its board.

use std::env;

const SETS: [&str; 9] = [
    "nothing",
    "cipher",
    "read-only",
    "store",
    "store-all",
    "limiter",
    "password",
    "telemetry",
    "erasure",
];

fn main() {
    // What is measured is never run: no board's memory, nothing folded, so that each symbol is its own.
    for set in SETS {
        println!("cargo::rustc-link-arg-bin=size-{set}=--entry=begin");
        println!("cargo::rustc-link-arg-bin=size-{set}=--icf=none");
    }
    let folder = env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
    match env::var("CARGO_CFG_TARGET_ARCH").as_deref() {
        Ok("arm") => {
            println!("cargo::rustc-link-arg-bin=lifecycle=-L{folder}/boards/ast1030");
            println!("cargo::rustc-link-arg-bin=lifecycle=-Tlink.x");
        }
        Ok("riscv32") => println!("cargo::rustc-link-arg-bin=lifecycle=-T{folder}/boards/virt/link.x"),
        _ => {}
    }
    println!("cargo::rerun-if-changed=boards");
    println!("cargo::rerun-if-changed=build.rs");
}

//! Gives each image the memory of its board.

use std::env;

/// The images whose size is measured.
const SETS: &str = include_str!("src/size/sets.txt");

fn main() {
    // What is measured is never run: no board's memory, nothing folded, so that each symbol is its own.
    for set in SETS.lines() {
        println!("cargo::rustc-link-arg-bin=size-{set}=--entry=begin");
        println!("cargo::rustc-link-arg-bin=size-{set}=--icf=none");
    }
    let folder = env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
    let target = env::var("TARGET").unwrap_or_default();
    if target.starts_with("thumb") {
        let board = if target.starts_with("thumbv8m") {
            "an505"
        } else {
            "mps2"
        };
        for (image, board) in [("lifecycle", "ast1030"), ("measure", board)] {
            println!("cargo::rustc-link-arg-bin={image}=-L{folder}/boards/{board}");
            println!("cargo::rustc-link-arg-bin={image}=-Tlink.x");
        }
    } else if target.starts_with("riscv32") {
        for image in ["lifecycle", "measure"] {
            println!("cargo::rustc-link-arg-bin={image}=-T{folder}/boards/virt/link.x");
        }
    }
    // Which profile of the architecture it is, which the compiler does not say.
    println!("cargo::rustc-check-cfg=cfg(armv8m)");
    if target.starts_with("thumbv8m") {
        println!("cargo::rustc-cfg=armv8m");
    }
    println!("cargo::rerun-if-changed=boards");
    println!("cargo::rerun-if-changed=build.rs");
}

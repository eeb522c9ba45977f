//! Gives each image the memory of its board.

use std::env;

fn main() {
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
}

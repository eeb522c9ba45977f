use bydesign::credential::{Block, Verifier};

fn check(verifier: &Verifier, blocks: &mut [Block]) {
    let _verdict = verifier.ready(blocks).unwrap().check(b"guess");
}

fn main() {}

use bydesign::credential::limiter::Permit;
use bydesign::credential::{Block, Verifier};
use bydesign::flash::NeverPends;

fn check<M: NeverPends>(verifier: &Verifier, blocks: &mut [Block], permit: Permit<'_, M>) {
    for guess in [b"1111", b"2222"] {
        let _verdict = verifier.ready(blocks).unwrap().check(guess, permit);
    }
}

fn main() {}

use bydesign::credential::limiter::{Permit, Proven, Verdict};
use bydesign::flash::NeverPends;

fn proven<M: NeverPends>(verdict: Verdict<Permit<'_, M>>) -> Option<Proven> {
    match verdict {
        Verdict::Right(proven) => Some(proven),
        Verdict::Wrong => None,
    }
}

fn main() {}

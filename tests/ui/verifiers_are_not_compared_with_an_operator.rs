use bydesign::credential::Verifier;

fn same(one: &Verifier, other: &Verifier) -> bool {
    one == other
}

fn main() {}

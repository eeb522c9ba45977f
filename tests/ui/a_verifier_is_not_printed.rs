use bydesign::credential::Verifier;

fn print(verifier: &Verifier) {
    println!("{verifier:?}");
}

fn main() {}

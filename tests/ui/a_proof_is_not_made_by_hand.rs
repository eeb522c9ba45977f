use bydesign::credential::limiter::Proven;

fn main() {
    let _proven = Proven(());
}

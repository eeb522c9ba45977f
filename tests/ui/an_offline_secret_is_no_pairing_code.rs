use bydesign::credential::code::PairingCode;
use bydesign::credential::offline::OfflineSecret;

fn pair(_: &PairingCode) {}

fn mistaken(key: &OfflineSecret) {
    pair(key);
}

fn main() {}

use bydesign::credential::code::PairingCode;
use bydesign::credential::factory::Issued;
use bydesign::credential::offline::OfflineSecret;

fn printed(issued: &Issued, code: &PairingCode, key: &OfflineSecret) {
    println!("{issued:?} {code} {key:?}");
}

fn copied(issued: &Issued, key: &OfflineSecret) -> (Issued, OfflineSecret) {
    (issued.clone(), key.clone())
}

fn main() {}

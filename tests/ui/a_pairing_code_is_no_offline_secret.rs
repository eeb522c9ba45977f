use bydesign::credential::code::PairingCode;
use bydesign::credential::wifi::{Security, wifi_text};

fn label(code: &PairingCode) {
    let _ = wifi_text("Lamp", code, Security::Wpa);
}

fn main() {}

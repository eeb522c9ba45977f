use bydesign::credential::items::Serial;
use bydesign::credential::wifi::{Security, wifi_text};

fn label(serial: &Serial) {
    let _ = wifi_text("Lamp", serial, Security::Wpa);
}

fn main() {}

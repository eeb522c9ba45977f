//! What people and files give a factory: codes as they are typed or scanned, orders, profiles. No panic, no loop, and what is read says the
//! same when it is written again.
#![no_main]

use std::path::Path;

use bydesign::credential::alphabet::Alphabet;
use bydesign::credential::code::PairingCode;
use bydesign::credential::factory::{Order, Profile, open_row};
use bydesign::credential::matter::{read_manual_code, read_qr_payload};
use bydesign::credential::offline::OfflineSecret;
use bydesign::credential::wifi::read_wifi_text;
use bydesign::secret::Secret;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((kind, bytes)) = data.split_first() else {
        return;
    };
    if kind % 4 == 0 {
        if let Ok(order) = Order::new("order.csv", bytes, "L3") {
            let columns = order.columns().len();
            for row in order.map_while(Result::ok) {
                assert!(row.identifiers.len() < columns, "a row has the columns of the header");
                assert!(!row.serial.as_str().contains(['/', '\\']), "files are called by it");
            }
        }
        return;
    }
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    match kind % 4 {
        1 => {
            if let Ok(profile) = Profile::parse("profile.toml", text, Path::new("")) {
                let weak = profile.entropy().into_iter().find(|(name, millibits)| {
                    ["device-password", "wifi-key"].contains(name) && *millibits < 80_000
                });
                assert_eq!(weak, None, "an offline secret has at least 80 bits");
            }
        }
        2 => assert!(open_row(text, &Secret::new([7; 32])).is_err(), "nobody sealed it to this key"),
        _ => codes(text),
    }
});

fn codes(text: &str) {
    if let Ok(setup) = read_qr_payload(text) {
        assert_eq!(setup.qr_payload().expose(), text);
    }
    if let Ok(code) = read_manual_code(text) {
        assert!(code.passcode.expose() <= 99_999_998);
    }
    if let Some((name, key)) = read_wifi_text(text) {
        assert!(name.expose().len() <= 32 && key.expose().len() <= 63);
    }
    for alphabet in [Alphabet::CLEAR, Alphabet::DIGITS] {
        if let Ok(code) = PairingCode::parse(text, alphabet) {
            let again = PairingCode::parse(code.grouped().expose(), alphabet);
            assert!(again.is_ok_and(|again| again.symbols() == code.symbols()));
        }
        if let Ok(secret) = OfflineSecret::parse(text, alphabet) {
            assert!(secret.millibits() >= 80_000);
        }
    }
    if let Ok(own) = Alphabet::new(text) {
        assert!(own.len() >= 10 && own.millibits(1) >= 3321);
    }
}

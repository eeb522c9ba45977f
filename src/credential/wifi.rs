//! The key of a Wi-Fi network as a QR code carries it: `WIFI:T:WPA;S:name;P:key;;`.
//!
//! ```text
//!  factory
//!  wifi     (this file)
//!  offline
//! ```

use core::fmt::{self, Write};

use super::offline::OfflineSecret;
use super::text::SecretText;
use crate::store::{Class, Key};

/// The name of the network that the device itself opens, as its label has it.
pub const SSID: Key<SecretText<LONGEST_SSID>> = Key::fixed("wifi.ssid", Class::Identity);
/// The key of that network.
pub const KEY: Key<SecretText<63>> = Key::fixed("wifi.key", Class::Identity);

/// The longest name of a network, in bytes.
pub const LONGEST_SSID: usize = 32;
/// The longest text: every byte of name and key escaped.
pub const LONGEST_WIFI_TEXT: usize = 256;

/// Which handshake the network wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Security {
    /// WPA2, or WPA2 and WPA3 in transition: phones take either from it.
    Wpa,
    /// WPA3 alone, by SAE.
    Sae,
}

/// The text of a QR code with which phones join the network. Name and key escape `\`, `;`, `,`, `:` and `"`.
///
/// It takes an [`OfflineSecret`], because the handshake of WPA2 can be attacked offline by whoever hears it; a
/// [`PairingCode`](super::code::PairingCode) does not fit in.
///
/// ```
/// use bydesign::credential::alphabet::Alphabet;
/// use bydesign::credential::offline::OfflineSecret;
/// use bydesign::credential::wifi::{Security, wifi_text};
///
/// let key = OfflineSecret::parse("2345-6789-CDFH-JKMN-PR", Alphabet::CLEAR)?;
/// let text = wifi_text("Lamp; upstairs", &key, Security::Wpa)?;
/// assert_eq!(text.expose(), r"WIFI:T:WPA;S:Lamp\; upstairs;P:23456789CDFHJKMNPR;;");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// [`fmt::Error`], if the name has no byte or more than 32.
pub fn wifi_text(
    ssid: &str,
    key: &OfflineSecret,
    security: Security,
) -> Result<SecretText<LONGEST_WIFI_TEXT>, fmt::Error> {
    if ssid.is_empty() || ssid.len() > LONGEST_SSID {
        return Err(fmt::Error);
    }
    let mut text = SecretText::new();
    text.write_str(match security {
        Security::Wpa => "WIFI:T:WPA;S:",
        Security::Sae => "WIFI:T:SAE;S:",
    })?;
    escape(ssid, &mut text)?;
    text.write_str(";P:")?;
    escape(key.expose(), &mut text)?;
    text.write_str(";;")?;
    Ok(text)
}

fn escape(plain: &str, text: &mut impl Write) -> fmt::Result {
    for symbol in plain.chars() {
        if matches!(symbol, '\\' | ';' | ',' | ':' | '"') {
            text.write_char('\\')?;
        }
        text.write_char(symbol)?;
    }
    Ok(())
}

/// Name and key out of the text of such a QR code, whatever the order of its fields.
///
/// ```
/// use bydesign::credential::wifi::read_wifi_text;
///
/// let (name, key) = read_wifi_text(r"WIFI:S:a\:b;T:WPA;P:k\\ey;;").expect("well-formed");
/// assert_eq!((name.expose(), key.expose()), ("a:b", r"k\ey"));
/// assert!(read_wifi_text("WIFI:S:a;").is_none());
/// ```
#[must_use]
pub fn read_wifi_text(text: &str) -> Option<(SecretText<LONGEST_SSID>, SecretText<63>)> {
    let mut rest = text.strip_prefix("WIFI:")?;
    let (mut ssid, mut key) = (None, None);
    loop {
        // the empty field at the end
        if rest == ";" {
            return ssid.zip(key);
        }
        let (kind, value) = rest.split_once(':')?;
        rest = match kind {
            "S" => field(value, &mut ssid)?,
            "P" => field(value, &mut key)?,
            _ => field(value, &mut None::<SecretText<LONGEST_WIFI_TEXT>>)?,
        };
    }
}

/// Reads up to the semicolon; what stands behind it.
fn field<'a, const N: usize>(value: &'a str, out: &mut Option<SecretText<N>>) -> Option<&'a str> {
    let mut text = SecretText::new();
    let mut symbols = value.char_indices();
    loop {
        match symbols.next()? {
            (_, '\\') => text.push(symbols.next()?.1).ok()?,
            (at, ';') => {
                // Given twice, it is unclear which is meant.
                if out.is_some() {
                    return None;
                }
                *out = Some(text);
                return value.get(at.checked_add(1)?..);
            }
            (_, symbol) => text.push(symbol).ok()?,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credential::alphabet::Alphabet;

    #[test]
    fn what_is_written_is_read_back_whatever_symbols_it_has() {
        let symbols = Alphabet::new(r#"\;,:"abcdefghi"#).expect("sound");
        for name in ["Lamp", r#"\;,:""#, "ä;ö", "12345678901234567890123456789012"] {
            let key = OfflineSecret::random(symbols, 63, &mut getrandom::SysRng).expect("drawn");
            for security in [Security::Wpa, Security::Sae] {
                let text = wifi_text(name, &key, security).expect("room");
                let (read_name, read_key) = read_wifi_text(text.expose()).expect("read");
                assert_eq!((read_name.expose(), read_key.expose()), (name, key.expose()));
            }
        }
    }

    #[test]
    fn what_is_no_such_text_is_not_read() {
        for text in [
            "",
            "WIFI:",
            "WIFI:;",
            "WIFI:S:a;;",
            "WIFI:S:a;P:b",
            "WIFI:S:a;P:b;",
            r"WIFI:S:a;P:b\",
            "WIFI:S:a;S:b;P:c;;",
            "MT:",
        ] {
            assert!(read_wifi_text(text).is_none(), "{text}");
        }
        let key = OfflineSecret::random(Alphabet::CLEAR, 18, &mut getrandom::SysRng).expect("drawn");
        assert!(wifi_text("", &key, Security::Wpa).is_err());
        assert!(wifi_text(&"a".repeat(33), &key, Security::Wpa).is_err());
    }
}

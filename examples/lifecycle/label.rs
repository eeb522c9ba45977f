//! What is printed on a device, and what the device keeps of it: both made of one code, as the factory makes them.
//!
//! ```text
//!   device     draws one for each
//!   label      (this file)
//!   bydesign::credential::{code, factory::verify_label}
//! ```

use std::path::Path;

use bydesign::credential::alphabet::Alphabet;
use bydesign::credential::code::{CodeError, PairingCode};
use bydesign::credential::factory::{Profile, verify_label};
use bydesign::credential::{Block, Cost, SALT_LEN, Verifier};
use chacha20::ChaCha20Rng;
use rand_core::Rng;

use crate::board;
use crate::device::Device;

/// The text and the QR code of a label.
#[derive(Clone)]
pub(crate) struct Label {
    /// As people type it.
    pub(crate) text: String,
    /// What the QR code holds.
    pub(crate) payload: String,
}

/// What a guess costs: the smallest preset, because hundreds are made here.
pub(crate) const COST: Cost = Cost::KIB_32;
/// Memory for it.
pub(crate) const BLOCKS: usize = 32;

const ALPHABET: Alphabet<'static> = Alphabet::CLEAR;
/// Symbols that are drawn: 36 bits, behind a limiter.
const SYMBOLS: usize = 8;
/// Whoever the rows of a manifest would be sealed to. None is made here; a profile names one all the same.
const NOBODY: &str = "358072d6365880d1aeea329adf9121383851ed21a28e3b75e965d0d2cd166254";

/// Draws a code, and gives what is printed of it and what the device keeps.
pub(crate) fn draw(random: &mut ChaCha20Rng) -> Result<(Label, Verifier), String> {
    let code = PairingCode::random(ALPHABET, SYMBOLS, random).map_err(|error| error.to_string())?;
    let mut salt = [0; SALT_LEN];
    random.fill_bytes(&mut salt);
    let mut blocks = vec![Block::new(); BLOCKS];
    let verifier = Verifier::of_issued(code.symbols().as_bytes(), salt, COST, &mut blocks)
        .map_err(|error| error.to_string())?;
    let label = Label {
        text: code.grouped().expose().to_owned(),
        payload: code.symbols().to_owned(),
    };
    Ok((label, verifier))
}

/// A code as somebody types it in, checked for slips.
pub(crate) fn typed(text: &str) -> Result<PairingCode, CodeError> {
    PairingCode::parse(text, ALPHABET)
}

/// The end of the line: the image of a device takes what is printed on it, typed or scanned.
pub(crate) fn check(device: &Device, image: &[u8]) -> Result<(), String> {
    let text = profile_text(device);
    let profile = Profile::parse("profile", &text, Path::new("")).map_err(|error| error.to_string())?;
    let root_key = device.root_key()?;
    for printed in [&device.label.text, &device.label.payload] {
        let what = verify_label(&profile, image, &root_key, printed).map_err(|error| error.to_string())?;
        if what != "pairing code" {
            return Err(format!("the label was taken for that of a {what}"));
        }
    }
    Ok(())
}

/// What the factory would have made the device from.
fn profile_text(device: &Device) -> String {
    let (word, unit) = device.part.geometry();
    let medium = if device.part.is_overwritable() {
        "overwritable"
    } else {
        "write-once"
    };
    format!(
        "format = 1\nproduct = \"{model}\"\nmodel = \"{model}\"\nroot-key = {{ flow = \"injected\" }}\n\
         recipient = {{ public-key = \"{NOBODY}\" }}\n\
         [store]\nlabel = \"{label}\"\nmedium = \"{medium}\"\nwrite-size = {word}\nerase-size = {unit}\nunits = {units}\n\
         [identity]\ncertificate = \"raw-public-key\"\n\
         [pairing-code]\nsymbols = {SYMBOLS}\ncost = \"32KiB\"\n",
        model = device.order.model,
        label = board::LABEL,
        units = board::units(unit),
    )
}

//! Images of a small part before an erasure, after it, and after the sweep, for the tool for laboratories: the same bytes every time.
//!
//! ```text
//! cargo run --example pictured_erase -- DIRECTORY      before.img, after.img, swept.img, root-key, values
//! ```
//!
//! `cargo xtask pictures` draws them into `docs/pictures/`.

use std::error::Error;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs};

use bydesign::erase::{Eraser, Media, Scope};
use bydesign::flash::WriteOnce;
use bydesign::flash::simulator::{Rule, Simulator};
use bydesign::secret::RootKey;
use bydesign::store::{Class, DataClass, Ram, Store, UserId};
use chacha20::ChaCha20Rng;
use chacha20::rand_core::{Rng, SeedableRng};

/// A part whose words are programmed once: there sealed records stay until their pages are erased.
type Flash = Simulator<8, 1024>;
type Memory = Ram<64, 512>;

const LABEL: &str = "device";
/// Of no device: whoever runs this gets the same keys.
const SEED: u64 = 20_181_014;

fn main() -> Result<(), Box<dyn Error>> {
    let directory = env::args_os().nth(1).map(PathBuf::from);
    let directory = directory.ok_or("usage: pictured_erase DIRECTORY")?;
    fs::create_dir_all(&directory)?;
    let mut random = ChaCha20Rng::seed_from_u64(SEED);
    let mut secret = [0; 32];
    random.fill_bytes(&mut secret);
    fs::write(directory.join("root-key"), secret)?;
    let root_key = RootKey::new(secret)?;

    let mut flash = Flash::new(16 * 1024, Rule::WriteOnce);
    let values = fill(&mut flash, &root_key, &mut random)?;
    fs::write(directory.join("before.img"), flash.image())?;
    fs::write(directory.join("values"), values)?;

    let mut erased = flash.clone();
    erase(&mut erased, &root_key, &mut random, false)?;
    fs::write(directory.join("after.img"), erased.image())?;
    erase(&mut flash, &root_key, &mut random, true)?;
    fs::write(directory.join("swept.img"), flash.image())?;
    show(&directory);
    Ok(())
}

fn show(directory: &Path) {
    println!("images of the label \"{LABEL}\" in {}", directory.display());
}

/// A device in use. Gives the users' values, each once written, as a list for `bydesign image residue`.
fn fill(flash: &mut Flash, root_key: &RootKey, random: &mut ChaCha20Rng) -> Result<String, Box<dyn Error>> {
    let mut store = Store::format(WriteOnce::new(flash), Memory::new(), root_key, LABEL, random)?;
    Eraser::new(&mut [])?.prepare(&mut store, random)?;
    let classes = [
        DataClass::from(Class::Identity),
        Class::Settings.into(),
        Class::User.into(),
        DataClass::user(UserId(7)),
    ];
    let mut values = String::new();
    for round in 0..5 {
        for item in 0..12 {
            let data = classes[item % classes.len()];
            let value = format!("round {round} of item {item:02}, which is {:?}", data.class());
            store.put_bytes(data, &format!("item {item}"), value.as_bytes(), random)?;
            if round == 4 && data.class() == Class::User {
                writeln!(values, "text:{value}")?;
            }
        }
    }
    Ok(values)
}

fn erase(
    flash: &mut Flash,
    root_key: &RootKey,
    random: &mut ChaCha20Rng,
    sweeping: bool,
) -> Result<(), Box<dyn Error>> {
    let mut eraser = Eraser::new(&mut [])?.on(Media::RawFlash);
    if sweeping {
        eraser = eraser.sweeping();
    }
    let medium = WriteOnce::new(flash);
    let (mut store, _) = eraser.mount(medium, Memory::new(), root_key, LABEL, random)?;
    let plan = eraser.plan(&mut store, Scope::AllUsers)?;
    eraser.carry_out(&mut store, plan, random)?;
    Ok(())
}

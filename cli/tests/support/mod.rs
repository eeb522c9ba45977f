//! What the tests share: images made with the library, files of a test's own, and runs of the real program.
#![allow(dead_code, unreachable_pub)] // each test uses a part of it

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use bydesign::flash::simulator::{Rule, Simulator};
use bydesign::flash::{Blocking, NeverPends, Overwritable, WriteOnce};
use bydesign::secret::RootKey;
use bydesign::store::{Class, DataClass, Ram, Store, UserId};
use chacha20::ChaCha20Rng;
use chacha20::rand_core::SeedableRng;

/// A root key that stands in no list.
pub const ROOT: [u8; 32] = [
    0x8e, 0x1f, 0x02, 0xd9, 0x44, 0xa7, 0x39, 0x5b, 0xc0, 0x6d, 0x7e, 0x13, 0xfa, 0x98, 0x21, 0x5c, 0x3b,
    0xe6, 0x70, 0x0a, 0xb5, 0x4f, 0xd2, 0x87, 0x19, 0xcc, 0x63, 0xae, 0x05, 0x7b, 0xf1, 0x30,
];
pub const LABEL: &str = "settings";

/// What the two users and the owner gave, the first versions too.
pub const SECRETS: [&str; 7] = [
    "user:7/pin = text:first pin of seven",
    "user:7/pin = text:second pin of seven",
    "user:7/address = text:7 Seven Street",
    "user:8/pin = text:pin of user eight",
    "settings/wifi.password = text:hunter2hunter2",
    "settings/wifi.password = text:correct horse battery",
    "settings/colour = text:red",
];

pub type Memory = Ram<32, 256>;

/// One of the two kinds of flash.
pub trait Flash: Sized {
    type Medium<'a>: NeverPends
    where
        Self: 'a;
    const OVERWRITABLE: bool;
    const WORD: u64;
    fn new() -> Self;
    fn medium(&mut self) -> Self::Medium<'_>;
    fn image(&self) -> &[u8];
}

pub struct Nor(Simulator<4, 1024>);
pub struct Ecc(Simulator<8, 2048>);

impl Flash for Nor {
    type Medium<'a> = Overwritable<Blocking<&'a mut Simulator<4, 1024>>>;
    const OVERWRITABLE: bool = true;
    const WORD: u64 = 4;
    fn new() -> Self {
        Self(Simulator::new(8 * 1024, Rule::Multiwrite))
    }
    fn medium(&mut self) -> Self::Medium<'_> {
        Overwritable::new(&mut self.0)
    }
    fn image(&self) -> &[u8] {
        self.0.image()
    }
}

impl Flash for Ecc {
    type Medium<'a> = WriteOnce<Blocking<&'a mut Simulator<8, 2048>>>;
    const OVERWRITABLE: bool = false;
    const WORD: u64 = 8;
    fn new() -> Self {
        Self(Simulator::new(16 * 1024, Rule::WriteOnce))
    }
    fn medium(&mut self) -> Self::Medium<'_> {
        WriteOnce::new(&mut self.0)
    }
    fn image(&self) -> &[u8] {
        self.0.image()
    }
}

pub fn random(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}

pub fn user(number: u32) -> DataClass {
    DataClass::user(UserId(number))
}

/// A device in use: everything of [`SECRETS`] was stored on it.
pub fn in_use<F: Flash>() -> F {
    let mut flash = F::new();
    let key = RootKey::new(ROOT).unwrap();
    let mut source = random(1);
    let mut store = Store::format(flash.medium(), Memory::new(), &key, LABEL, &mut source).unwrap();
    for (data, name, value) in [
        (user(7), "pin", "first pin of seven"),
        (user(7), "pin", "second pin of seven"),
        (user(7), "address", "7 Seven Street"),
        (user(8), "pin", "pin of user eight"),
        (Class::Settings.into(), "wifi.password", "hunter2hunter2"),
        (Class::Settings.into(), "wifi.password", "correct horse battery"),
        (Class::Settings.into(), "colour", "red"),
    ] {
        store
            .put_bytes(data, name, value.as_bytes(), &mut source)
            .unwrap();
    }
    drop(store);
    flash
}

/// The same after something was done to it.
pub fn then<F: Flash>(mut flash: F, change: impl FnOnce(&mut Store<F::Medium<'_>, Memory>)) -> F {
    let key = RootKey::new(ROOT).unwrap();
    let mut store = Store::mount(flash.medium(), Memory::new(), &key, LABEL).unwrap();
    change(&mut store);
    drop(store);
    flash
}

/// A folder of one test, with the root key in it. It goes at the end.
pub struct Place(PathBuf);

impl Place {
    pub fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("bydesign-cli-{}-{number}", std::process::id()));
        fs::create_dir(&folder).unwrap();
        let place = Self(folder);
        place.write("key", &ROOT);
        place
    }

    pub fn write(&self, name: &str, bytes: &[u8]) -> &Self {
        fs::write(self.0.join(name), bytes).unwrap();
        self
    }

    pub fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.0.join(name)).unwrap()
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Runs the program here.
    pub fn run(&self, arguments: &str) -> Ran {
        self.run_with(arguments, b"")
    }

    pub fn run_with(&self, arguments: &str, input: &[u8]) -> Ran {
        let mut child = Command::new(env!("CARGO_BIN_EXE_bydesign"))
            .args(arguments.split_whitespace())
            .current_dir(&self.0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // It may end before it reads.
        let _ = child.stdin.take().unwrap().write_all(input);
        Ran(child.wait_with_output().unwrap())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

pub struct Ran(Output);

impl Ran {
    pub fn code(&self) -> i32 {
        self.0.status.code().expect("it ended by itself")
    }

    pub fn out(&self) -> String {
        String::from_utf8(self.0.stdout.clone()).unwrap()
    }

    pub fn error(&self) -> String {
        String::from_utf8(self.0.stderr.clone()).unwrap()
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.0.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}{}", self.out(), self.error()))
    }
}

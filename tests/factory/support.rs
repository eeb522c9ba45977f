//! Profiles, orders and directories for the tests.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use bydesign::credential::factory::{Batch, Manifest, Profile, Report, open_row};
use bydesign::secret::{RootKey, Secret};

/// The recipient of manifests in these tests: the private key is the bytes from 0x60 on.
pub(crate) const RECIPIENT_PUBLIC: &str = "675dd574ed7789310b3d2e7681f3790b466c773b1521fecf36577958371ea52f";
pub(crate) const RECIPIENT_PRIVATE: &str = "606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f";

pub(crate) const ALL_SECRETS: &str = r#"
[matter]
vendor = 0xFFF1
product = 0x8001
discovery = ["ble", "on-network"]
iterations = 1000
in-manifest = true

[pairing-code]
symbols = 8
cost = "32KiB"
in-manifest = true

[device-password]
symbols = 18
cost = "32KiB"
in-manifest = true

[wifi-key]
ssid = "Lamp-{serial}"
symbols = 20
in-manifest = true
"#;

pub(crate) fn profile_text(flow: &str, store: &str, identity: &str, secrets: &str) -> String {
    format!(
        "format = 1\nproduct = \"Lamp <3> & more\"\nmodel = \"L3\"\nroot-key = {{ flow = \"{flow}\" }}\n\
         recipient = {{ public-key = \"{RECIPIENT_PUBLIC}\" }}\n[store]\nlabel = \"settings\"\n{store}\n[identity]\n{identity}\n{secrets}"
    )
}

pub(crate) const SMALL_STORE: &str =
    "medium = \"overwritable\"\nwrite-size = 4\nerase-size = 4096\nunits = 4";
pub(crate) const SELF_ISSUED: &str = "certificate = \"self-issued\"\norganisation = \"Example Lamps\"";

pub(crate) fn profile(secrets: &str) -> Profile {
    let text = profile_text("injected", SMALL_STORE, SELF_ISSUED, secrets);
    Profile::parse("lamp.toml", &text, Path::new("")).expect("a sound profile")
}

/// Lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

pub(crate) fn order_text(devices: u64) -> String {
    let mut text = String::from("serial,model,mac\n");
    for number in 0..devices {
        let [.., a, b, c] = number.to_be_bytes();
        let _ = writeln!(text, "SN-{number:07},L3,02:00:5E:{a:02X}:{b:02X}:{c:02X}");
    }
    text
}

/// A directory that goes when it is dropped.
pub(crate) struct Place(pub(crate) PathBuf);

impl Place {
    pub(crate) fn new(name: &str) -> Self {
        let place = std::env::temp_dir().join(format!("bydesign-factory-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&place);
        fs::create_dir_all(&place).expect("a directory");
        Self(place)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).expect("written");
        path
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

pub(crate) fn made(place: &Place, profile: &Profile, devices: u64) -> Report {
    let order = place.write("order.csv", &order_text(devices));
    Batch::new(profile.clone(), &order, &place.path("out"))
        .run(&mut |_| {})
        .expect("made")
}

pub(crate) fn lines(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.lines().map(str::to_owned).collect()
}

pub(crate) fn json(line: &str) -> serde_json::Value {
    serde_json::from_str(line).expect("JSON")
}

pub(crate) fn files(at: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    let Ok(entries) = fs::read_dir(at) else { return all };
    for entry in entries {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            all.extend(files(&path));
        } else {
            all.push(path);
        }
    }
    all.sort();
    all
}

pub(crate) fn hexadecimal<const N: usize>(text: &str) -> [u8; N] {
    core::array::from_fn(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).expect("hexadecimal"))
}

pub(crate) fn opened(line: &str) -> Manifest {
    open_row(line, &Secret::new(hexadecimal(RECIPIENT_PRIVATE))).expect("opens")
}

pub(crate) fn root_key(row: &Manifest) -> RootKey {
    RootKey::new(*row.root_key().expect("a key").expose()).expect("sound")
}

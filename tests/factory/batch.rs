//! What comes out belongs together, says nothing that it should not, and cannot be mistaken.

use std::fs;
use std::path::Path;

use bydesign::credential::factory::{Batch, BatchError, BatchKey, Mismatch, Profile, verify_label};
use bydesign::secret::RootKey;
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256};

use crate::support::*;

fn devices() -> u64 {
    let asked = std::env::var("BYDESIGN_DEVICES").ok();
    asked.map_or(40, |number| number.parse().expect("a number"))
}

/// The columns of a label that a station scans or somebody types.
const READ: [&str; 7] = [
    "matter_manual_code",
    "matter_qr",
    "wifi_key",
    "wifi_qr",
    "pairing_code",
    "pairing_qr",
    "device_password",
];

//= compliance/requirements.md#cred-26
//= type=test
//# Label, QR code, verifier, image and manifest row of a device MUST come from one value, and the image MUST be read back and compared with it before the device counts as made.
//= compliance/requirements.md#cred-27
//= type=test
//# Neither the registry nor the report, the journal or what is printed MUST hold a secret, a verifier, a salt or a hash of a secret.
//= compliance/requirements.md#cred-29
//= type=test
//# A label MUST be accepted at the end of the line only if the image takes the code on it, computed anew from the printed text.
#[test]
fn a_batch_belongs_together_and_its_registry_report_and_words_hold_no_secret() {
    let place = Place::new("batch");
    let profile = profile(ALL_SECRETS);
    let order = place.write("order.csv", &order_text(devices()));
    let mut journals: Vec<u8> = Vec::new();
    let journal = place.path("out.partial/journal");
    let report = Batch::new(profile.clone(), &order, &place.path("out"))
        .run(&mut |_| journals.extend(fs::read(&journal).unwrap_or_default()))
        .expect("made");
    assert_eq!((report.devices, report.made_now), (devices(), devices()));

    let out = place.path("out");
    let (registry, manifest) = (
        lines(&out.join("registry.jsonl")),
        lines(&out.join("manifest.jsonl")),
    );
    let mut labels = csv::Reader::from_path(out.join("labels.csv")).expect("a table");
    let header = labels.headers().expect("a header").clone();
    let labels: Vec<_> = labels.records().map(|row| row.expect("a row")).collect();
    let images = files(&out.join("images"));
    let count = usize::try_from(devices()).expect("small");
    assert_eq!(
        (registry.len(), manifest.len(), labels.len(), images.len()),
        (count, count, count, count)
    );

    // Everything that is public, in one text that is searched for every secret.
    let mut public = journals;
    for name in [
        "registry.jsonl",
        "manifest.jsonl",
        "certificates.pem",
        "report.json",
        "FINISHED",
    ] {
        public.extend(fs::read(out.join(name)).expect("there"));
    }
    public.extend(report.to_string().bytes());
    let public = Haystack::of(&public);
    assert!(public.holds(b"SN-0000001"), "the search finds what is there");

    let mut previous: Option<(Vec<u8>, RootKey)> = None;
    for ((registry, manifest), (label, image)) in
        registry.iter().zip(&manifest).zip(labels.iter().zip(&images))
    {
        let (registry, row) = (json(registry), opened(manifest));
        let column = |name: &str| {
            label
                .get(header.iter().position(|own| own == name).expect(name))
                .expect("there")
        };
        assert_eq!(registry["device_id"], row.device_id.as_str());
        assert_eq!(registry["serial"], row.serial.as_str());
        assert_eq!(
            (column("device_id"), column("serial")),
            (row.device_id.as_str(), row.serial.as_str())
        );
        assert!(image.to_string_lossy().contains(&row.serial));
        let mut spki = b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00".to_vec();
        spki.extend(hexadecimal::<32>(registry["public_key"].as_str().expect("text")));
        let digest = Sha256::digest(&spki);
        assert_eq!(hex(&digest[..16]), row.device_id);

        // The image mounts and takes every code on the label, and nothing on the label of the device before it.
        let image = fs::read(image).expect("there");
        let key = root_key(&row);
        for name in READ {
            let read = verify_label(&profile, &image, &key, column(name));
            assert!(read.is_ok(), "{name} of {}: {:?}", row.serial, read.err());
            if let Some((image, key)) = &previous {
                let read = verify_label(&profile, image, key, column(name));
                assert!(matches!(read, Err(Mismatch::Other(_))), "{name}: {read:?}");
            }
        }
        let secrets = json(std::str::from_utf8(&row.json).expect("text"));
        for (name, secret) in secrets.as_object().expect("an object") {
            let secret = secret.as_str().unwrap_or_default();
            if ["format", "device_id", "serial", "wifi_ssid"].contains(&name.as_str()) {
                continue;
            }
            let mut forms = forms_of(secret);
            if name == "root_key" {
                forms.push(hexadecimal::<32>(secret).to_vec());
            }
            for form in forms {
                assert!(!public.holds(&form), "{name} of {}", row.serial);
                assert!(
                    !image.windows(form.len()).any(|window| window == form),
                    "{name} is in the image"
                );
            }
        }
        previous = Some((image, key));
    }
    // A name is said of each verifier, and no salt or hash.
    let text = fs::read_to_string(out.join("registry.jsonl")).expect("there");
    for word in ["salt", "hash", "$argon2", "w0", "passcode", "discriminator"] {
        assert!(!text.contains(word), "{word}");
    }
}

/// A secret as it might be written down: as it is, without hyphens, in small letters, and its hashes.
fn forms_of(secret: &str) -> Vec<Vec<u8>> {
    let plain = secret.replace('-', "");
    let small = plain.to_lowercase();
    let mut forms = Vec::new();
    for text in [secret, &plain, &small] {
        forms.push(text.as_bytes().to_vec());
        let hashes = [
            Sha256::digest(text).to_vec(),
            Sha1::digest(text).to_vec(),
            Md5::digest(text).to_vec(),
        ];
        for hash in hashes {
            forms.push(hex(&hash).into_bytes());
            forms.push(hash);
        }
    }
    forms
}

/// Bytes that are searched for many needles.
struct Haystack {
    bytes: Vec<u8>,
    starts: std::collections::HashMap<[u8; 8], Vec<usize>>,
}

impl Haystack {
    fn of(bytes: &[u8]) -> Self {
        let mut starts = std::collections::HashMap::<[u8; 8], Vec<usize>>::new();
        for (at, window) in bytes.windows(8).enumerate() {
            starts
                .entry(window.try_into().expect("eight"))
                .or_default()
                .push(at);
        }
        Self {
            bytes: bytes.to_vec(),
            starts,
        }
    }

    fn holds(&self, needle: &[u8]) -> bool {
        let start: [u8; 8] = needle[..8].try_into().expect("eight");
        let starts = self.starts.get(&start);
        starts.is_some_and(|starts| starts.iter().any(|at| self.bytes[*at..].starts_with(needle)))
    }
}

//= compliance/requirements.md#cred-28
//= type=test
//# A root key or transport key MUST leave the station only sealed to the recipient's public key, in a row that opens for no other device.
#[test]
fn a_root_key_is_in_its_sealed_row_and_nowhere_else() {
    use bydesign::credential::factory::{ManifestError, open_row};
    use bydesign::secret::Secret;

    for flow in ["injected", "transport"] {
        let place = Place::new(flow);
        let text = profile_text(flow, SMALL_STORE, SELF_ISSUED, ALL_SECRETS);
        let profile = Profile::parse("p", &text, Path::new("")).expect("sound");
        made(&place, &profile, 3);
        let manifest = lines(&place.path("out/manifest.jsonl"));
        let keys: Vec<[u8; 32]> = manifest
            .iter()
            .map(|line| *opened(line).root_key().expect("a key").expose())
            .collect();
        assert_ne!(keys[0], keys[1]);
        for path in files(&place.path("out")) {
            let bytes = fs::read(&path).expect("there");
            for key in &keys {
                let digits = hex(key);
                assert!(
                    !bytes.windows(32).any(|window| window == key),
                    "{}",
                    path.display()
                );
                assert!(
                    !String::from_utf8_lossy(&bytes).to_lowercase().contains(&digits),
                    "{}",
                    path.display()
                );
            }
        }
        // A row that is given another device's name does not open, nor does one for another recipient.
        let own = Secret::new(hexadecimal(RECIPIENT_PRIVATE));
        let other_name = manifest[0].replace("SN-0000000", "SN-0000001");
        assert_eq!(open_row(&other_name, &own).err(), Some(ManifestError::Sealed));
        assert_eq!(
            open_row(&manifest[0], &Secret::new([5; 32])).err(),
            Some(ManifestError::Sealed)
        );
        assert_eq!(open_row("{}", &own).err(), Some(ManifestError::Form));
        let key_name = if flow == "injected" {
            "root_key"
        } else {
            "transport_key"
        };
        assert!(
            json(std::str::from_utf8(&opened(&manifest[0]).json).expect("text"))
                .get(key_name)
                .is_some()
        );
    }
}

#[test]
fn a_wrong_digit_on_a_label_is_not_accepted() {
    let place = Place::new("wrong-digit");
    let profile = profile(ALL_SECRETS);
    made(&place, &profile, 1);
    let row = opened(&lines(&place.path("out/manifest.jsonl"))[0]);
    let image = fs::read(&files(&place.path("out/images"))[0]).expect("there");
    let secrets = json(std::str::from_utf8(&row.json).expect("text"));
    for name in [
        "matter_qr",
        "matter_manual_code",
        "pairing_code",
        "device_password",
        "wifi_key",
    ] {
        let sound = secrets[name].as_str().expect("text");
        assert!(
            verify_label(&profile, &image, &root_key(&row), sound).is_ok(),
            "{name}"
        );
        for at in 0..sound.len() {
            let mut wrong: Vec<char> = sound.chars().collect();
            wrong[at] = match wrong[at] {
                '2' => '3',
                ':' => ';',
                _ => '2',
            };
            let wrong: String = wrong.into_iter().collect();
            let read = verify_label(&profile, &image, &root_key(&row), &wrong);
            assert!(read.is_err(), "{name}: {sound} became {wrong}");
        }
    }
    let other = RootKey::new(core::array::from_fn(|at| (at * at + 3) as u8)).expect("sound");
    let read = verify_label(
        &profile,
        &image,
        &other,
        secrets["pairing_code"].as_str().expect("text"),
    );
    assert!(matches!(read, Err(Mismatch::Mount(_))));
}

//= compliance/requirements.md#cred-31
//= type=test
//# Output MUST be reproducible only with an explicit test seed, and everything made with one MUST say that it is not for sale.
#[test]
fn the_same_seed_gives_the_same_files_and_each_says_that_it_is_not_for_sale() {
    let place = Place::new("seed");
    let profile = profile(ALL_SECRETS);
    let order = place.write("order.csv", &order_text(150));
    let run = |name: &str, seed: Option<&str>, threads| {
        let batch = Batch::new(profile.clone(), &order, &place.path(name)).on_threads(threads);
        let batch = match seed {
            Some(seed) => batch.with_test_seed(seed),
            None => batch,
        };
        let report = batch.run(&mut |_| {}).expect("made");
        let all = files(&place.path(name));
        let named = all.iter().map(|path| {
            let name = path.strip_prefix(place.path(name)).expect("below").to_path_buf();
            (name, fs::read(path).expect("there"))
        });
        (report, named.collect::<Vec<_>>())
    };
    let (report, first) = run("a", Some("night run"), 1);
    let (_, again) = run("b", Some("night run"), 3);
    assert!(
        first == again,
        "the same seed gives the same files, whatever the number of threads"
    );
    assert!(report.not_for_sale && report.to_string().starts_with("NOT FOR SALE"));
    let (other_report, other) = run("c", None, 2);
    let (_, another) = run("d", None, 2);
    assert!(!other_report.not_for_sale);
    for ((name, bytes), (other_name, other_bytes)) in other.iter().zip(&another) {
        assert_eq!(name, other_name);
        assert!(bytes != other_bytes, "{}", name.display());
    }
    let marked = |(name, bytes): &(std::path::PathBuf, Vec<u8>)| {
        let text = String::from_utf8_lossy(bytes).to_lowercase().replace('_', " ");
        (name.clone(), text.matches("not for sale").count())
    };
    for (name, marks) in first.iter().map(marked) {
        let name = name.to_string_lossy();
        let expected = match name.as_ref() {
            "registry.jsonl" | "manifest.jsonl" => 150,
            "labels.csv" => 151,
            "report.json" => 2,
            name if name.starts_with("sheets") => 6,
            _ => 0,
        };
        assert!(marks >= expected, "{name}: {marks}");
    }
    for (name, marks) in other.iter().map(marked) {
        let allowed = usize::from(name.ends_with("report.json"));
        assert_eq!(marks, allowed, "{}", name.display());
    }
    // In the image the mark is sealed with everything else.
    let row = opened(&lines(&place.path("a/manifest.jsonl"))[0]);
    let image = fs::read(&files(&place.path("a/images"))[0]).expect("there");
    let opened = bydesign::store::inspect::Image::of(&image)
        .map(|image| image.open(&root_key(&row), "settings"))
        .expect("a store")
        .expect("opens");
    assert!(format!("{opened:?}").contains("not-for-sale"), "{opened:?}");
}

//= compliance/requirements.md#cred-30
//= type=test
//# Output that is not finished MUST stand under another name than finished output, and MUST get its name only when all of it is on disk.
#[test]
fn nothing_is_left_of_bad_input_and_nothing_finished_is_overwritten() {
    let place = Place::new("refused");
    let profile = profile(ALL_SECRETS);
    let out = place.path("out");
    let run = |order: &Path| Batch::new(profile.clone(), order, &out).run(&mut |_| {});

    let bad = place.write(
        "bad.csv",
        &(order_text(200) + "SN-0000007,L3,02:00:00:00:00:FF\n"),
    );
    let refused = run(&bad).map(drop).expect_err("refused").to_string();
    assert!(
        refused.ends_with("bad.csv:202: column 1 (serial): the same as in line 9"),
        "{refused}"
    );
    assert!(run(&place.path("missing.csv")).is_err());
    assert!(!out.exists() && !place.path("out.partial").exists());

    // While it is made, it has the other name.
    let order = place.write("order.csv", &order_text(150));
    let mut seen = 0;
    Batch::new(profile.clone(), &order, &out)
        .run(&mut |_| {
            assert!(!out.exists());
            assert!(!place.path("out.partial/FINISHED").exists());
            seen += 1;
        })
        .expect("made");
    assert!(seen > 2 && out.join("FINISHED").exists());
    assert!(!place.path("out.partial").exists() && !out.join("journal").exists());
    assert!(matches!(run(&order), Err(BatchError::Finished { .. })));

    // What is unfinished is not begun anew, and only its own order goes on with it.
    let unfinished = place.path("other.partial");
    fs::create_dir_all(&unfinished).expect("made");
    let other = || Batch::new(profile.clone(), &order, &place.path("other"));
    assert!(matches!(
        other().run(&mut |_| {}),
        Err(BatchError::Unfinished { .. })
    ));
    let resumed = Batch::new(profile.clone(), &order, &place.path("none")).resuming(true);
    assert!(matches!(
        resumed.run(&mut |_| {}),
        Err(BatchError::NothingToResume { .. })
    ));
}

#[test]
fn every_flash_gets_an_image_that_mounts() {
    let place = Place::new("flash");
    let order = place.write("order.csv", &order_text(2));
    for (number, store) in [
        "medium = \"write-once\"\nwrite-size = 8\nerase-size = 2048\nunits = 8",
        "medium = \"write-once\"\nwrite-size = 32\nerase-size = 131072\nunits = 4",
        "medium = \"overwritable\"\nwrite-size = 1\nerase-size = 128\nunits = 96",
        "medium = \"overwritable\"\nwrite-size = 2\nerase-size = 4096\nunits = 4",
        "medium = \"write-once\"\nwrite-size = 16\nerase-size = 1024\nunits = 12",
    ]
    .into_iter()
    .enumerate()
    {
        let text = profile_text("injected", store, SELF_ISSUED, ALL_SECRETS);
        let profile = Profile::parse("p", &text, Path::new("")).expect("sound");
        let out = place.path(&format!("out{number}"));
        Batch::new(profile.clone(), &order, &out)
            .run(&mut |_| {})
            .unwrap_or_else(|error| panic!("{store}: {error}"));
        let row = opened(&lines(&out.join("manifest.jsonl"))[1]);
        let image = fs::read(&files(&out.join("images"))[1]).expect("there");
        let code = json(std::str::from_utf8(&row.json).expect("text"))["pairing_code"].clone();
        let read = verify_label(&profile, &image, &root_key(&row), code.as_str().expect("text"));
        assert_eq!(read, Ok("pairing code"), "{store}");
    }
}

#[test]
fn a_derived_code_is_the_same_again_under_the_same_batch_key_and_the_rest_is_not() {
    let place = Place::new("derived");
    let secrets = "[pairing-code]\nsymbols = 8\ncost = \"32KiB\"\nderive-from = \"serial\"\nin-manifest = true\n\
                   [wifi-key]\nssid = \"Lamp\"\nsymbols = 18\nin-manifest = true";
    let profile = profile(secrets);
    let order = place.write("order.csv", &order_text(3));
    let codes = |name: &str, key: u8| {
        let key = BatchKey::new(core::array::from_fn(|at| (at as u8).wrapping_mul(37) ^ key)).expect("sound");
        let batch = Batch::new(profile.clone(), &order, &place.path(name)).with_batch_key(key);
        batch.run(&mut |_| {}).expect("made");
        let rows = lines(&place.path(name).join("manifest.jsonl"));
        rows.iter()
            .map(|line| {
                let row = json(std::str::from_utf8(&opened(line).json).expect("text"));
                (row["pairing_code"].to_string(), row["wifi_key"].to_string())
            })
            .collect::<Vec<_>>()
    };
    let (first, again, other) = (codes("a", 1), codes("b", 1), codes("c", 2));
    for ((first, again), other) in first.iter().zip(&again).zip(&other) {
        assert_eq!(first.0, again.0);
        assert_ne!(first.1, again.1);
        assert_ne!(first.0, other.0);
    }
    assert_ne!(first[0].0, first[1].0);
    let without = Batch::new(profile, &order, &place.path("d")).run(&mut |_| {});
    assert!(without.is_err() && !place.path("d.partial").exists());
}

#[test]
fn an_issuer_signs_for_devices_and_another_key_is_refused() {
    let place = Place::new("issuer");
    let issuers = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/factory/issuers");
    let order = place.write("order.csv", &order_text(2));
    let run = |out: &str, certificate: &str, key: &str| {
        let identity = format!(
            "certificate = \"ca-issued\"\norganisation = \"Example Lamps\"\nissuer-certificate = \"{certificate}\"\nissuer-key = \"{key}\""
        );
        let text = profile_text("injected", SMALL_STORE, &identity, ALL_SECRETS);
        let profile = Profile::parse("p", &text, &issuers).expect("sound");
        Batch::new(profile, &order, &place.path(out)).run(&mut |_| {})
    };
    for kind in ["ed25519", "p256"] {
        run(kind, &format!("{kind}.pem"), &format!("{kind}.key.pem")).expect("made");
        let pem = fs::read_to_string(place.path(kind).join("certificates.pem")).expect("there");
        assert_eq!(pem.matches("BEGIN CERTIFICATE").count(), 2);
    }
    for (certificate, key, reason) in [
        (
            "ed25519.pem",
            "p256.key.pem",
            "the private key of another certificate",
        ),
        ("ed25519.key.pem", "ed25519.key.pem", "not a certificate in PEM"),
        ("ed25519.pem", "ed25519.pem", "not a private key in PEM"),
        ("none.pem", "ed25519.key.pem", "cannot be read"),
    ] {
        let refused = run("refused", certificate, key)
            .map(drop)
            .expect_err("refused")
            .to_string();
        assert!(refused.contains(reason), "{refused}");
        assert!(!place.path("refused.partial").exists());
    }
}

/// `BYDESIGN_BATCH=DIR cargo test --test factory -- --ignored --exact batch::a_batch_for_other_programs`; then tests/interop reads DIR.
#[test]
#[ignore = "makes the batch that tests/interop reads, where the tool is not built"]
fn a_batch_for_other_programs() {
    let out = std::env::var_os("BYDESIGN_BATCH").expect("where to");
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop");
    let profile = Profile::read(&here.join("lamp.toml")).expect("sound");
    let batch = Batch::new(profile, &here.join("order.csv"), Path::new(&out)).with_test_seed("interop");
    assert_eq!(batch.run(&mut |_| {}).expect("made").devices, 30);
}

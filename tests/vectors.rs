//! Images of format version 1 that every later release must read, made again here and compared, and the worked example of
//! `docs/on-flash-format.md`.
//!
//! `BYDESIGN_WRITE_VECTORS=1 cargo test --test vectors` writes them; a change of an existing image is a change of the format.

mod support;

use std::fmt::Write as _;
use std::path::PathBuf;

use bydesign::flash::simulator::{EraseTear, ProgramTear};
use bydesign::store::{AnchorPolicy, Change, Class, Counter, CounterFailed, CounterPlace, DataClass, UserId};
use support::{Ecc, Model, Nor, Part, ROOT, contents, format, mount, random};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/images")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A store with a value of each class, one overwritten, one removed, the settings erased once, and two boots.
fn history<P: Part>(capacity: usize) -> P {
    let mut part = P::new(capacity);
    let mut store = format(&mut part, 20_181_014);
    let mut source = random(303_645);
    store
        .put_fixed_bytes(Class::Identity, "serial", b"SN-000001", &mut source)
        .unwrap();
    store
        .put_bytes(
            Class::Settings,
            "wifi.password",
            b"of the first owner",
            &mut source,
        )
        .unwrap();
    store.put_bytes(Class::User, "name", b"Ada", &mut source).unwrap();
    store
        .put_bytes(Class::User, "name", b"Grace", &mut source)
        .unwrap();
    store
        .put_bytes(
            DataClass::user(UserId(7)),
            "pin",
            b"hashed elsewhere",
            &mut source,
        )
        .unwrap();
    store
        .put_bytes(Class::Application(1), "", b"", &mut source)
        .unwrap();
    store
        .put_bytes(Class::User, "gone", b"removed", &mut source)
        .unwrap();
    store.remove_bytes(Class::User, "gone", &mut source).unwrap();
    store.erase(Class::Settings, &mut source).unwrap();
    drop(store);
    let mut store = mount(&mut part).unwrap();
    store
        .put_bytes(
            Class::Settings,
            "wifi.password",
            b"of the second owner",
            &mut source,
        )
        .unwrap();
    drop(store);
    part
}

/// A counter in a variable.
struct Register(u32);

impl Counter for Register {
    fn place(&self) -> CounterPlace {
        CounterPlace::OutOfReach
    }

    async fn value(&mut self) -> Result<u32, CounterFailed> {
        Ok(self.0)
    }

    async fn advance(&mut self) -> Result<(), CounterFailed> {
        self.0 += 1;
        Ok(())
    }
}

/// The same held against a counter, with two transactions, and a third torn at the end.
fn committed<P: Part>(capacity: usize) -> P {
    let mut part = history::<P>(capacity);
    let mut source = random(12);
    let mut counter = Register(41);
    let mut store = mount(&mut part).unwrap();
    store.start_counter(&mut counter, &mut source).unwrap();
    for round in 0..2u8 {
        let name = [b'A' + round];
        let changes = [
            Change::put_bytes(Class::User, "name", &name),
            Change::put_fixed_bytes(Class::Identity, ["first", "second"][usize::from(round)], b"1"),
            Change::remove_bytes(Class::Application(1), ""),
        ];
        store.commit(&changes, &mut source).unwrap();
        store
            .anchor(&mut counter, AnchorPolicy::EveryChange, &mut source)
            .unwrap();
    }
    drop(store);
    part.set_tear(ProgramTear::TornWord, EraseTear::Clean, 5);
    part.cut_after(200);
    let mut store = mount(&mut part).unwrap();
    let torn = [
        Change::put_bytes(Class::User, "torn", &[0xaa; 30]),
        Change::put_bytes(Class::User, "name", &[0xbb; 30]),
    ];
    assert!(store.commit(&torn, &mut source).is_err());
    drop(store);
    part.power_on();
    part
}

/// The same with many updates, so that the log has gone around its ring, and a write torn at the end.
fn aged<P: Part>(capacity: usize) -> P {
    let mut part = history::<P>(capacity);
    let mut source = random(11);
    let mut store = mount(&mut part).unwrap();
    for round in 0..90u8 {
        store
            .put_bytes(Class::User, "counter", &[round; 50], &mut source)
            .unwrap();
    }
    drop(store);
    part.set_tear(ProgramTear::TornWord, EraseTear::Clean, 5);
    part.cut_after(110);
    let mut store = mount(&mut part).unwrap();
    assert!(
        store
            .put_bytes(Class::User, "torn", &[0xaa; 50], &mut source)
            .is_err()
    );
    drop(store);
    part.power_on();
    part
}

fn describe(model: &Model) -> String {
    let mut text = String::new();
    for ((class, name), value) in model {
        let class = ["identity", "settings", "user", "user 7", "application 1"][usize::from(*class)];
        let _ = writeln!(text, "{class}\t{name}\t{}", hex(value));
    }
    text
}

fn check<P: Part>(name: &str, part: &P) {
    let path = folder().join(format!("{name}.bin"));
    let list = folder().join(format!("{name}.txt"));
    let mut all = part.clone();
    let mut store = mount(&mut all).unwrap();
    let model = contents(&mut store);
    drop(store);
    let text = format!("root key\t{}\nlabel\ttest\n{}", hex(&ROOT), describe(&model));
    if std::env::var_os("BYDESIGN_WRITE_VECTORS").is_some() {
        std::fs::write(&path, part.image()).unwrap();
        std::fs::write(&list, &text).unwrap();
    }
    assert!(
        std::fs::read(&path).unwrap() == part.image(),
        "{name}: the same history gives another image"
    );
    assert_eq!(std::fs::read_to_string(&list).unwrap(), text, "{name}");
}

fn contents_of_the_history(model: &Model) {
    let value = |class, name: &str| model.get(&(class, name.to_owned())).map(Vec::as_slice);
    assert_eq!(value(0, "serial"), Some(&b"SN-000001"[..]));
    assert_eq!(value(1, "wifi.password"), Some(&b"of the second owner"[..]));
    assert_eq!(value(2, "name"), Some(&b"Grace"[..]));
    assert_eq!(value(3, "pin"), Some(&b"hashed elsewhere"[..]));
    assert_eq!(value(2, "gone"), None);
}

#[test]
fn the_images_of_version_1_are_made_again_byte_for_byte() {
    check("v1-overwritable-4", &history::<Nor<4, 1024>>(8 * 1024));
    check("v1-write-once-8", &history::<Ecc<8, 1024>>(8 * 1024));
    check("v1-overwritable-4-aged", &aged::<Nor<4, 1024>>(8 * 1024));
    check("v1-write-once-32-aged", &aged::<Ecc<32, 256>>(8 * 1024));
    check(
        "v1-overwritable-1-committed",
        &committed::<Nor<1, 4096>>(16 * 1024),
    );
    check(
        "v1-write-once-16-committed",
        &committed::<Ecc<16, 1024>>(8 * 1024),
    );
}

/// Reads the files alone: this is the test that later releases keep.
#[test]
fn the_images_of_version_1_are_read() {
    fn read<P: Part>(name: &str) -> Model {
        let image = std::fs::read(folder().join(format!("{name}.bin"))).unwrap();
        let mut part = P::of_image(&image);
        let mut store = mount(&mut part).unwrap();
        let mut model = Model::new();
        for class in 0..5 {
            let insert =
                |name: &str, value: &[u8]| drop(model.insert((class, name.to_owned()), value.to_vec()));
            store.for_each(support::class(class), insert).unwrap();
        }
        model
    }
    contents_of_the_history(&read::<Nor<4, 1024>>("v1-overwritable-4"));
    contents_of_the_history(&read::<Ecc<8, 1024>>("v1-write-once-8"));
    for aged in [
        read::<Nor<4, 1024>>("v1-overwritable-4-aged"),
        read::<Ecc<32, 256>>("v1-write-once-32-aged"),
    ] {
        contents_of_the_history(&aged);
        assert_eq!(aged.get(&(2, "counter".to_owned())), Some(&vec![89; 50]));
        assert_eq!(aged.get(&(2, "torn".to_owned())), None);
    }
    for committed in [
        read::<Nor<1, 4096>>("v1-overwritable-1-committed"),
        read::<Ecc<16, 1024>>("v1-write-once-16-committed"),
    ] {
        let value = |class, name: &str| committed.get(&(class, name.to_owned())).map(Vec::as_slice);
        assert_eq!(value(0, "serial"), Some(&b"SN-000001"[..]));
        assert_eq!(value(0, "second"), Some(&b"1"[..]));
        assert_eq!(
            value(2, "name"),
            Some(&b"B"[..]),
            "of the last transaction that was committed"
        );
        assert_eq!(value(2, "torn"), None);
        assert_eq!(value(4, ""), None);
    }
}

/// The hexadecimal example in the format document is the first value of `v1-write-once-8.bin`.
#[test]
fn the_example_in_the_format_document_is_a_real_record() {
    let part = history::<Ecc<8, 1024>>(8 * 1024);
    let record = 2 * 1024 + 16 + 88 + 88;
    let bytes = &part.image()[record..record + 48];
    let lines: Vec<String> = bytes
        .chunks(16)
        .enumerate()
        .map(|(row, bytes)| {
            format!(
                "{:06x}  {}",
                record + row * 16,
                bytes
                    .iter()
                    .map(|byte| format!("{byte:02x}"))
                    .collect::<Vec<_>>()
                    .join(" ")
            )
        })
        .collect();
    let document = include_str!("../docs/on-flash-format.md");
    for line in &lines {
        assert!(
            document.contains(line.as_str()),
            "docs/on-flash-format.md should show:\n{}",
            lines.join("\n")
        );
    }
}

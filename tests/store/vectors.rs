//! Images of format version 1 that every later release must read, made again here and compared, and the worked example of
//! `docs/on-flash-format.md`.
//!
//! `BYDESIGN_WRITE_VECTORS=1 cargo test --test store vectors::` writes them; a change of an existing image is a change of the format.

use crate::drivers;
use crate::support;

use std::fmt::Write as _;
use std::path::PathBuf;

use bydesign::flash::NeverPends;
use bydesign::flash::simulator::{EraseTear, ProgramTear, WornOut};
use bydesign::store::{AnchorPolicy, AsyncStore, Change, Class, DataClass, Store, UserId, WriteError};
use chacha20::ChaCha20Rng;
use drivers::{Pending, Shared, poll_times};
use support::register::Register;
use support::{Ecc, LABEL, Memory, Model, Nor, Part, ROOT, contents, format, mount, random, root_key};

/// Calls that fail by script.
const PROGRAMS: u8 = 2;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/images")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A value of each class, one overwritten, one removed, the settings erased once.
fn fill<M: NeverPends>(store: &mut Store<M, Memory>, source: &mut ChaCha20Rng) {
    store
        .put_fixed_bytes(Class::Identity, "serial", b"SN-000001", source)
        .unwrap();
    store
        .put_bytes(Class::Settings, "wifi.password", b"of the first owner", source)
        .unwrap();
    store.put_bytes(Class::User, "name", b"Ada", source).unwrap();
    store.put_bytes(Class::User, "name", b"Grace", source).unwrap();
    store
        .put_bytes(DataClass::user(UserId(7)), "pin", b"hashed elsewhere", source)
        .unwrap();
    store.put_bytes(Class::Application(1), "", b"", source).unwrap();
    store.put_bytes(Class::User, "gone", b"removed", source).unwrap();
    store.remove_bytes(Class::User, "gone", source).unwrap();
    store.erase(Class::Settings, source).unwrap();
}

/// A store with that, and two boots.
fn history<P: Part>(capacity: usize) -> P {
    let mut part = P::new(capacity);
    let mut store = format(&mut part, 20_181_014);
    let mut source = random(303_645);
    fill(&mut store, &mut source);
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

/// The same on a part of whose log the first page had stopped to erase before its store was made; another one goes bad later.
fn left_out<P: Part>(capacity: usize) -> P {
    let mut part = history::<P>(capacity);
    part.wear_out(2 * 1024, Some(WornOut::DoesNotErase));
    let mut source = random(12);
    let mut store =
        Store::format_erasing(part.medium(), Memory::new(), &root_key(), LABEL, &mut source).unwrap();
    fill(&mut store, &mut source);
    store
        .put_bytes(
            Class::Settings,
            "wifi.password",
            b"of the second owner",
            &mut source,
        )
        .unwrap();
    drop(store);
    part.wear_out(5 * 1024, Some(WornOut::KeepsAZero));
    let mut store = mount(&mut part).unwrap();
    for round in 0..90u8 {
        store
            .put_bytes(Class::User, "counter", &[round; 50], &mut source)
            .unwrap();
    }
    assert_eq!(store.figures().left_out_pages, 2);
    drop(store);
    part
}

/// The same with checkpoints.
fn checkpoints<P: Part>(capacity: usize) -> P {
    let mut part = history::<P>(capacity);
    let mut source = random(13);
    let mut store = mount(&mut part).unwrap();
    store.keep_checkpoints(&mut source).unwrap();
    for round in 0..200u8 {
        store
            .put_bytes(Class::User, "counter", &[round; 50], &mut source)
            .unwrap();
    }
    drop(store);
    // Kind 10 with 12 steps, of no class.
    let is_checkpoint = |word: &[u8]| {
        let header = u32::from_le_bytes(word.try_into().unwrap());
        (header >> 27, header >> 11 & 63, header & 0x7ff) == (10, 63, 12)
    };
    assert!(part.image().chunks(4).any(is_checkpoint));
    part
}

fn now<T>(future: impl Future<Output = T>) -> T {
    poll_times(future, usize::MAX).expect("ends")
}

/// The history, then a write that the driver said had failed and that stands there whole, and then the erasure of another class.
fn whole_behind_the_keys<P: Pending>(capacity: usize) -> P {
    let mut part = history::<P>(capacity);
    let (script, key, mut source) = (Shared::default(), root_key(), random(13));
    script.borrow_mut().after = true;
    let medium = part.pending(&script);
    let mut store = now(AsyncStore::mount(medium, Memory::new(), &key, LABEL)).unwrap();
    now(store.put_bytes(Class::User, "before", b"acknowledged", &mut source)).unwrap();
    script.borrow_mut().fail(PROGRAMS, 0, 1);
    let failed = now(store.put_bytes(Class::User, "behind", b"never accepted", &mut source));
    assert!(matches!(failed, Err(WriteError::Flash(_))), "{failed:?}");
    now(store.erase(Class::Application(1), &mut source)).unwrap();
    drop(store);
    part
}

/// Three values that are replaced together, one that is removed, and one that is there for good, in four classes.
fn commit_round<M: NeverPends>(store: &mut Store<M, Memory>, round: u8) -> Result<(), WriteError> {
    let (batch, value) = (format!("batch.{round}"), [round; 52]);
    let mut changes = vec![
        Change::put_bytes(Class::User, "balance.a", &value[..50]),
        Change::put_bytes(DataClass::user(UserId(7)), "balance.b", &value[..51]),
        Change::put_bytes(Class::Application(1), "total", &value),
        Change::remove_bytes(Class::Settings, "pending"),
    ];
    if round % 8 == 1 {
        changes.push(Change::put_fixed_bytes(Class::Identity, &batch, b"checked"));
    }
    store.commit(&changes, &mut random(u64::from(round)))
}

fn put_pending<M: NeverPends>(store: &mut Store<M, Memory>, round: u8) {
    store
        .put_bytes(
            Class::Settings,
            "pending",
            &[round; 9],
            &mut random(512 + u64::from(round)),
        )
        .unwrap();
}

/// The history with many transactions, so that staged records were copied; the last one is the newest record.
fn transactions<P: Part>(capacity: usize) -> P {
    let mut part = history::<P>(capacity);
    let mut store = mount(&mut part).unwrap();
    for round in 0..26 {
        put_pending(&mut store, round);
        commit_round(&mut store, round).unwrap();
    }
    drop(store);
    part
}

/// The history with two transactions, the second of which is cut short so many bytes before its end.
fn transaction_cut_short<P: Part>(capacity: usize, from_the_end: impl Fn(u64) -> u64) -> P {
    let begin = |part: &mut P, events: Option<u64>, last: bool| {
        let mut store = mount(part).unwrap();
        commit_round(&mut store, 0).unwrap();
        put_pending(&mut store, 1);
        if let Some(events) = events {
            P::cut_in_store(&mut store, events);
        }
        last.then(|| commit_round(&mut store, 1).is_ok())
    };
    let mut part = history::<P>(capacity);
    part.set_tear(ProgramTear::TornWord, EraseTear::Clean, 5);
    let (mut before, mut whole) = (part.clone(), part.clone());
    begin(&mut before, None, false);
    assert_eq!(begin(&mut whole, None, true), Some(true));
    let events = whole.events() - before.events();
    begin(&mut part, Some(events - from_the_end(events)), true);
    assert!(part.is_off());
    part.power_on();
    part
}

/// A cut in the middle of a transaction, behind its second record.
fn staged_only<P: Part>(capacity: usize) -> P {
    let written = if P::OVERWRITABLE { 300 } else { 250 };
    transaction_cut_short(capacity, |events| events - written)
}

/// The same, and then a class was erased of which a record had been staged.
fn staged_and_erased<P: Part>(capacity: usize) -> P {
    let mut part = staged_only::<P>(capacity);
    let mut store = mount(&mut part).unwrap();
    store.erase(Class::User, &mut random(16)).unwrap();
    drop(store);
    part
}

/// A transaction that is there, and the second of the records that it superseded is half overwritten.
fn overwriting_cut_short(capacity: usize) -> Nor<4, 1024> {
    transaction_cut_short(capacity, |_| 180)
}

/// The counter of an anchored store stands here when its history ends: moved by its start, by each round, and once more by the first.
const ANCHORED: u32 = 41 + 1 + 1 + 13;

/// The history with transactions, held against a counter from then on; the last ones are not covered.
fn anchored<P: Part>(capacity: usize) -> P {
    let mut part = history::<P>(capacity);
    let mut counter = Register::at(41);
    let mut source = random(90);
    let mut store = mount(&mut part).unwrap();
    store.start_counter(&mut counter, &mut source).unwrap();
    for round in 0..13 {
        put_pending(&mut store, round);
        commit_round(&mut store, round).unwrap();
        store
            .anchor(&mut counter, AnchorPolicy::EveryChange, &mut source)
            .unwrap();
        if round == 9 {
            store.erase(Class::Settings, &mut source).unwrap();
        }
    }
    assert_eq!(counter.value, ANCHORED);
    put_pending(&mut store, 13);
    drop(store);
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
    check_with(name, "", part);
}

/// `settings` are more lines for the text, a name and a value each.
fn check_with<P: Part>(name: &str, settings: &str, part: &P) {
    let path = folder().join(format!("{name}.bin"));
    let list = folder().join(format!("{name}.txt"));
    let mut all = part.clone();
    let mut store = mount(&mut all).unwrap();
    let model = contents(&mut store);
    drop(store);
    let text = format!(
        "root key\t{}\nlabel\ttest\n{settings}{}",
        hex(&ROOT),
        describe(&model)
    );
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
        "v1-overwritable-4-transactions",
        &transactions::<Nor<4, 1024>>(8 * 1024),
    );
    check(
        "v1-write-once-8-transactions",
        &transactions::<Ecc<8, 1024>>(8 * 1024),
    );
    check("v1-overwritable-4-staged", &staged_only::<Nor<4, 1024>>(8 * 1024));
    check("v1-write-once-8-staged", &staged_only::<Ecc<8, 1024>>(8 * 1024));
    check(
        "v1-overwritable-4-staged-erased",
        &staged_and_erased::<Nor<4, 1024>>(8 * 1024),
    );
    check(
        "v1-write-once-8-staged-erased",
        &staged_and_erased::<Ecc<8, 1024>>(8 * 1024),
    );
    check("v1-overwritable-4-left-out", &left_out::<Nor<4, 1024>>(8 * 1024));
    check("v1-write-once-8-left-out", &left_out::<Ecc<8, 1024>>(8 * 1024));
    check(
        "v1-overwritable-4-behind",
        &whole_behind_the_keys::<Nor<4, 1024>>(8 * 1024),
    );
    check(
        "v1-write-once-8-behind",
        &whole_behind_the_keys::<Ecc<8, 1024>>(8 * 1024),
    );
    check(
        "v1-write-once-8-checkpoints",
        &checkpoints::<Ecc<8, 1024>>(16 * 1024),
    );
    check("v1-overwritable-4-overwriting", &overwriting_cut_short(8 * 1024));
    let counter = format!("counter\t{ANCHORED}\n");
    check_with(
        "v1-overwritable-4-anchored",
        &counter,
        &anchored::<Nor<4, 1024>>(8 * 1024),
    );
    check_with(
        "v1-write-once-8-anchored",
        &counter,
        &anchored::<Ecc<8, 1024>>(8 * 1024),
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
    for left_out in [
        read::<Nor<4, 1024>>("v1-overwritable-4-left-out"),
        read::<Ecc<8, 1024>>("v1-write-once-8-left-out"),
    ] {
        contents_of_the_history(&left_out);
        assert_eq!(left_out.get(&(2, "counter".to_owned())), Some(&vec![89; 50]));
    }
    let checkpoints = read::<Ecc<8, 1024>>("v1-write-once-8-checkpoints");
    contents_of_the_history(&checkpoints);
    assert_eq!(checkpoints.get(&(2, "counter".to_owned())), Some(&vec![199; 50]));
    for behind in [
        read::<Nor<4, 1024>>("v1-overwritable-4-behind"),
        read::<Ecc<8, 1024>>("v1-write-once-8-behind"),
    ] {
        contents_of_the_history(&behind);
        assert_eq!(
            behind.get(&(2, "before".to_owned())),
            Some(&b"acknowledged".to_vec())
        );
        assert_eq!(behind.get(&(2, "behind".to_owned())), None);
        assert_eq!(behind.get(&(4, String::new())), None);
    }
    let balances = |model: &Model| {
        [(2, "balance.a"), (3, "balance.b"), (4, "total")]
            .map(|(class, name)| model.get(&(class, name.to_owned())).map(|value| value[0]))
    };
    for all in [
        read::<Nor<4, 1024>>("v1-overwritable-4-transactions"),
        read::<Ecc<8, 1024>>("v1-write-once-8-transactions"),
    ] {
        contents_of_the_history(&all);
        assert_eq!(balances(&all), [Some(25); 3]);
        assert_eq!(all.get(&(1, "pending".to_owned())), None);
        assert_eq!(all.get(&(0, "batch.25".to_owned())), Some(&b"checked".to_vec()));
    }
    for staged in [
        read::<Nor<4, 1024>>("v1-overwritable-4-staged"),
        read::<Ecc<8, 1024>>("v1-write-once-8-staged"),
    ] {
        contents_of_the_history(&staged);
        assert_eq!(balances(&staged), [Some(0); 3]);
        assert_eq!(staged.get(&(1, "pending".to_owned())), Some(&vec![1; 9]));
        assert_eq!(staged.get(&(0, "batch.1".to_owned())), None);
    }
    for erased in [
        read::<Nor<4, 1024>>("v1-overwritable-4-staged-erased"),
        read::<Ecc<8, 1024>>("v1-write-once-8-staged-erased"),
    ] {
        assert_eq!(balances(&erased), [None, None, Some(0)]);
    }
    let overwriting = read::<Nor<4, 1024>>("v1-overwritable-4-overwriting");
    contents_of_the_history(&overwriting);
    assert_eq!(balances(&overwriting), [Some(1); 3]);
    for anchored in [
        read::<Nor<4, 1024>>("v1-overwritable-4-anchored"),
        read::<Ecc<8, 1024>>("v1-write-once-8-anchored"),
    ] {
        assert_eq!(balances(&anchored), [Some(12); 3]);
        assert_eq!(anchored.get(&(1, "wifi.password".to_owned())), None);
        assert_eq!(anchored.get(&(1, "pending".to_owned())), Some(&vec![13; 9]));
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
    let document = include_str!("../../docs/on-flash-format.md");
    for line in &lines {
        assert!(
            document.contains(line.as_str()),
            "docs/on-flash-format.md should show:\n{}",
            lines.join("\n")
        );
    }
}

//! Typed values whose shape changes from one firmware to the next.

use crate::support;

use bydesign::store::{Class, CodecError, Key, ReadError, Serde, Stored, UpgradeError, WriteError};
use serde::{Deserialize, Serialize};
use support::{Ecc, Nor, Part, format, mount, random, second_cuts, tears};

#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
struct Old {
    hour: u8,
}

#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
struct New {
    minutes: u16,
    on: bool,
}

const OLD: Key<Serde<Old>> = Key::new("schedule", Class::Settings).version(1);
const NEW: Key<Serde<New>> = Key::new("schedule", Class::Settings)
    .version(2)
    .migrate(from_earlier);
const NEWEST: Key<u8> = Key::new("schedule", Class::Settings).version(3);

fn from_earlier(version: u8, bytes: &[u8]) -> Result<Serde<New>, CodecError> {
    if version != 1 {
        return Err(CodecError);
    }
    let Serde(old) = Serde::<Old>::decode(bytes)?;
    Ok(Serde(New {
        minutes: u16::from(old.hour) * 60,
        on: true,
    }))
}

fn migrated() -> Serde<New> {
    Serde(New {
        minutes: 420,
        on: true,
    })
}

#[test]
fn an_earlier_version_is_read_through_the_migration_and_stays_until_it_is_upgraded() {
    let mut part = Nor::<4, 1024>::new(8 * 1024);
    let mut store = format(&mut part, 1);
    store.put(&OLD, &Serde(Old { hour: 7 }), &mut random(1)).unwrap();
    assert_eq!(store.get(&NEW), Ok(Some(migrated())));
    assert_eq!(
        store.get(&OLD),
        Ok(Some(Serde(Old { hour: 7 }))),
        "reading changed nothing"
    );
    assert_eq!(store.upgrade(&NEW, &mut random(2)), Ok(true));
    assert_eq!(store.upgrade(&NEW, &mut random(2)), Ok(false), "once");
    assert_eq!(store.get(&NEW), Ok(Some(migrated())));
    assert_eq!(
        store.get(&OLD),
        Err(ReadError::Version(2)),
        "the earlier firmware is told"
    );
}

#[test]
fn an_item_that_is_not_there_needs_no_upgrade() {
    let mut part = Nor::<4, 1024>::new(8 * 1024);
    let mut store = format(&mut part, 1);
    assert_eq!(store.upgrade(&NEW, &mut random(2)), Ok(false));
}

//= compliance/requirements.md#store-32
//= type=test
//# A value of a later version than the key's MUST NOT be decoded, and its bytes MUST stay as they are.
#[test]
fn a_later_version_is_an_error_and_keeps_its_bytes() {
    let mut part = Nor::<4, 1024>::new(8 * 1024);
    let mut store = format(&mut part, 1);
    store.put(&NEWEST, &9, &mut random(1)).unwrap();
    assert_eq!(store.get(&NEW), Err(ReadError::Version(3)));
    let refused = store.upgrade(&NEW, &mut random(2));
    assert_eq!(refused, Err(UpgradeError::Read(ReadError::Version(3))));
    assert_eq!(store.get(&NEWEST), Ok(Some(9)));
}

#[test]
fn an_earlier_version_that_the_key_does_not_read_is_an_error_and_keeps_its_bytes() {
    const OLDEST: Key<u8> = Key::new("schedule", Class::Settings);
    let mut part = Nor::<4, 1024>::new(8 * 1024);
    let mut store = format(&mut part, 1);
    store.put(&OLDEST, &9, &mut random(1)).unwrap();
    assert_eq!(store.get(&NEW), Err(ReadError::Version(0)));
    assert_eq!(
        store.get(&OLD),
        Err(ReadError::Version(0)),
        "a key without a migration"
    );
    assert!(store.upgrade(&NEW, &mut random(2)).is_err());
    assert_eq!(store.get(&OLDEST), Ok(Some(9)));
}

#[test]
fn a_write_once_item_is_read_through_the_migration_for_good() {
    const FIXED_OLD: Key<u8> = Key::fixed("unit", Class::Identity);
    const FIXED_NEW: Key<u16> = Key::fixed("unit", Class::Identity).version(1).migrate(wider);
    fn wider(_: u8, bytes: &[u8]) -> Result<u16, CodecError> {
        Ok(u16::from(u8::decode(bytes)?))
    }
    let mut part = Nor::<4, 1024>::new(8 * 1024);
    let mut store = format(&mut part, 1);
    store.put(&FIXED_OLD, &5, &mut random(1)).unwrap();
    assert_eq!(store.get(&FIXED_NEW), Ok(Some(5)));
    let refused = store.upgrade(&FIXED_NEW, &mut random(2));
    assert_eq!(refused, Err(UpgradeError::Write(WriteError::Fixed)));
    assert_eq!(store.get(&FIXED_NEW), Ok(Some(5)));
}

/// The items that a new firmware upgrades one after the other in its first start.
const ITEMS: [(&str, Class, u8); 5] = [
    ("weekday", Class::Settings, 7),
    ("weekend", Class::Settings, 9),
    ("own", Class::User, 11),
    ("guest", Class::Application(1), 13),
    ("factory", Class::Identity, 15),
];

fn upgrade_all<P: Part>(part: &mut P, seed: u64, upgraded: &mut usize) -> bool {
    let Ok(mut store) = mount(part) else {
        return false;
    };
    let mut source = random(seed);
    for (at, (name, class, _)) in ITEMS.into_iter().enumerate() {
        let key = Key::new(name, class).version(2).migrate(from_earlier);
        if store.upgrade::<Serde<New>, _>(&key, &mut source).is_err() {
            return false;
        }
        *upgraded = (*upgraded).max(at + 1);
    }
    true
}

/// Each item reads as the migrated value and is stored in one of the two versions; gives how many are of the present one, which
/// are the first ones.
fn upgraded<P: Part>(part: &mut P, context: &str) -> usize {
    let mut store = mount(part).unwrap_or_else(|error| panic!("{context}: {error}"));
    let versions = ITEMS.map(|(name, class, hour)| {
        let present = Key::new(name, class).version(2).migrate(from_earlier);
        let minutes = u16::from(hour) * 60;
        let on = true;
        assert_eq!(
            store.get(&present),
            Ok(Some(Serde(New { minutes, on }))),
            "{context}: {name}"
        );
        match store.get(&Key::<Serde<Old>>::new(name, class).version(1)) {
            Ok(Some(Serde(old))) if old.hour == hour => 1,
            Err(ReadError::Version(2)) => 2,
            other => panic!("{context}: {name} is {other:?}"),
        }
    });
    assert!(
        versions.is_sorted_by(|one, next| one >= next),
        "{context}: {versions:?}"
    );
    versions.iter().filter(|version| **version == 2).count()
}

/// Old items in a ring that has been written around; the upgrades turn a page over.
fn before_the_upgrade<P: Part>() -> P {
    let mut part = P::new(6 * 1024);
    let mut store = format(&mut part, 1);
    let mut source = random(1);
    for (name, class, hour) in ITEMS {
        let key = Key::<Serde<Old>>::new(name, class).version(1);
        store.put(&key, &Serde(Old { hour }), &mut source).unwrap();
    }
    for round in 0..60u8 {
        let value = [round; 50];
        store
            .put_bytes(Class::Settings, "other", &value, &mut source)
            .unwrap();
    }
    drop(store);
    part
}

fn cut_upgrades<P: Part>() {
    let base = before_the_upgrade::<P>();
    let events = {
        let mut part = base.clone();
        let begun = part.events();
        assert!(upgrade_all(&mut part, 2, &mut 0));
        part.events() - begun
    };
    let mut cuts = 0;
    let mut seen = [0; ITEMS.len() + 1];
    for tear in tears::<P>() {
        for first in 0..events {
            let context = format!("{tear:?}, cut at {first} of {events}");
            let mut part = base.clone();
            part.set_tear(tear.0, tear.1, first);
            part.cut_after(first);
            let mut done = 0;
            assert!(!upgrade_all(&mut part, 2, &mut done), "{context}");
            assert!(part.is_off(), "{context}: the cut must come");
            part.power_on();
            cuts += 1;
            let again = {
                let mut part = part.clone();
                let found = upgraded(&mut part, &context);
                assert!(
                    found >= done,
                    "{context}: {done} were acknowledged, {found} are there"
                );
                seen[found] += 1;
                let begun = part.events();
                assert!(upgrade_all(&mut part, 3, &mut done), "{context}: again");
                assert_eq!(upgraded(&mut part, &context), ITEMS.len(), "{context}");
                part.events() - begun
            };
            for second in second_cuts(first, again, 128, 199) {
                let context = format!("{context}, then at {second} of {again}");
                let (mut part, mut done) = (part.clone(), 0);
                part.cut_after(second);
                let finished = upgrade_all(&mut part, 3, &mut done);
                assert!(part.is_off() || finished, "{context}");
                cuts += u64::from(part.is_off());
                part.power_on();
                assert!(upgraded(&mut part, &context) >= done, "{context}");
                assert!(upgrade_all(&mut part, 4, &mut done), "{context}: again");
                assert_eq!(upgraded(&mut part, &context), ITEMS.len(), "{context}");
            }
        }
    }
    println!("{cuts} cuts");
    // All of them only where something is written behind the last one.
    assert!(seen[..ITEMS.len()].iter().all(|times| *times > 3), "{seen:?}");
}

#[test]
fn upgrades_that_are_cut_at_any_event_read_the_same_and_complete_when_run_again_on_overwritable_flash() {
    cut_upgrades::<Nor<4, 1024>>();
}

#[test]
fn upgrades_that_are_cut_at_any_event_read_the_same_and_complete_when_run_again_on_write_once_flash() {
    cut_upgrades::<Ecc<8, 1024>>();
}

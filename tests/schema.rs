//! Typed values whose shape changes from one firmware to the next.

mod support;

use bydesign::flash::simulator::{EraseTear, ProgramTear};
use bydesign::store::{Class, CodecError, Key, ReadError, Serde, Stored, UpgradeError, WriteError};
use serde::{Deserialize, Serialize};
use support::{Ecc, Nor, Part, format, mount, random};

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

#[test]
fn an_upgrade_that_is_cut_at_any_event_reads_the_same() {
    fn check<P: Part>(tear: ProgramTear) {
        let mut base = P::new(8 * 1024);
        let mut store = format(&mut base, 1);
        store.put(&OLD, &Serde(Old { hour: 7 }), &mut random(1)).unwrap();
        drop(store);
        let (mut earlier, mut present) = (0, 0);
        for event in 0.. {
            let mut part = base.clone();
            part.set_tear(tear, EraseTear::OldOrOne, event);
            part.cut_after(event);
            let done = mount(&mut part).is_ok_and(|mut store| store.upgrade(&NEW, &mut random(2)).is_ok());
            if !part.is_off() {
                assert!(done);
                break;
            }
            part.power_on();
            let mut store = mount(&mut part).unwrap();
            assert_eq!(store.get(&NEW), Ok(Some(migrated())), "event {event}");
            if store.upgrade(&NEW, &mut random(3)).unwrap() {
                earlier += 1;
            } else {
                present += 1;
            }
            assert_eq!(store.get(&NEW), Ok(Some(migrated())), "event {event}");
        }
        assert!(
            earlier > 20,
            "{earlier} of the earlier version, {present} of the present one"
        );
    }
    check::<Nor<4, 1024>>(ProgramTear::TornWord);
    check::<Ecc<8, 1024>>(ProgramTear::Unstable);
}

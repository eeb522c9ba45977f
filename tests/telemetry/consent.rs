//! Nothing without a consent; a consent is to what was declared when it was given.

use bydesign::store::Class;
use bydesign::telemetry::{
    Answer, Clamped, ConsentClass, Declaration, Gate, GateError, Purpose, Raw, Retention,
};

use crate::support::{Nor, Part, format, mount, random};
use crate::toy::{
    COMFORT, GATE, HABITS, HOUSE, RECORDS, SAFETY, Toy, US, day, fields, house, safety, send_all,
};

type Flash = Nor<4, 4096>;

//= compliance/requirements.md#tele-3
//= type=test
//# A field whose purpose the user has not agreed to MUST NOT be in a report that is queued.
#[test]
fn what_was_not_agreed_to_is_not_in_the_report() {
    let mut part = Flash::new(64 * 1024);
    let mut store = format(&mut part, 1);
    let mut random = random(1);
    assert_eq!(
        GATE.submit(&mut store, house(true, 1), day(1), &mut random),
        Err(GateError::NoConsent)
    );
    GATE.grant(&mut store, COMFORT.number, day(1), &mut random)
        .unwrap();
    let prepared = GATE
        .prepare(&mut store, house(true, 1), day(1), &mut random)
        .unwrap();
    assert_eq!(prepared.left_out().no_consent, 3);
    assert_eq!(prepared.epsilon().micros(), 0, "what is left out is not paid for");
    GATE.release(&mut store, prepared, day(1), &mut random).unwrap();
    let sent = send_all(&mut store, day(1), &mut random).unwrap();
    let names: Vec<_> = fields(&sent[0]).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["device", "warm"]);
}

//= compliance/requirements.md#tele-15
//= type=test
//# The answer to a question for consent MUST be on flash with its purpose, the version and fingerprint of what was declared, and the day, when the call returns.
#[test]
fn nothing_is_asked_twice_and_the_record_has_day_and_version_and_no_more() {
    let mut part = Flash::new(64 * 1024);
    let mut store = format(&mut part, 1);
    let mut random = random(1);
    let mut asked = Vec::new();
    while let Some(purpose) = GATE.question(&mut store).unwrap() {
        asked.push(purpose);
        assert!(asked.len() <= 3, "asked for ever: {asked:?}");
        let now = bydesign::telemetry::Time::of(9 * 86_400 + 12_345);
        match purpose {
            2 => GATE.withdraw(&mut store, purpose, now, &mut random).unwrap(),
            _ => GATE.grant(&mut store, purpose, now, &mut random).unwrap(),
        }
    }
    assert_eq!(asked, [1, 2, 3]);
    drop(store);
    let mut store = mount(&mut part).unwrap();
    let granted = GATE.consent(&mut store, COMFORT.number).unwrap().unwrap();
    assert_eq!(
        (granted.answer, granted.day, granted.version),
        (Answer::Granted, 9, Toy::VERSION)
    );
    let terms = Toy::TERMS
        .iter()
        .find(|terms| terms.purpose == COMFORT.number)
        .unwrap();
    assert_eq!((granted.purpose, granted.terms), (COMFORT.number, terms.terms));
    let refused = GATE.consent(&mut store, HABITS.number).unwrap().unwrap();
    assert_eq!(refused.answer, Answer::Refused);
    assert!(GATE.allows(&mut store, COMFORT.number).unwrap());
    assert!(!GATE.allows(&mut store, HABITS.number).unwrap());
    assert_eq!(GATE.allows(&mut store, 99), Err(GateError::Undeclared));
}

#[test]
fn activity_is_recorded_until_the_user_objects() {
    let mut part = Flash::new(64 * 1024);
    let mut store = format(&mut part, 1);
    let mut random = random(1);
    assert!(GATE.allows(&mut store, SAFETY.number).unwrap());
    GATE.submit(&mut store, safety(2), day(1), &mut random).unwrap();
    GATE.withdraw(&mut store, SAFETY.number, day(1), &mut random)
        .unwrap();
    assert!(!GATE.allows(&mut store, SAFETY.number).unwrap());
    assert_eq!(
        GATE.submit(&mut store, safety(2), day(1), &mut random),
        Err(GateError::NoConsent)
    );
    let status = GATE
        .status(&mut store, RECORDS.rules.number, day(1), &mut random)
        .unwrap();
    assert_eq!((status.waiting, status.is_open), (0, false));
}

#[test]
fn a_new_owner_is_asked_again_and_gets_nothing_that_waited() {
    let mut part = Flash::new(64 * 1024);
    let mut store = format(&mut part, 1);
    let mut random = random(1);
    crate::toy::agree(&mut store);
    GATE.submit(&mut store, house(true, 1), day(1), &mut random)
        .unwrap();
    store.erase(Class::Settings, &mut random).unwrap();
    assert_eq!(GATE.question(&mut store).unwrap(), Some(COMFORT.number));
    assert_eq!(
        send_all(&mut store, day(1), &mut random).unwrap(),
        Vec::<Vec<u8>>::new()
    );
    crate::toy::agree(&mut store);
    assert_eq!(
        send_all(&mut store, day(1), &mut random).unwrap(),
        Vec::<Vec<u8>>::new(),
        "it was erased when the consent was gone"
    );
}

/// The same purpose, of which more is declared.
mod later {
    use super::*;

    bydesign::report! {
        /// Of its safety.
        pub(super) struct Safety {
            report: 2, "safety", version 8;
            class: OPT_IN;
            bytes: 8;
            /// Alarms.
            alarms: u8 {
                purpose: SAFE,
                treatment: Clamped = Clamped::between(0, MOST),
                retention: Retention::Days(DAYS),
                recipient: US,
            }
        }
    }
    bydesign::declaration! {
        /// All of it.
        pub(super) struct Later: "Toy house", version 5 {
            classes: [OPT_IN],
            purposes: [SAFE],
            reports: [Safety],
        }
    }
    const OPT_IN: ConsentClass = ConsentClass::new(2, "records");
    const SAFE: Purpose = Purpose::new(3, "safety", "To be safe.", &OPT_IN);
    const MOST: i64 = 9;
    const DAYS: u16 = 2;
}

mod earlier {
    use super::*;

    bydesign::report! {
        /// Of its safety.
        pub(super) struct Safety {
            report: 2, "safety", version 7;
            class: OPT_IN;
            bytes: 8;
            /// Alarms.
            alarms: u8 {
                purpose: SAFE,
                treatment: Clamped = Clamped::between(0, 9),
                retention: Retention::Days(1),
                recipient: US,
            }
        }
    }
    bydesign::declaration! {
        /// All of it.
        pub(super) struct Earlier: "Toy house", version 4 {
            classes: [OPT_IN],
            purposes: [SAFE],
            reports: [Safety],
        }
    }
    bydesign::declaration! {
        /// The same, in another version of the declaration.
        pub(super) struct Renumbered: "Toy house", version 5 {
            classes: [OPT_IN],
            purposes: [SAFE],
            reports: [Safety],
        }
    }
    const OPT_IN: ConsentClass = ConsentClass::new(2, "records");
    const SAFE: Purpose = Purpose::new(3, "safety", "To be safe.", &OPT_IN);
}

//= compliance/requirements.md#tele-5
//= type=test
//# Where what is declared for a purpose has changed since the consent, the consent MUST NOT count.
#[test]
fn a_user_is_asked_again_where_more_is_declared_and_only_there() {
    let mut part = Flash::new(64 * 1024);
    let mut store = format(&mut part, 1);
    let mut random = random(1);
    let before = Gate::<earlier::Earlier>::new();
    before.grant(&mut store, 3, day(1), &mut random).unwrap();
    let alarms = || earlier::Safety { alarms: Raw::new(1) };
    before.submit(&mut store, alarms(), day(1), &mut random).unwrap();

    let renumbered = Gate::<earlier::Renumbered>::new();
    assert_eq!(
        renumbered.question(&mut store).unwrap(),
        None,
        "nothing has changed for the user"
    );

    // Kept for two days instead of one.
    let after = Gate::<later::Later>::new();
    assert_eq!(after.question(&mut store).unwrap(), Some(3));
    let report = || later::Safety { alarms: Raw::new(1) };
    assert_eq!(
        after.submit(&mut store, report(), day(1), &mut random),
        Err(GateError::NoConsent)
    );
    after.grant(&mut store, 3, day(1), &mut random).unwrap();
    after.submit(&mut store, report(), day(1), &mut random).unwrap();
    assert_eq!(after.question(&mut store).unwrap(), None);
}

#[test]
fn what_is_the_librarys_own_is_out_of_the_applications_reach() {
    let mut part = Flash::new(64 * 1024);
    let mut store = format(&mut part, 1);
    let mut random = random(1);
    crate::toy::agree(&mut store);
    GATE.submit(&mut store, house(true, 1), day(1), &mut random)
        .unwrap();
    let class = Class::Application(HOUSE.rules.application);
    for (class, name) in [
        (Class::Settings, "\0consent"),
        (class, "\0epoch"),
        (class, "\0queue"),
        (Class::Ledger, "telemetry.00000001"),
    ] {
        assert!(store.contains_bytes(class, name).unwrap(), "{name:?} is there");
        assert!(
            store.put_bytes(class, name, b"", &mut random).is_err(),
            "{name:?}"
        );
        assert!(store.remove_bytes(class, name, &mut random).is_err(), "{name:?}");
    }
}

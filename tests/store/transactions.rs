//! Several changes together: all of them or none, whatever happens.

use crate::support;

use bydesign::secret::Secret;
use bydesign::store::{Change, Class, DataClass, Key, Serde, UserId, WriteError};
use support::operation::{Operation, Outcome, commit, put};
use support::{BUFFER, Ecc, Model, Nor, Part, TEARS, contents, format, mount, random};

const FROM: Key<u32> = Key::new("from", Class::User);
const TO: Key<Serde<(u8, u32)>> = Key::new("to", Class::Settings).version(3);
const PASSWORD: Key<Secret<16>> = Key::new("password", Class::Settings);
const SERIAL: Key<[u8; 4]> = Key::fixed("serial", Class::Identity);

/// Runs a test body on both kinds of flash.
macro_rules! on_both {
    ($check:ident) => {
        $check::<Nor<4, 1024>>();
        $check::<Ecc<8, 1024>>();
    };
}

#[test]
fn changes_of_several_types_and_classes_are_made_together() {
    fn check<P: Part>() {
        let mut part = P::new(8 * 1024);
        let mut store = format(&mut part, 1);
        store.put(&FROM, &100, &mut random(1)).unwrap();
        store
            .put(&PASSWORD, &Secret::new([7; 16]), &mut random(1))
            .unwrap();
        let changes = [
            Change::put(&FROM, &60),
            Change::put(&TO, &Serde((1, 40))),
            Change::remove(&PASSWORD),
            Change::put(&SERIAL, b"SN-1"),
            Change::put_bytes(DataClass::user(UserId(9)), "of a new user", b"x"),
            Change::remove_bytes(Class::User, "never there"),
        ];
        store.commit(&changes, &mut random(2)).unwrap();
        for _ in 0..2 {
            assert_eq!(store.get(&FROM), Ok(Some(60)));
            assert_eq!(store.get(&TO), Ok(Some(Serde((1, 40)))));
            assert!(store.get(&PASSWORD).unwrap().is_none());
            assert_eq!(store.get(&SERIAL), Ok(Some(*b"SN-1")));
            assert_eq!(store.figures().items, 4);
            drop(store);
            store = mount(&mut part).unwrap();
        }
        assert_eq!(
            store.put(&SERIAL, b"SN-2", &mut random(3)),
            Err(WriteError::Fixed),
            "a write-once item stays one"
        );
    }
    on_both!(check);
}

#[test]
fn an_empty_transaction_and_one_that_removes_nothing_write_nothing() {
    fn check<P: Part>() {
        let mut part = P::new(8 * 1024);
        drop(format(&mut part, 1));
        let before = part.image().to_vec();
        let mut store = mount(&mut part).unwrap();
        store.commit(&[], &mut random(1)).unwrap();
        store
            .commit(&[Change::remove(&FROM), Change::remove(&TO)], &mut random(1))
            .unwrap();
        drop(store);
        assert!(part.image() == before.as_slice());
    }
    on_both!(check);
}

#[test]
fn a_transaction_that_cannot_be_made_says_why_and_changes_nothing() {
    fn check<P: Part>() {
        let mut part = P::new(8 * 1024);
        let mut store = format(&mut part, 1);
        store.put(&SERIAL, b"SN-1", &mut random(1)).unwrap();
        store.put(&FROM, &1, &mut random(1)).unwrap();
        let before = contents(&mut store);
        let long = "n".repeat(64);
        let (value, user) = ([1; 400], DataClass::from(Class::User));
        let refusals: [(&[Change<'_>], WriteError); 6] = [
            (
                &[Change::put(&FROM, &2), Change::put_bytes(user, &long, b"x")],
                WriteError::Name,
            ),
            (
                &[Change::put(&FROM, &2), Change::remove(&FROM)],
                WriteError::Repeated,
            ),
            (
                &[Change::put(&FROM, &2), Change::put(&SERIAL, b"SN-2")],
                WriteError::Fixed,
            ),
            (
                &[Change::put(&FROM, &2), Change::remove(&SERIAL)],
                WriteError::Fixed,
            ),
            (
                &[Change::put(&FROM, &2), Change::put_bytes(user, "big", &[1; 2000])],
                WriteError::TooLong(0),
            ),
            (
                &[
                    Change::put_bytes(user, "a", &value),
                    Change::put_bytes(user, "b", &value),
                ],
                WriteError::TransactionTooLong { bytes: 0, limit: 0 },
            ),
        ];
        for (changes, expected) in refusals {
            let refused = store.commit(changes, &mut random(2)).expect_err("is refused");
            assert_eq!(
                std::mem::discriminant(&refused),
                std::mem::discriminant(&expected),
                "{refused}"
            );
            assert_eq!(contents(&mut store), before, "{refused}");
        }
    }
    on_both!(check);
}

#[test]
fn a_transaction_of_all_that_a_page_holds_fits_it_and_one_byte_more_does_not() {
    fn check<P: Part>() {
        let mut part = P::new(8 * 1024);
        let mut store = format(&mut part, 1);
        let try_lengths = |store: &mut bydesign::store::Store<P::Medium<'_>, support::Memory>, len: usize| {
            let value = [3; BUFFER];
            let (first, second) = (&value[..300], &value[..len]);
            let changes = [
                Change::put_bytes(Class::User, "a", first),
                Change::put_bytes(Class::User, "b", second),
            ];
            store.commit(&changes, &mut random(2))
        };
        let most = (0..500).rev().find(|&len| try_lengths(&mut store, len).is_ok());
        let most = most.expect("short ones fit");
        assert!(most > 200, "{most}");
        let Err(WriteError::TransactionTooLong { bytes, limit }) = try_lengths(&mut store, most + 8) else {
            panic!("eight bytes more are too many");
        };
        assert!(bytes > limit && bytes <= limit + 16);
        assert_eq!(store.figures().items, 2);
    }
    on_both!(check);
}

#[test]
fn a_full_store_refuses_a_transaction_and_still_removes_by_one() {
    fn check<P: Part>() {
        let mut part = P::new(4 * 1024);
        let mut store = format(&mut part, 1);
        let mut source = random(1);
        let mut model = Model::new();
        for key in 0..9 {
            let operation = put(0, key, 60, key);
            if operation.run(&mut store, &mut source) == Outcome::Done {
                model = operation.apply(&model);
            }
        }
        let mut refused = 0;
        for round in 0..40 {
            let operation = commit(1, round % 9, 60, round);
            match operation.run(&mut store, &mut source) {
                Outcome::Done => model = operation.apply(&model),
                Outcome::Refused => refused += 1,
                Outcome::Cut => panic!("nothing failed"),
            }
            assert_eq!(contents(&mut store), model);
        }
        assert!(refused > 0);
        let removal = Change::remove_bytes(Class::Identity, "key-1");
        store.commit(&[removal], &mut source).expect("removes");
        model.remove(&(0, "key-1".to_owned()));
        assert_eq!(contents(&mut store), model);
    }
    on_both!(check);
}

//= compliance/requirements.md#store-31
//= type=test
//# The changes of one transaction MUST take effect together or not at all, whatever interrupts it.
#[test]
fn a_transaction_that_fails_at_any_call_is_made_whole_or_not_at_all() {
    fn check<P: Part>() {
        let mut base = P::new(8 * 1024);
        let mut store = format(&mut base, 1);
        let mut model = Model::new();
        for operation in [
            put(1, 1, 30, 1),
            put(2, 2, 30, 2),
            put(1, 3, 30, 3),
            put(0, 0, 30, 4),
        ] {
            assert_eq!(operation.run(&mut store, &mut random(1)), Outcome::Done);
            model = operation.apply(&model);
        }
        drop(store);
        let operation = commit(1, 1, 50, 9);
        let after = operation.apply(&model);
        let (mut whole, mut none) = (0, 0);
        for calls in 0.. {
            let mut part = base.clone();
            let mut store = mount(&mut part).unwrap();
            P::fail_in_store(&mut store, calls);
            let outcome = operation.run(&mut store, &mut random(2));
            P::fail_in_store(&mut store, u64::MAX);
            let state = contents(&mut store);
            assert!(state == model || state == after, "call {calls}: a third state");
            if outcome == Outcome::Done {
                assert_eq!(state, after);
            }
            whole += u32::from(state == after);
            none += u32::from(state == model);
            // It goes on, and a start sees what was seen.
            let next = commit(2, 4, 20, 7);
            assert_eq!(
                next.run(&mut store, &mut random(3)),
                Outcome::Done,
                "call {calls}"
            );
            drop(store);
            assert_eq!(contents(&mut mount(&mut part).unwrap()), next.apply(&state));
            if outcome == Outcome::Done && calls > 200 {
                break;
            }
        }
        assert!(whole > 3 && none > 3, "{whole} made, {none} not");
    }
    on_both!(check);
}

#[test]
fn histories_of_transactions_with_cuts_leave_no_half_of_one() {
    fn check<P: Part>() {
        let mut cuts = 0;
        for seed in 0..24u64 {
            let tear = TEARS[usize::try_from(seed).unwrap() % TEARS.len()];
            let tear = if P::OVERWRITABLE && seed % 6 == 2 {
                TEARS[1]
            } else {
                tear
            };
            let mut part = P::new(8 * 1024);
            let mut model = Model::new();
            drop(format(&mut part, seed));
            for round in 0..100u8 {
                let operation = match round % 9 {
                    4 => put(1, round % 5, 40, round),
                    7 => Operation::EraseClass { class: round % 5 },
                    8 => Operation::Remove {
                        class: 2,
                        key: round % 5,
                    },
                    _ => commit(round % 5, round % 7, 60, round),
                };
                let after = operation.apply(&model);
                let context = format!("seed {seed}, round {round}, {operation:?}");
                part.set_tear(tear.0, tear.1, seed << 8 | u64::from(round));
                part.cut_after(u64::from(round) * 89 % 900 + seed);
                let outcome = mount(&mut part)
                    .ok()
                    .map(|mut store| operation.run(&mut store, &mut random(seed)));
                cuts += u32::from(part.is_off());
                part.power_on();
                let mut store = mount(&mut part).unwrap_or_else(|error| panic!("{context}: {error}"));
                let state = contents(&mut store);
                assert!(state == model || state == after, "{context}: a third state");
                if outcome == Some(Outcome::Done) {
                    assert_eq!(state, after, "{context}");
                }
                model = state;
            }
        }
        assert!(cuts > 500, "{cuts}");
    }
    on_both!(check);
}

/// Without the last Commit the records before it are an interrupted write; with anything behind it, or changed, they are damage.
#[test]
fn a_changed_record_of_a_transaction_is_noticed_wherever_it_stands() {
    fn check<P: Part>() {
        let mut base = P::new(8 * 1024);
        let mut store = format(&mut base, 1);
        let mut model = Model::new();
        let operations = [put(1, 1, 30, 1), put(1, 3, 30, 3), commit(1, 1, 20, 9)];
        for operation in &operations {
            assert_eq!(operation.run(&mut store, &mut random(1)), Outcome::Done);
            model = operation.apply(&model);
        }
        drop(store);
        let last = base.clone();
        let mut store = mount(&mut base).unwrap();
        let behind = put(2, 8, 10, 5);
        assert_eq!(behind.run(&mut store, &mut random(2)), Outcome::Done);
        let after = behind.apply(&model);
        drop(store);
        let before_commit = [put(1, 1, 30, 1), put(1, 3, 30, 3)]
            .iter()
            .fold(Model::new(), |model, operation| operation.apply(&model));

        let (mut noticed, mut dropped) = (0, 0);
        for (image, states) in [(&last, [&model, &before_commit]), (&base, [&after, &model])] {
            // The first log page; the key pages have tests of their own.
            for bit in 2 * 1024 * 8..3 * 1024 * 8 {
                let mut part = image.clone();
                part.image_mut()[bit / 8] ^= 1 << (bit % 8);
                match mount(&mut part) {
                    Err(_) => noticed += 1,
                    Ok(mut store) => {
                        let state = contents(&mut store);
                        assert!(
                            states.contains(&&state),
                            "bit {bit}: a mixture: {state:?}\n of {states:?}"
                        );
                        dropped += u32::from(state == before_commit);
                    }
                }
            }
        }
        assert!(noticed > 1000, "{noticed}");
        if P::OVERWRITABLE {
            assert_eq!(
                dropped, 0,
                "what the transaction superseded is overwritten: it cannot be taken back"
            );
        } else {
            assert!(
                dropped > 0,
                "the last record made unreadable is the documented limit"
            );
        }
    }
    on_both!(check);
}

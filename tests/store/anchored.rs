//! The store held against a counter: what was anchored cannot be taken back, and no power cut looks like an attack.

use crate::support;

use bydesign::flash::simulator::{EraseTear, ProgramTear};
use bydesign::flash::{NeverPends, Overwritable, WriteOnce};
use bydesign::store::{
    AnchorError, AnchorPolicy, Class, Counter, CounterPlace, FlashCounter, Freshness, MountError,
};
use support::operation::{Operation, Outcome, put};
use support::register::Register;
use support::{Ecc, Model, Nor, Part, TEARS, contents, format, mount, mount_anchored, random};

const fn register() -> Register {
    Register::at(0)
}

/// A store of a few items, held against the counter.
fn anchored<P: Part>(capacity: usize, counter: &mut impl Counter) -> P {
    let mut part = P::new(capacity);
    let mut store = format(&mut part, 1);
    for key in 0..4 {
        assert_eq!(
            put(key, key, 30, key).run(&mut store, &mut random(2)),
            Outcome::Done
        );
    }
    store.start_counter(counter, &mut random(3)).expect("starts");
    drop(store);
    part
}

const WRITES: [Operation; 6] = [
    Operation::Put {
        class: 0,
        key: 0,
        len: 40,
        fill: 7,
    },
    Operation::Put {
        class: 2,
        key: 9,
        len: 200,
        fill: 8,
    },
    Operation::Remove { class: 1, key: 1 },
    Operation::EraseClass { class: 2 },
    Operation::Put {
        class: 2,
        key: 2,
        len: 10,
        fill: 9,
    },
    Operation::EraseItem { class: 3, key: 3 },
];

//= compliance/requirements.md#store-28
//= type=test
//# A mount with a counter that is ahead of the store MUST fail.
#[test]
fn every_earlier_image_is_refused_when_each_change_is_anchored() {
    fn check<P: Part>() {
        let mut counter = register();
        let mut part = anchored::<P>(8 * 1024, &mut counter);
        let mut earlier = Vec::new();
        for round in 0..30 {
            earlier.push((part.clone(), counter.value));
            let mut store = mount_anchored(&mut part, &mut counter).expect("the latest mounts");
            let operation = &WRITES[round % WRITES.len()];
            assert_eq!(
                operation.run(&mut store, &mut random(9)),
                Outcome::Done,
                "{operation:?}"
            );
            store
                .anchor(&mut counter, AnchorPolicy::EveryChange, &mut random(9))
                .expect("anchors");
            assert_eq!(store.freshness(), Freshness::Anchored { window: 0 });
        }
        mount_anchored(&mut part, &mut counter).expect("the latest mounts");
        let mut refused = 0;
        for (mut part, value) in earlier {
            // Some operations find nothing to do.
            if value == counter.value {
                continue;
            }
            assert_eq!(
                mount_anchored(&mut part, &mut counter).err(),
                Some(MountError::SetBack {
                    store: value,
                    counter: counter.value
                })
            );
            refused += 1;
        }
        assert!(refused > 20, "{refused}");
    }
    check::<Nor<4, 1024>>();
    check::<Ecc<8, 1024>>();
}

#[test]
fn an_image_from_before_an_erasure_is_refused_when_only_erasures_are_anchored() {
    let mut counter = register();
    let mut part = anchored::<Nor<4, 1024>>(8 * 1024, &mut counter);
    let policy = AnchorPolicy::AtErase;
    let mut store = mount_anchored(&mut part, &mut counter).unwrap();
    store
        .put_bytes(Class::User, "diary", b"secret", &mut random(1))
        .unwrap();
    store.anchor(&mut counter, policy, &mut random(1)).unwrap();
    drop(store);
    let mut store = mount_anchored(&mut part, &mut counter).unwrap();
    store
        .put_bytes(Class::User, "diary", b"secret 2", &mut random(1))
        .unwrap();
    // The first call after a start moves the counter, whatever the policy: the second tells.
    store.anchor(&mut counter, policy, &mut random(1)).unwrap();
    store
        .put_bytes(Class::User, "diary", b"secret 3", &mut random(1))
        .unwrap();
    let at = counter.value;
    store.anchor(&mut counter, policy, &mut random(1)).unwrap();
    assert_eq!(counter.value, at, "an update is no reason");
    assert_eq!(store.freshness(), Freshness::Anchored { window: 1 });
    drop(store);
    let before_update = part.clone();
    let mut store = mount_anchored(&mut part, &mut counter).unwrap();
    store
        .put_bytes(Class::User, "diary", b"secret 4", &mut random(1))
        .unwrap();
    drop(store);
    mount_anchored(&mut before_update.clone(), &mut counter).expect("an update may be taken back");
    let before_erasure = part.clone();
    let mut store = mount_anchored(&mut part, &mut counter).unwrap();
    store.erase(Class::User, &mut random(1)).unwrap();
    drop(store);
    // Power went before the anchor; the next start still knows that it is due.
    let mut store = mount_anchored(&mut part, &mut counter).unwrap();
    store.anchor(&mut counter, policy, &mut random(1)).unwrap();
    drop(store);
    for mut image in [before_update, before_erasure] {
        let refused = mount_anchored(&mut image, &mut counter).err();
        assert!(matches!(refused, Some(MountError::SetBack { .. })), "{refused:?}");
    }
}

#[test]
fn the_window_counts_what_was_written_since_and_survives_a_start() {
    let mut counter = register();
    let mut part = anchored::<Ecc<8, 1024>>(8 * 1024, &mut counter);
    let policy = AnchorPolicy::Every(3);
    // The first call after a start moves the counter twice, whatever the policy.
    let mut store = mount_anchored(&mut part, &mut counter).unwrap();
    store.anchor(&mut counter, policy, &mut random(1)).unwrap();
    let at = counter.value;
    assert_eq!(at, 3);
    drop(store);
    for round in 1..=2 {
        let mut store = mount_anchored(&mut part, &mut counter).unwrap();
        store
            .put_bytes(Class::User, "a", &[round], &mut random(1))
            .unwrap();
        assert_eq!(store.freshness(), Freshness::Anchored { window: round.into() });
        drop(store);
        let store = mount_anchored(&mut part, &mut counter).unwrap();
        assert_eq!(store.freshness(), Freshness::Anchored { window: round.into() });
    }
    assert_eq!(counter.value, at);
    let mut store = mount_anchored(&mut part, &mut counter).unwrap();
    store.anchor(&mut counter, policy, &mut random(1)).unwrap();
    assert_eq!(counter.value, at + 2);
    for (round, moved) in [(1, 2), (2, 2), (3, 3)] {
        store
            .put_bytes(Class::User, "a", &[round], &mut random(1))
            .unwrap();
        store.anchor(&mut counter, policy, &mut random(1)).unwrap();
        assert_eq!(counter.value, at + moved, "after {round} records");
        let window = u32::from(round) % 3;
        assert_eq!(store.freshness(), Freshness::Anchored { window });
    }
}

//= compliance/requirements.md#store-30
//= type=test
//# The store MUST NOT call its contents anchored unless a counter out of the attacker's reach agreed since power came.
#[test]
fn when_the_record_of_the_last_anchor_was_collected_the_window_is_unknown_and_the_next_anchor_closes_it() {
    fn check<P: Part>() {
        let mut counter = register();
        let mut part = anchored::<P>(8 * 1024, &mut counter);
        let mut store = mount_anchored(&mut part, &mut counter).unwrap();
        assert_eq!(put(1, 1, 40, 1).run(&mut store, &mut random(9)), Outcome::Done);
        let seldom = AnchorPolicy::Every(1_000);
        store.anchor(&mut counter, seldom, &mut random(9)).unwrap();
        let anchored_at = counter.value;
        // Some turns of the ring without an anchor.
        for number in 0..250 {
            assert_eq!(
                put(1, 1, 100, number).run(&mut store, &mut random(9)),
                Outcome::Done
            );
            store.anchor(&mut counter, seldom, &mut random(9)).unwrap();
        }
        // Copies that the collection made are records too.
        assert!(matches!(
            store.freshness(),
            Freshness::Anchored { window: 250..1_000 }
        ));
        assert_eq!(counter.value, anchored_at, "250 are fewer than 1,000");
        drop(store);

        let mut store =
            mount_anchored(&mut part, &mut counter).expect("the counter stands where the log says");
        assert_eq!(store.freshness(), Freshness::Anchored { window: u32::MAX });
        let before = contents(&mut store);
        drop(store);
        let mut earlier = part.clone();
        let mut store = mount_anchored(&mut part, &mut counter).unwrap();
        store.anchor(&mut counter, seldom, &mut random(9)).unwrap();
        assert!(counter.value > anchored_at);
        assert_eq!(store.freshness(), Freshness::Anchored { window: 0 });
        drop(store);
        let refused = mount_anchored(&mut earlier, &mut counter).err();
        assert!(
            matches!(refused, Some(MountError::SetBack { .. })),
            "{refused:?}; what was written without an anchor cannot be taken back any more"
        );
        let mut store = mount_anchored(&mut part, &mut counter).unwrap();
        assert_eq!(contents(&mut store), before);
    }
    check::<Nor<4, 1024>>();
    check::<Ecc<8, 1024>>();
}

#[test]
fn nothing_but_a_counter_out_of_reach_makes_a_store_anchored() {
    let mut part = Nor::<4, 1024>::new(8 * 1024);
    let store = format(&mut part, 1);
    assert_eq!(store.freshness(), Freshness::SinceMount);
    drop(store);
    assert_eq!(mount(&mut part).unwrap().freshness(), Freshness::Unanchored);

    let mut near = Register {
        place: CounterPlace::SameFlash,
        ..register()
    };
    let mut part = anchored::<Nor<4, 1024>>(8 * 1024, &mut near);
    let mut store = mount_anchored(&mut part, &mut near).unwrap();
    assert_eq!(store.freshness(), Freshness::Unanchored);
    store.put_bytes(Class::User, "a", b"1", &mut random(1)).unwrap();
    store
        .anchor(&mut near, AnchorPolicy::EveryChange, &mut random(1))
        .unwrap();
    assert_eq!(store.freshness(), Freshness::Unanchored);

    let mut counter = register();
    let mut part = anchored::<Nor<4, 1024>>(8 * 1024, &mut counter);
    assert_eq!(
        mount(&mut part).unwrap().freshness(),
        Freshness::Unanchored,
        "not asked"
    );
}

#[test]
fn a_store_mounted_without_its_counter_is_not_declared_the_latest() {
    let mut counter = register();
    let mut part = anchored::<Nor<4, 1024>>(8 * 1024, &mut counter);
    let mut store = mount(&mut part).unwrap();
    store.put_bytes(Class::User, "a", b"1", &mut random(1)).unwrap();
    let refused = store.anchor(&mut counter, AnchorPolicy::EveryChange, &mut random(1));
    assert_eq!(refused, Err(AnchorError::NotAnchored));
    assert_eq!(counter.value, 1);
    drop(store);
    mount_anchored(&mut part, &mut counter).expect("what was written in between counts");
}

#[test]
fn a_store_without_a_counter_and_a_counter_of_another_are_refused_by_name() {
    let mut part = Nor::<4, 1024>::new(8 * 1024);
    drop(format(&mut part, 1));
    let refused = mount_anchored(&mut part, &mut register()).err();
    assert_eq!(refused, Some(MountError::NotAnchored));

    let mut counter = register();
    let mut part = anchored::<Nor<4, 1024>>(8 * 1024, &mut counter);
    for _ in 0..3 {
        let mut store = mount_anchored(&mut part, &mut counter).unwrap();
        store.put_bytes(Class::User, "a", b"1", &mut random(1)).unwrap();
        store
            .anchor(&mut counter, AnchorPolicy::EveryChange, &mut random(1))
            .unwrap();
    }
    let mut reset = register();
    assert_eq!(
        mount_anchored(&mut part, &mut reset).err(),
        Some(MountError::OtherCounter)
    );
    let mut store = mount(&mut part).unwrap();
    assert_eq!(
        store.start_counter(&mut reset, &mut random(1)),
        Err(AnchorError::OtherCounter)
    );
    // A higher one may take over, when the application says so.
    let mut higher = Register {
        value: 90,
        ..register()
    };
    store.start_counter(&mut higher, &mut random(1)).unwrap();
    drop(store);
    mount_anchored(&mut part, &mut higher).unwrap();
}

//= compliance/requirements.md#store-29
//= type=test
//# The store MUST state the counter's next value on flash, and read it back, before the counter is moved.
#[test]
fn a_counter_that_fails_is_moved_the_next_time() {
    let mut counter = register();
    let mut part = anchored::<Nor<4, 1024>>(8 * 1024, &mut counter);
    let mut store = mount_anchored(&mut part, &mut counter).unwrap();
    store.put_bytes(Class::User, "a", b"1", &mut random(1)).unwrap();
    counter.left = 0;
    let policy = AnchorPolicy::EveryChange;
    assert_eq!(
        store.anchor(&mut counter, policy, &mut random(1)),
        Err(AnchorError::Counter)
    );
    assert_eq!(
        store.freshness(),
        Freshness::Anchored { window: 1 },
        "not yet covered"
    );
    counter.left = 3;
    store
        .anchor(&mut counter, policy, &mut random(1))
        .expect("moves it");
    assert_eq!(
        (counter.value, store.freshness()),
        (4, Freshness::Anchored { window: 0 })
    );
    store.put_bytes(Class::User, "a", b"2", &mut random(1)).unwrap();
    assert_eq!(
        store.anchor(&mut counter, policy, &mut random(1)),
        Err(AnchorError::Counter)
    );
    drop(store);
    counter.left = 1;
    let store = mount_anchored(&mut part, &mut counter).expect("one behind is no attack");
    assert_eq!(
        (counter.value, store.freshness()),
        (5, Freshness::Anchored { window: 0 })
    );
}

/// Starting the counter, and each kind of change with its anchor, cut at every event of the store's part.
fn cut_everywhere<P: Part>(program: ProgramTear, erase: EraseTear) -> u32 {
    let mut cuts = 0;
    let step = |part: &mut P, counter: &mut Register, operation: Option<&Operation>| {
        let Some(operation) = operation else {
            let Ok(mut store) = mount(part) else { return false };
            return store.start_counter(counter, &mut random(5)).is_ok();
        };
        let Ok(mut store) = mount_anchored(part, counter) else {
            return false;
        };
        operation.run(&mut store, &mut random(5)) == Outcome::Done
            && store
                .anchor(counter, AnchorPolicy::EveryChange, &mut random(5))
                .is_ok()
    };
    let mut base = P::new(8 * 1024);
    let mut store = format(&mut base, 1);
    let mut model = Model::new();
    for key in 0..4 {
        let operation = put(key, key, 60, key);
        assert_eq!(operation.run(&mut store, &mut random(2)), Outcome::Done);
        model = operation.apply(&model);
    }
    drop(store);
    let mut counter = register();
    for operation in [None].into_iter().chain(WRITES.iter().map(Some)) {
        let after = operation.map_or_else(|| model.clone(), |operation| operation.apply(&model));
        for event in 0.. {
            let (mut part, mut moved) = (base.clone(), counter);
            part.set_tear(program, erase, event);
            part.cut_after(event);
            let done = step(&mut part, &mut moved, operation);
            if !part.is_off() {
                assert!(done);
                break;
            }
            cuts += 1;
            part.power_on();
            let context = format!("{operation:?}, event {event}");
            let refused = mount_anchored(&mut part, &mut moved).err();
            let not_begun = operation.is_none() && refused == Some(MountError::NotAnchored);
            let mounted = if not_begun {
                mount(&mut part)
            } else {
                mount_anchored(&mut part, &mut moved)
            };
            let mut store = mounted.unwrap_or_else(|error| panic!("{context}: {error}"));
            let state = contents(&mut store);
            assert!(state == model || state == after, "{context}: a third state");
            if operation.is_some() {
                store
                    .put_bytes(Class::Settings, "go on", b"1", &mut random(6))
                    .expect("goes on");
                store
                    .anchor(&mut moved, AnchorPolicy::EveryChange, &mut random(6))
                    .expect("anchors");
                drop(store);
                mount_anchored(&mut part, &mut moved).unwrap_or_else(|error| panic!("{context}: {error}"));
            }
        }
        assert!(step(&mut base, &mut counter, operation), "uncut");
        model = after;
    }
    cuts
}

#[test]
fn no_cut_of_the_store_looks_like_an_attack_on_overwritable_flash() {
    let mut cuts = 0;
    for (program, erase) in TEARS {
        let program = match program {
            ProgramTear::UnreadableWord => ProgramTear::TornWord,
            program => program,
        };
        cuts += cut_everywhere::<Nor<4, 1024>>(program, erase);
    }
    assert!(cuts > 5_000, "{cuts}");
}

#[test]
fn no_cut_of_the_store_looks_like_an_attack_on_write_once_flash() {
    let mut cuts = 0;
    for (program, erase) in TEARS {
        cuts += cut_everywhere::<Ecc<8, 1024>>(program, erase);
    }
    assert!(cuts > 5_000, "{cuts}");
}

#[test]
fn anchoring_each_change_finds_room_in_a_store_as_full_as_it_gets() {
    fn check<P: Part>(capacity: usize) {
        let mut counter = register();
        let mut part = anchored::<P>(capacity, &mut counter);
        let mut store = mount_anchored(&mut part, &mut counter).unwrap();
        let mut random = random(4);
        let mut items = 0;
        while items < 200 && put(0, 10 + items, 50, items).run(&mut store, &mut random) == Outcome::Done {
            items += 1;
        }
        assert!(items > 0);
        for round in 0..400u32 {
            let key = 10 + round.to_le_bytes()[0] % items;
            let update = put(0, key, 50, round.to_le_bytes()[0]);
            assert_eq!(
                update.run(&mut store, &mut random),
                Outcome::Done,
                "round {round}"
            );
            store
                .anchor(&mut counter, AnchorPolicy::EveryChange, &mut random)
                .unwrap_or_else(|error| panic!("round {round}: {error}"));
        }
        drop(store);
        mount_anchored(&mut part, &mut counter).expect("mounts");
        assert_eq!(counter.value, 402);
    }
    check::<Nor<4, 1024>>(4 * 1024);
    check::<Nor<1, 4096>>(24 * 1024);
    check::<Ecc<8, 1024>>(4 * 1024);
    check::<Ecc<32, 2048>>(16 * 1024);
}

// ---- the counter in a flash area of its own ----

fn block<F: Future>(future: F) -> F::Output {
    let mut future = std::pin::pin!(future);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    loop {
        if let std::task::Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
    }
}

fn counter<M: NeverPends>(medium: M) -> FlashCounter<M> {
    FlashCounter::new(medium, CounterPlace::OutOfReach).expect("a sound area")
}

/// Cut at every event of a few turns of the two pages, and again in what comes after.
fn flash_counter_survives<P: Part>(capacity: usize, steps: u32) {
    for (program, erase) in TEARS {
        let program = match program {
            ProgramTear::UnreadableWord if P::OVERWRITABLE => ProgramTear::TornWord,
            program => program,
        };
        let mut base = P::new(capacity);
        let mut value = 0;
        while value < steps {
            for event in 0.. {
                let mut part = base.clone();
                part.set_tear(program, erase, u64::from(value) << 16 | event);
                part.cut_after(event);
                let done = block(counter(part.medium()).advance()).is_ok();
                if !part.is_off() {
                    assert!(done);
                    break;
                }
                // A second cut falls into what the next start writes.
                for second in [None, Some(event % 13)] {
                    let mut part = part.clone();
                    part.power_on();
                    if let Some(second) = second {
                        part.cut_after(second);
                        let _ = block(counter(part.medium()).value());
                        part.power_on();
                    }
                    let context = format!("{program:?} {erase:?}, at {value}, event {event}, {second:?}");
                    let mut area = counter(part.medium());
                    let read = block(area.value()).unwrap_or_else(|error| panic!("{context}: {error}"));
                    assert!(read == value || read == value + 1, "{context}: reads {read}");
                    drop(area);
                    for _ in 0..3 {
                        let again = block(counter(part.medium()).value());
                        assert_eq!(again, Ok(read), "{context}: what a start showed, the next shows");
                    }
                    let mut area = counter(part.medium());
                    block(area.advance()).unwrap_or_else(|error| panic!("{context}: {error}"));
                    drop(area);
                    for _ in 0..3 {
                        assert_eq!(block(counter(part.medium()).value()), Ok(read + 1), "{context}");
                    }
                }
            }
            block(counter(base.medium()).advance()).expect("advances");
            value += 1;
            assert_eq!(block(counter(base.medium()).value()), Ok(value));
        }
    }
}

#[test]
fn the_flash_counter_never_goes_back_whatever_the_power_does() {
    flash_counter_survives::<Nor<1, 64>>(128, 12);
    flash_counter_survives::<Nor<4, 128>>(256, 20);
    flash_counter_survives::<Ecc<8, 128>>(256, 20);
    flash_counter_survives::<Ecc<16, 256>>(1024, 20);
}

#[test]
fn the_flash_counter_wears_its_two_pages_evenly() {
    let mut area = bydesign::flash::simulator::Simulator::<4, 4096>::new(
        8192,
        bydesign::flash::simulator::Rule::Multiwrite,
    );
    let mut steps = counter(Overwritable::new(&mut area));
    for value in 1..=10_000 {
        block(steps.advance()).unwrap();
        assert_eq!(block(steps.value()), Ok(value));
    }
    let erases = &area.counters().erases_per_unit;
    assert_eq!(erases.iter().sum::<u32>(), 20, "a page of 511 values at a time");
    assert!(erases[0].abs_diff(erases[1]) <= 1);
}

#[test]
fn an_area_that_cannot_hold_a_counter_is_refused() {
    let mut one_page = Nor::<4, 4096>::new(4096);
    assert!(FlashCounter::new(one_page.medium(), CounterPlace::SameFlash).is_err());
    let mut small = Nor::<4, 16>::new(64);
    assert!(FlashCounter::new(small.medium(), CounterPlace::SameFlash).is_err());
    let mut driver = bydesign::flash::simulator::Simulator::<64, 4096>::new(
        8192,
        bydesign::flash::simulator::Rule::WriteOnce,
    );
    assert!(FlashCounter::new(WriteOnce::new(&mut driver), CounterPlace::SameFlash).is_err());
}

//! What an adversarial review of transactions and of the counter broke. See `docs/security-review.md`.

use crate::drivers;
use crate::forensics;
use crate::support;

use bydesign::flash::Overwritable;
use bydesign::flash::simulator::{EraseTear, ProgramTear};
use bydesign::flash::simulator::{Simulator, SimulatorError};
use bydesign::store::{
    AnchorError, AnchorPolicy, AsyncStore, Change, Class, Counter, CounterPlace, FlashCounter, Freshness,
    MountError, Store,
};
use drivers::{Glitch, Pending, Shared, poll_times};
use embedded_storage::nor_flash::{ErrorType, MultiwriteNorFlash, NorFlash, ReadNorFlash};
use support::register::Register;
use support::{
    Ecc, LABEL, Memory, Nor, Part, ROOT, contents, format, mount, mount_anchored, random, root_key,
};

const ALWAYS: usize = usize::MAX;

const fn register() -> Register {
    Register::at(0)
}

/// A put whose program call did its work and reported an error, then a transaction that removes the item and returns.
#[test]
fn an_item_that_a_transaction_removed_after_a_failed_put_stays_away() {
    let mut part = Nor::<4, 1024>::new(8 * 1024);
    drop(format(&mut part, 1));
    let script = Shared::default();
    let mut store = Store::mount(
        Overwritable::new(Glitch(&mut part.0, script.clone())),
        Memory::new(),
        &root_key(),
        LABEL,
    )
    .unwrap();
    store.put_bytes(Class::User, "a", b"1", &mut random(1)).unwrap();
    script.borrow_mut().after = true;
    script.borrow_mut().fail(2, 0, 1);
    store
        .put_bytes(Class::User, "x", &[7; 30], &mut random(1))
        .expect_err("fails");
    store
        .commit(&[Change::remove_bytes(Class::User, "x")], &mut random(1))
        .expect("removes");
    assert_eq!(store.contains_bytes(Class::User, "x"), Ok(false));
    drop(store);
    let residue = forensics::scan(part.image(), &ROOT, LABEL.as_bytes()).holds_value(&[7; 30]);
    let back = mount(&mut part).unwrap().contains_bytes(Class::User, "x");
    assert_eq!((back, residue), (Ok(false), false), "(is back, is found)");
}

/// The last word of a Commit reads differently each time, because power went in it.
fn unsteady_commit<P: Part>() {
    let (mut cuts, mut refused) = (0, Vec::new());
    let mut base = P::new(8 * 1024);
    let mut store = format(&mut base, 1);
    store
        .put_bytes(Class::User, "a", &[1; 20], &mut random(1))
        .unwrap();
    drop(store);
    let commit = |part: &mut P, seed: u64| {
        mount(part).is_ok_and(|mut store| {
            let changes = [
                Change::put_bytes(Class::User, "a", &[2; 20]),
                Change::put_bytes(Class::Settings, "b", &[3; 20]),
            ];
            store.commit(&changes, &mut random(seed)).is_ok()
        })
    };
    for seed in 0..12u64 {
        for event in 0.. {
            let mut part = base.clone();
            part.set_tear(ProgramTear::Unstable, EraseTear::Clean, event ^ seed << 32);
            part.cut_after(event);
            if commit(&mut part, seed) {
                break;
            }
            part.power_on();
            cuts += 1;
            for boot in 0..4 {
                match mount(&mut part) {
                    Ok(mut store) => drop(contents(&mut store)),
                    Err(error) => refused.push((seed, event, boot, error)),
                }
            }
        }
    }
    assert!(
        refused.is_empty(),
        "{} mounts after {cuts} cuts fail (seed, event, boot, error): {:?}",
        refused.len(),
        &refused[..refused.len().min(4)]
    );
}

#[test]
fn a_commit_that_reads_differently_each_time_leaves_a_store_that_mounts() {
    unsteady_commit::<Nor<1, 1024>>();
    unsteady_commit::<Nor<4, 1024>>();
    unsteady_commit::<Ecc<4, 1024>>();
}

/// One bit of the part reads differently each time: as its pattern says for the first looks, then every other time.
struct Flicker<'a, const W: usize, const E: usize> {
    part: &'a mut Simulator<W, E>,
    at: usize,
    bit: u8,
    pattern: u64,
    looks: u32,
    on: bool,
}

impl<const W: usize, const E: usize> ErrorType for Flicker<'_, W, E> {
    type Error = SimulatorError;
}

impl<const W: usize, const E: usize> ReadNorFlash for Flicker<'_, W, E> {
    const READ_SIZE: usize = 1;
    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), SimulatorError> {
        self.part.read(offset, bytes)?;
        if let Some(byte) = self
            .at
            .checked_sub(offset as usize)
            .and_then(|at| bytes.get_mut(at))
            && self.on
        {
            let flips = if self.looks < 8 {
                self.pattern >> self.looks & 1 == 1
            } else {
                self.looks.is_multiple_of(2)
            };
            *byte ^= if flips { self.bit } else { 0 };
            self.looks += 1;
        }
        Ok(())
    }
    fn capacity(&self) -> usize {
        self.part.capacity()
    }
}

impl<const W: usize, const E: usize> NorFlash for Flicker<'_, W, E> {
    const WRITE_SIZE: usize = W;
    const ERASE_SIZE: usize = E;
    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), SimulatorError> {
        // Programmed again, towards zero, or not at all.
        if (offset as usize..offset as usize + bytes.len()).contains(&self.at) {
            self.on = false;
        }
        self.part.write(offset, bytes)
    }
    fn erase(&mut self, from: u32, to: u32) -> Result<(), SimulatorError> {
        self.part.erase(from, to)
    }
}

impl<const W: usize, const E: usize> MultiwriteNorFlash for Flicker<'_, W, E> {}

/// Power went when one bit of a Commit was still between one and zero.
#[test]
fn a_commit_with_one_bit_that_reads_differently_each_time_counts_or_does_not() {
    let mut base = Nor::<4, 1024>::new(8 * 1024);
    let mut store = format(&mut base, 1);
    store
        .put_bytes(Class::User, "a", &[1; 20], &mut random(1))
        .unwrap();
    drop(store);
    let before = contents(&mut mount(&mut base).unwrap());
    let changes = [
        Change::put_bytes(Class::User, "a", &[2; 20]),
        Change::put_bytes(Class::Settings, "b", &[3; 20]),
    ];
    // The shortest cut that leaves the whole Commit.
    let (mut cut, after) = (0..)
        .find_map(|event| {
            let mut part = base.clone();
            part.cut_after(event);
            let _ = mount(&mut part).unwrap().commit(&changes, &mut random(2));
            part.power_on();
            let state = contents(&mut mount(&mut part.clone()).unwrap());
            (state != before).then_some((part, state))
        })
        .unwrap();
    let last = (0..8 * 1024)
        .rev()
        .find(|&at| cut.image()[at] != base.image()[at])
        .unwrap();
    let bit = 1 << cut.image()[last].trailing_ones();
    assert!(cut.image_mut()[last] & bit == 0);
    let mut bad = Vec::new();
    for pattern in 0..256u64 {
        let mut part = cut.clone();
        let mut seen = None;
        for boot in 0..6u64 {
            let flicker = Flicker {
                part: &mut part.0,
                at: last,
                bit,
                pattern: pattern.rotate_left(u32::try_from(boot).unwrap()),
                looks: 0,
                on: boot < 3,
            };
            let mounted = Store::mount(Overwritable::new(flicker), Memory::new(), &root_key(), LABEL);
            let state = mounted.map(|mut store| {
                let state = contents(&mut store);
                if boot == 2 {
                    store
                        .put_bytes(Class::User, "go on", b"1", &mut random(3))
                        .unwrap();
                    store.remove_bytes(Class::User, "go on", &mut random(3)).unwrap();
                }
                state
            });
            match state {
                Ok(state) if boot < 3 && (state == before || state == after) => seen = Some(state),
                Ok(state) if seen.as_ref() == Some(&state) => {}
                other => {
                    bad.push((pattern, boot, other.map(|state| state.len())));
                    break;
                }
            }
        }
    }
    assert!(
        bad.is_empty(),
        "{} of 256 (pattern, boot, items): {:?}",
        bad.len(),
        &bad[..bad.len().min(8)]
    );
}

/// What a transaction stored can be put again at the same length, as what puts stored can.
fn updates_after_a_commit<P: Part>(pages: usize) {
    let mut refused = Vec::new();
    for len in (20..800).step_by(20) {
        for count in 1..12u8 {
            let mut part = P::new(pages);
            let mut store = format(&mut part, 1);
            let names: Vec<_> = (0..count).map(|n| format!("n{n}")).collect();
            let value = vec![1; len];
            let changes: Vec<_> = names
                .iter()
                .map(|name| Change::put_bytes(Class::User, name, &value))
                .collect();
            let mut random = random(2);
            if store.commit(&changes, &mut random).is_err() {
                continue;
            }
            for round in 0..12 {
                let name = &names[round % names.len()];
                if let Err(error) = store.put_bytes(Class::User, name, &value, &mut random) {
                    refused.push((len, count, round, error));
                    break;
                }
            }
            // Removing always works.
            assert_eq!(store.remove_bytes(Class::User, "n0", &mut random), Ok(true));
        }
    }
    assert!(
        refused.is_empty(),
        "{} (length, items, update, error): {:?}",
        refused.len(),
        &refused[..refused.len().min(6)]
    );
}

#[test]
fn updates_of_what_a_transaction_stored_find_room() {
    updates_after_a_commit::<Nor<4, 1024>>(4 * 1024);
    updates_after_a_commit::<Ecc<8, 1024>>(4 * 1024);
    updates_after_a_commit::<Nor<4, 1024>>(8 * 1024);
}

/// One update of one item at each start, with a policy of three: on overwritable flash each update overwrites the one before.
fn window_over_restarts<P: Part>(per_boot: u8) {
    let mut counter = register();
    let mut part = P::new(8 * 1024);
    let mut store = format(&mut part, 1);
    store
        .put_bytes(Class::User, "a", &[0; 4], &mut random(1))
        .unwrap();
    store.start_counter(&mut counter, &mut random(1)).unwrap();
    drop(store);
    let mut written = 0;
    for boot in 0..4u8 {
        let mut store = mount_anchored(&mut part, &mut counter).unwrap();
        let Freshness::Anchored { window } = store.freshness() else {
            panic!("anchored")
        };
        assert!(
            window >= written,
            "boot {boot}: {written} were written since, the store says {window}"
        );
        for n in 0..per_boot {
            store
                .put_bytes(Class::User, "a", &[n; 4], &mut random(2))
                .unwrap();
            written += 1;
        }
        let before = counter.value;
        store
            .anchor(&mut counter, AnchorPolicy::Every(3), &mut random(2))
            .unwrap();
        if counter.value > before {
            written = 0;
        }
        assert!(
            written < 3,
            "boot {boot}: {written} were written and none of them anchored"
        );
    }
}

#[test]
fn the_window_survives_a_start_on_write_once_flash() {
    window_over_restarts::<Ecc<4, 1024>>(1);
    window_over_restarts::<Ecc<4, 1024>>(2);
}

#[test]
fn the_window_survives_a_start_on_overwritable_flash() {
    window_over_restarts::<Nor<4, 1024>>(1);
}

#[test]
fn the_window_survives_two_updates_and_a_start_on_overwritable_flash() {
    window_over_restarts::<Nor<4, 1024>>(2);
}

#[test]
fn a_start_of_the_counter_that_was_dropped_or_failed_can_be_repeated() {
    let mut refused = Vec::new();
    let mut base = Nor::<4, 1024>::new(8 * 1024);
    drop(format(&mut base, 1));
    for polls in 1..60 {
        for erase in [false, true] {
            let mut part = base.clone();
            let mut counter = register();
            let key = root_key();
            let mut source = random(7);
            let medium = part.pending(&Shared::default());
            let mut store = poll_times(AsyncStore::mount(medium, Memory::new(), &key, LABEL), ALWAYS)
                .unwrap()
                .unwrap();
            let first = poll_times(store.start_counter(&mut counter, &mut source), polls);
            if first.is_some() {
                break;
            }
            if erase {
                poll_times(store.erase(Class::User, &mut source), ALWAYS)
                    .unwrap()
                    .unwrap();
            }
            let again = poll_times(store.start_counter(&mut counter, &mut source), ALWAYS).unwrap();
            if again.is_err() {
                refused.push((polls, erase, again));
            }
        }
    }
    let mut part = base.clone();
    let mut counter = Register {
        left: 0,
        ..register()
    };
    let mut store = mount(&mut part).unwrap();
    assert_eq!(
        store.start_counter(&mut counter, &mut random(1)),
        Err(AnchorError::Counter)
    );
    counter.left = 9;
    let again = store.start_counter(&mut counter, &mut random(1));
    assert!(
        refused.is_empty() && again.is_ok(),
        "after a failed step: {again:?}; after a drop (polls, erased between, result): {refused:?}"
    );
}

/// A start that was dropped, for another counter: nothing later may state its value.
#[test]
fn a_start_of_another_counter_that_was_dropped_changes_nothing() {
    let mut bad = Vec::new();
    let mut base = Nor::<4, 1024>::new(8 * 1024);
    let mut first = register();
    let mut store = format(&mut base, 1);
    store.start_counter(&mut first, &mut random(1)).unwrap();
    drop(store);
    for polls in 1..8 {
        let mut part = base.clone();
        let (mut first, mut other) = (
            first,
            Register {
                value: 90,
                ..register()
            },
        );
        let key = root_key();
        let mut source = random(7);
        let medium = part.pending(&Shared::default());
        let mounted = AsyncStore::mount_anchored(medium, Memory::new(), &key, LABEL, &mut first);
        let mut store = poll_times(mounted, ALWAYS).unwrap().unwrap();
        assert!(poll_times(store.start_counter(&mut other, &mut source), polls).is_none());
        poll_times(store.erase(Class::User, &mut source), ALWAYS)
            .unwrap()
            .unwrap();
        let anchored = poll_times(
            store.anchor(&mut first, AnchorPolicy::AtErase, &mut source),
            ALWAYS,
        )
        .unwrap();
        drop(store);
        let mounted = mount_anchored(&mut part, &mut first).map(drop);
        if anchored.is_err() || mounted.is_err() {
            bad.push((polls, anchored, mounted));
        }
    }
    assert!(bad.is_empty(), "(polls, anchor, mount): {bad:?}");
}

/// One bit of a record that is overwritten already, the header's note of where its salt stands: noticed at once, not at
/// the mount after the next write.
#[test]
fn a_flipped_bit_in_the_header_of_what_was_superseded_last_is_noticed_at_once() {
    let mut base = Nor::<4, 1024>::new(8 * 1024);
    let mut store = format(&mut base, 1);
    for n in 0..3u8 {
        store
            .put_bytes(Class::User, "a", &[n; 20], &mut random(1))
            .unwrap();
    }
    drop(store);
    let mut late = Vec::new();
    for bit in 2048 * 8..3072 * 8 {
        let mut part = base.clone();
        part.image_mut()[bit / 8] ^= 1 << (bit % 8);
        let Ok(mut store) = mount(&mut part) else { continue };
        store
            .put_bytes(Class::User, "b", &[9; 20], &mut random(2))
            .unwrap();
        drop(store);
        if let Err(error) = mount(&mut part).map(drop) {
            late.push((bit / 8, bit % 8, error));
        }
    }
    assert!(late.is_empty(), "(byte, bit, later error): {late:?}");
}

/// Two histories of one image: the first is cut between its Anchor record and the counter, the second is anchored; then
/// the first is put back.
#[test]
fn an_erasure_that_was_anchored_is_not_taken_back_by_a_fork_that_was_cut_before_the_counter() {
    let mut counter = Register::at(0);
    let mut part = Nor::<4, 1024>::new(8 * 1024);
    let mut store = format(&mut part, 1);
    store.start_counter(&mut counter, &mut random(1)).unwrap();
    store
        .put_bytes(Class::User, "diary", b"secret", &mut random(1))
        .unwrap();
    store
        .anchor(&mut counter, AnchorPolicy::EveryChange, &mut random(1))
        .unwrap();
    drop(store);

    // Power goes between the record and the counter.
    let mut fork = part.clone();
    let mut store = mount_anchored(&mut fork, &mut counter).unwrap();
    store
        .put_bytes(Class::Settings, "volume", b"1", &mut random(2))
        .unwrap();
    counter.left = 0;
    store
        .anchor(&mut counter, AnchorPolicy::EveryChange, &mut random(2))
        .expect_err("power goes here");
    counter.left = u32::MAX;
    drop(store);

    // The image before that is put back; the owner erases everything, and it is anchored.
    let mut store = mount_anchored(&mut part, &mut counter).unwrap();
    store.erase(Class::User, &mut random(3)).unwrap();
    store
        .anchor(&mut counter, AnchorPolicy::AtErase, &mut random(3))
        .unwrap();
    assert_eq!(store.freshness(), Freshness::Anchored { window: 0 });
    drop(store);

    let back = mount_anchored(&mut fork, &mut counter)
        .map(|mut store| (store.freshness(), store.contains_bytes(Class::User, "diary")));
    assert!(
        matches!(back, Err(MountError::SetBack { .. })),
        "the erased class is back: {back:?}"
    );
}

/// The same, with the owner's power going between the two steps of the anchor, and the fork making the second step meanwhile.
#[test]
fn an_erasure_is_not_taken_back_by_a_fork_that_moved_the_counter_while_the_power_was_off() {
    let anchor = AnchorPolicy::EveryChange;
    let mut counter = Register::at(0);
    let mut part = Nor::<4, 1024>::new(8 * 1024);
    let mut store = format(&mut part, 1);
    store.start_counter(&mut counter, &mut random(1)).unwrap();
    store
        .put_bytes(Class::User, "diary", b"secret", &mut random(1))
        .unwrap();
    store.anchor(&mut counter, anchor, &mut random(1)).unwrap();
    drop(store);

    // The fork writes, so many of its steps reach the counter, and power goes.
    let prepare = |fork: &mut Nor<4, 1024>, counter: &mut Register, seed| {
        let mut store = mount_anchored(fork, counter).unwrap();
        store
            .put_bytes(Class::Settings, "volume", b"1", &mut random(seed))
            .unwrap();
        counter.left = 0;
        store
            .anchor(counter, anchor, &mut random(seed))
            .expect_err("power goes here");
        counter.left = u32::MAX;
    };
    let mut fork = part.clone();
    prepare(&mut fork, &mut counter, 2);

    // The owner's erasure, cut between the second record and the counter.
    let mut store = mount_anchored(&mut part, &mut counter).unwrap();
    store.erase(Class::User, &mut random(3)).unwrap();
    counter.left = 1;
    store
        .anchor(&mut counter, anchor, &mut random(3))
        .expect_err("power goes here");
    counter.left = u32::MAX;
    drop(store);

    // The fork fits, goes on to the value that the owner's store states, and moves the counter there.
    prepare(&mut fork, &mut counter, 4);
    let mut moved = fork.clone();
    drop(mount_anchored(&mut moved, &mut counter).unwrap());

    // The owner's start; from when its anchor has returned, no fork is taken.
    let mut store = mount_anchored(&mut part, &mut counter).unwrap();
    store.anchor(&mut counter, anchor, &mut random(5)).unwrap();
    drop(store);
    for mut image in [fork, moved] {
        let refused = mount_anchored(&mut image, &mut counter).err();
        assert!(matches!(refused, Some(MountError::SetBack { .. })), "{refused:?}");
    }
}

fn block<F: Future>(future: F) -> F::Output {
    poll_times(future, ALWAYS).expect("never pends")
}

/// Reads that fail a few times in a row, once, at any place.
#[test]
fn the_flash_counter_does_not_go_back_when_reads_fail_for_a_moment() {
    let mut worst = Vec::new();
    for steps in [3u32, 20, 40] {
        let mut base = Nor::<4, 128>::new(256);
        let mut counter = FlashCounter::new(base.medium(), CounterPlace::OutOfReach).unwrap();
        for _ in 0..steps {
            block(counter.advance()).unwrap();
        }
        for window in 1..4 {
            for at in 0..40 {
                let mut part = base.clone();
                let script = Shared::default();
                script.borrow_mut().fail(7, at, window);
                let area = Overwritable::new(Glitch(&mut part.0, script.clone()));
                let mut counter = FlashCounter::new(area, CounterPlace::OutOfReach).unwrap();
                let first = block(counter.value());
                let mut counter = FlashCounter::new(part.medium(), CounterPlace::OutOfReach).unwrap();
                let then = block(counter.value());
                if then != Ok(steps) || first.is_ok_and(|first| first != steps) {
                    worst.push((steps, window, at, first, then));
                }
            }
        }
    }
    assert!(
        worst.is_empty(),
        "{} (value, failing reads, at, read then, read later): {:?}",
        worst.len(),
        worst
    );
}

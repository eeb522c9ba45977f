//! Histories of operations, restarts, power cuts, failing drivers, failing pages and restored images, against the model.
//!
//! ```text
//!  input    part 1 | tear 1 | boot 1 | seed 1 | steps of 5: kind, a, b, c, d
//!  part     which simulated part, see `PARTS`
//!  tear     which tear model, see `TEARS`
//!  boot     bit 0: the random source starts from the same seed at each boot; bit 1: a page of the log fails from the beginning; bit 2: how;
//!           the others: which
//! ```
//!
//! What must hold: each mount succeeds; what it shows is a state that the operations so far allow; the ledger has seen no
//! nonce twice with different contents; and in a history without cuts and failures, removal works and makes room.
#![no_main]

#[path = "../../tests/support/mod.rs"]
mod support;

mod rig;

use bydesign::crypto::ledger;
use bydesign::flash::simulator::{ProgramTear, WornOut};
use bydesign::store::{MountError, Store};
use chacha20::ChaCha20Rng;
use libfuzzer_sys::arbitrary::{self, Arbitrary, Unstructured};
use libfuzzer_sys::fuzz_target;
use rig::{Rig, observe, run_operation};
use support::operation::{Operation, Outcome};
use support::{Ecc, Memory, Model, Nor, TEARS, class, format, mount, random};

/// More are cut off, to keep an execution short.
const MOST_STEPS: usize = 60;
/// With more open questions than this, a restart settles them.
const MOST_STATES: usize = 8;

fuzz_target!(|history: History| {
    match history.setting.part % 6 {
        0 => run::<Nor<4, 1024>>(8 * 1024, &history),
        1 => run::<Nor<1, 256>>(6 * 1024, &history),
        2 => run::<Nor<16, 2048>>(10 * 1024, &history),
        3 => run::<Ecc<8, 256>>(8 * 1024, &history),
        4 => run::<Ecc<4, 1024>>(4 * 1024, &history),
        _ => run::<Ecc<32, 2048>>(16 * 1024, &history),
    }
});

#[derive(Debug)]
struct History {
    setting: Setting,
    steps: Vec<Step>,
}

#[derive(Debug)]
struct Setting {
    part: u8,
    tear: u8,
    same_random_at_each_boot: bool,
    worn: Option<(u8, WornOut)>,
    seed: u8,
}

impl<'a> Arbitrary<'a> for History {
    fn arbitrary(input: &mut Unstructured<'a>) -> arbitrary::Result<Self> {
        Self::arbitrary_take_rest(Unstructured::new(input.bytes(input.len())?))
    }

    fn arbitrary_take_rest(input: Unstructured<'a>) -> arbitrary::Result<Self> {
        let Some((&[part, tear, boot, seed], steps)) = input.take_rest().split_first_chunk() else {
            return Err(arbitrary::Error::NotEnoughData);
        };
        let setting = Setting {
            part,
            tear,
            same_random_at_each_boot: boot & 1 == 1,
            worn: (boot & 2 == 2).then_some((
                boot >> 3,
                if boot & 4 == 4 {
                    WornOut::DoesNotErase
                } else {
                    WornOut::KeepsAZero
                },
            )),
            seed,
        };
        let steps = steps.chunks_exact(5).take(MOST_STEPS).map(Step::decode).collect();
        Ok(Self { setting, steps })
    }
}

#[derive(Debug)]
enum Step {
    Do(Operation),
    Restart,
    /// Look without a restart.
    Look,
    /// Power goes after so many events.
    Cut(u64),
    /// The driver fails once, after so many calls.
    Fail(u64),
    /// Keep the image.
    Keep,
    /// Put the kept image back: the attacker who rewinds, or the second device from one dump.
    Rewind,
}

impl Step {
    fn decode(bytes: &[u8]) -> Self {
        let &[kind, a, b, c, d] = bytes else {
            return Self::Look;
        };
        let wide = u16::from_le_bytes([a, b]);
        Self::Do(match kind % 20 {
            0..=6 => Operation::Put {
                class: a,
                key: b,
                len: u16::from(c) * (1 + u16::from(d & 3)),
                fill: d,
            },
            7 => Operation::Commit {
                class: a,
                key: b,
                len: u16::from(c),
                fill: d,
            },
            8 | 9 => Operation::Remove { class: a, key: b },
            10 => Operation::EraseItem { class: a, key: b },
            11 => Operation::EraseClass { class: a },
            12 => Operation::EraseUser,
            13 if a & 0x80 == 0 => Operation::Maintain { steps: a % 16 },
            13 => Operation::KeepCheckpoints,
            14 => return Self::Restart,
            15 => return Self::Look,
            16 | 17 => return Self::Cut(u64::from(wide % 2048)),
            18 => return Self::Fail(u64::from(a % 64)),
            _ if a & 1 == 0 => return Self::Keep,
            _ => return Self::Rewind,
        })
    }
}

fn run<P: Rig>(capacity: usize, history: &History) {
    ledger::start();
    follow::<P>(capacity, history);
    let entries = ledger::stop();
    if let Some((first, second)) = ledger::reused(&entries) {
        panic!("one nonce, two contents: {first:?}, {second:?}");
    }
}

fn follow<P: Rig>(capacity: usize, history: &History) {
    let History { setting, steps } = history;
    let seed = u64::from(setting.seed);
    let mut part = P::new(capacity);
    let (program, erase) = TEARS[usize::from(setting.tear) % TEARS.len()];
    // A part whose words may be programmed again has no error-correcting code that could make a word unreadable.
    let program = match program {
        ProgramTear::UnreadableWord if P::OVERWRITABLE => ProgramTear::TornWord,
        program => program,
    };
    drop(format(&mut part, seed));
    part.set_tear(program, erase, seed);
    if let Some((page, way)) = setting.worn {
        let unit = u32::try_from(P::PAGE).expect("small");
        let pages = u32::try_from(capacity).expect("small") / unit;
        part.wear_out((2 + u32::from(page) % (pages - 2)) * unit, Some(way));
    }

    let mut kept = (part.clone(), Model::new());
    let mut allowed = vec![Model::new()];
    let mut steps = steps.iter().peekable();
    for boot in 0.. {
        let mut source = random(if setting.same_random_at_each_boot {
            seed
        } else {
            seed + 1000 + boot
        });
        let end = live(
            &mut part,
            &mut allowed,
            &mut steps,
            setting.worn.is_some(),
            &mut source,
        );
        if let End::Unmounted(error) = end {
            assert!(part.is_off(), "does not mount: {error}");
        }
        match end {
            End::Restart | End::Unmounted(_) if part.is_off() => {
                part.power_on();
                // A cut straight after a cut falls into the recovery.
                if let Some(&&Step::Cut(events)) = steps.peek() {
                    steps.next();
                    part.cut_after(events);
                }
            }
            // A cut that is still to come falls into the next mount or behind it.
            End::Restart | End::Unmounted(_) => {}
            End::Keep => kept = (part.clone(), allowed[0].clone()),
            End::Rewind => {
                part = kept.0.clone();
                part.power_on();
                allowed = vec![kept.1.clone()];
            }
            End::Steps => break,
        }
    }
    part.power_on();
    let seen = {
        let mut store = mount(&mut part).unwrap_or_else(|error| panic!("at the end: {error}"));
        observe(&mut store).unwrap_or_else(|error| panic!("at the end: {error}"))
    };
    assert_allowed(&seen, &allowed, "at the end");
    let mut store = mount(&mut part).unwrap_or_else(|error| panic!("at the end, again: {error}"));
    assert_eq!(
        observe(&mut store).as_ref(),
        Ok(&seen),
        "what a mount showed, the next shows"
    );
    // Interrupted writes burn room. Without any, removal always works, and then there is room again.
    let is_disturbed = |step| matches!(step, &Step::Cut(_) | &Step::Fail(_));
    if setting.worn.is_none() && !history.steps.iter().any(is_disturbed) {
        let mut source = random(seed);
        for (number, name) in seen.keys() {
            let removed = store.remove_bytes(class(*number), name, &mut source);
            assert_eq!(removed, Ok(true), "removal works, however full the store is");
        }
        let put = store.put_bytes(class(1), "room", &[1; 20], &mut source);
        assert_eq!(put, Ok(()), "an empty store has room");
    }
}

enum End {
    Unmounted(MountError),
    Restart,
    Keep,
    Rewind,
    Steps,
}

/// From one mount to the next.
fn live<'a, P: Rig>(
    part: &mut P,
    allowed: &mut Vec<Model>,
    steps: &mut impl Iterator<Item = &'a Step>,
    worn: bool,
    source: &mut ChaCha20Rng,
) -> End {
    let mut store = match mount(part) {
        Ok(store) => store,
        Err(error) => return End::Unmounted(error),
    };
    match observe(&mut store) {
        Ok(seen) => {
            assert_allowed(&seen, allowed, "after a mount");
            *allowed = vec![seen];
        }
        Err(error) => {
            assert!(P::is_off_in_store(&store), "does not read: {error}");
            return End::Restart;
        }
    }

    let mut failing = false;
    for step in steps {
        match step {
            Step::Do(operation) => match run_operation(operation, &mut store, source) {
                Outcome::Done => {
                    *allowed = distinct(allowed.iter().map(|model| operation.apply(model)).collect())
                }
                // On write-once media the item may be gone and older versions of it not.
                Outcome::Refused if matches!(operation, Operation::EraseItem { .. }) => {
                    let after: Vec<Model> = allowed.iter().map(|model| operation.apply(model)).collect();
                    allowed.extend(after);
                    *allowed = distinct(std::mem::take(allowed));
                }
                Outcome::Refused => {}
                Outcome::Cut => {
                    let off = P::is_off_in_store(&store);
                    assert!(off || failing || worn, "{operation:?} failed by itself");
                    failing &= off || worn;
                    let after: Vec<Model> = allowed.iter().map(|model| operation.apply(model)).collect();
                    allowed.extend(after);
                    *allowed = distinct(std::mem::take(allowed));
                    if off || allowed.len() > MOST_STATES {
                        return leave::<P>(&mut store, End::Restart);
                    }
                }
            },
            Step::Look => match observe(&mut store) {
                Ok(seen) => assert_allowed(&seen, allowed, "looked at"),
                Err(error) => {
                    let off = P::is_off_in_store(&store);
                    assert!(off || failing, "does not read: {error}");
                    failing &= off || worn;
                    if off {
                        return End::Restart;
                    }
                }
            },
            Step::Cut(events) => P::cut_in_store(&mut store, *events),
            Step::Fail(calls) => {
                P::fail_in_store(&mut store, *calls);
                failing = true;
            }
            // The kept state must be known.
            Step::Keep if allowed.len() > 1 => {}
            Step::Restart => return leave::<P>(&mut store, End::Restart),
            Step::Keep => return leave::<P>(&mut store, End::Keep),
            Step::Rewind => return leave::<P>(&mut store, End::Rewind),
        }
    }
    leave::<P>(&mut store, End::Steps)
}

/// A driver failure that is still to come would fall into the next mount.
fn leave<P: Rig>(store: &mut Store<P::Medium<'_>, Memory>, end: End) -> End {
    P::fail_in_store(store, u64::MAX);
    end
}

fn distinct(mut models: Vec<Model>) -> Vec<Model> {
    models.sort();
    models.dedup();
    models
}

#[track_caller]
fn assert_allowed(seen: &Model, allowed: &[Model], context: &str) {
    assert!(
        allowed.contains(seen),
        "{context}: a state that no order of events gives:\n{seen:?}\nnone of {allowed:?}"
    );
}

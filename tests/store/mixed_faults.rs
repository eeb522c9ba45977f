//! Everything that can go wrong at once: histories of random operations in which power goes, calls fail, futures are dropped and
//! pages wear out, at the same time and one after the other, compared with a map.
//!
//! What each of them does alone, at every place, is tested in `power_cut.rs`, `transactions.rs` and `cancelled.rs`.

use crate::drivers;
use crate::forensics;
use crate::support;

use bydesign::crypto::ledger;
use bydesign::flash::Medium;
use bydesign::flash::simulator::{EraseTear, ProgramTear, WornOut};
use bydesign::secret::RootKey;
use bydesign::store::{AnchorError, AnchorPolicy, AsyncStore, EraseError, MountError, Store};
use chacha20::ChaCha20Rng;
use chacha20::rand_core::Rng;
use drivers::{Pending, Shared, contents_now, poll_times};
use support::operation::{Operation, Outcome, commit, name, put};
use support::register::Register;
use support::{Ecc, LABEL, Memory, Model, Nor, ROOT, every_cut, format, random};

const ALWAYS: usize = usize::MAX;

/// What a history is made of.
#[derive(Clone, Debug)]
enum Step {
    Change(Operation),
    Anchor(AnchorPolicy),
    ChangeRootKey { to: u8 },
}

impl Step {
    fn apply(&self, model: &Model) -> Model {
        match self {
            Self::Change(operation) => operation.apply(model),
            Self::Anchor(_) | Self::ChangeRootKey { .. } => model.clone(),
        }
    }

    /// Whether it writes or looks over what an earlier failure left, so that nothing of that is in doubt when it returns.
    fn settles(&self) -> bool {
        match self {
            Self::Change(Operation::EraseClass { class }) => class % 5 != 4,
            Self::Change(operation) => !matches!(
                operation,
                Operation::Maintain { .. } | Operation::KeepCheckpoints | Operation::EraseUser
            ),
            Self::Anchor(_) => false,
            Self::ChangeRootKey { .. } => true,
        }
    }

    /// Whether it writes to the log, so that nothing is left of what was never accepted. A change of the keys leaves that to the next
    /// write: what it left counts for nothing, whatever it is.
    fn appends(&self) -> bool {
        let changes_keys = matches!(
            self,
            Self::Change(Operation::EraseClass { .. } | Operation::KeepCheckpoints)
                | Self::ChangeRootKey { .. }
        );
        self.settles() && !changes_keys
    }

    async fn run<M: Medium>(
        &self,
        store: &mut AsyncStore<M, Memory>,
        counter: &mut Register,
        random: &mut ChaCha20Rng,
    ) -> Outcome {
        match self {
            Self::Change(operation) => operation.run_async(store, random).await,
            Self::Anchor(policy) => match store.anchor(counter, *policy, random).await {
                Ok(()) => Outcome::Done,
                Err(AnchorError::Flash(_) | AnchorError::Unkept | AnchorError::Counter) => Outcome::Cut,
                Err(error) => panic!("{self:?}: {error}"),
            },
            Self::ChangeRootKey { to } => match store.change_root_key(&root_key(*to), random).await {
                Ok(()) => Outcome::Done,
                Err(EraseError::Flash(_) | EraseError::Unkept) => Outcome::Cut,
                Err(error) => panic!("{self:?}: {error}"),
            },
        }
    }
}

fn root_bytes(number: u8) -> [u8; 32] {
    let mut bytes = ROOT;
    bytes[5] ^= number;
    bytes
}

fn root_key(number: u8) -> RootKey {
    RootKey::new(root_bytes(number)).expect("in no list")
}

/// The dice of a history: below `sides`.
fn roll(dice: &mut ChaCha20Rng, sides: u8) -> u8 {
    let rolled = dice.next_u32() % u32::from(sides);
    u8::try_from(rolled).expect("less than the sides")
}

fn one_of<T: Copy>(dice: &mut ChaCha20Rng, of: &[T]) -> T {
    of[usize::from(roll(dice, u8::try_from(of.len()).expect("few")))]
}

fn pick(dice: &mut ChaCha20Rng, model: &Model, longest: u8, root: u8) -> Step {
    // Half of the time an item that is there, in its length: that is never refused.
    let found = model.iter().nth(usize::from(roll(dice, 16)));
    let (class, key, len) = match found {
        Some(((class, found), value)) => {
            let key = (0..12).find(|key| name(*key) == *found).expect("a name of ours");
            (*class, key, u16::try_from(value.len()).expect("short"))
        }
        None => (roll(dice, 5), roll(dice, 8), u16::from(roll(dice, longest))),
    };
    let fill = roll(dice, 255);
    Step::Change(match roll(dice, 40) {
        0..=13 => put(class, key, len, fill),
        14..=17 => Operation::Remove { class, key },
        18 => Operation::EraseItem { class, key },
        19..=30 => commit(class, key, u16::from(roll(dice, longest)), fill),
        31 => Operation::EraseClass { class },
        32 => Operation::EraseUser,
        33 if roll(dice, 3) == 0 => Operation::KeepCheckpoints,
        33 => Operation::Maintain {
            steps: 1 + roll(dice, 5),
        },
        34..=38 => {
            let policies = [
                AnchorPolicy::EveryChange,
                AnchorPolicy::Every(3),
                AnchorPolicy::AtErase,
            ];
            return Step::Anchor(one_of(dice, &policies));
        }
        _ => return Step::ChangeRootKey { to: (root + 1) % 7 },
    })
}

/// What was made to happen.
#[derive(Debug, Default)]
struct Tally {
    steps: u64,
    cuts: u64,
    failures: u64,
    drops: u64,
    /// Steps of a store that has left pages out.
    without_pages: u64,
}

impl Tally {
    /// Lets calls succeed again. Gives whether one has failed.
    fn calm_down(&mut self, script: &Shared) -> bool {
        let mut script = script.borrow_mut();
        script.kinds = 0;
        let failed = std::mem::take(&mut script.failed);
        self.failures += u64::from(failed);
        failed > 0
    }
}

/// What may be on a part.
struct State {
    /// What the next start may show.
    allowed: Vec<Model>,
    /// The root keys of which one opens it.
    roots: Vec<u8>,
    counter: Register,
    longest: u8,
    /// Pages fail in this history.
    wears: bool,
    /// Where those begin that fail now.
    worn: Vec<u32>,
    tally: Tally,
}

/// One start, and some steps until power goes or the start ends.
fn boot<P: Pending>(part: &mut P, state: &mut State, dice: &mut ChaCha20Rng, context: &str) {
    part.power_on();
    settle_root_key(part, state, context);
    let (root, script, calm) = (state.roots[0], Shared::default(), roll(dice, 6) == 0);
    disturb(part, dice, calm);
    if state.wears {
        wear(part, &mut state.worn, dice);
    }
    if !calm && roll(dice, 8) == 0 {
        fail_soon(dice, &script, 200);
    }
    let polls = if !calm && roll(dice, 8) == 0 {
        usize::from(roll(dice, 40))
    } else {
        ALWAYS
    };
    let mut live = None;
    {
        let (medium, key) = (part.pending(&script), root_key(root));
        let mounted = AsyncStore::mount_anchored(medium, Memory::new(), &key, LABEL, &mut state.counter);
        let mounted = poll_times(mounted, polls);
        let failed = state.tally.calm_down(&script);
        match mounted {
            Some(Ok(mut store)) => live = state.steps(&mut store, &script, dice, calm, context),
            Some(Err(error)) => {
                let off = script.borrow().off;
                state.tally.cuts += u64::from(off);
                assert!(off || failed, "{context}: does not mount: {error}");
            }
            None => state.tally.drops += 1,
        }
    }
    if let (Some(live), [root], true) = (live, state.roots.as_slice(), P::OVERWRITABLE) {
        let findings = forensics::scan(part.image(), &root_bytes(*root), LABEL.as_bytes());
        let mut found: Vec<_> = (findings.values())
            .map(|(name, value)| (name.to_vec(), value.to_vec()))
            .collect();
        let mut live: Vec<_> = (live.into_iter())
            .map(|((_, name), value)| (name.into_bytes(), value))
            .collect();
        found.sort();
        live.sort();
        assert!(
            found == live,
            "{context}: {found:?} is on flash, {live:?} is live"
        );
    }
}

impl State {
    /// Gives what is live if the last step changed something and returned: then nothing else is on overwritable flash.
    fn steps<M: Medium>(
        &mut self,
        store: &mut AsyncStore<M, Memory>,
        script: &Shared,
        dice: &mut ChaCha20Rng,
        calm: bool,
        context: &str,
    ) -> Option<Model> {
        // One start in three has the random source of others.
        let mut source = random(if roll(dice, 3) == 0 { 42 } else { dice.next_u64() });
        let mut now = match contents_now(store) {
            Ok(now) => now,
            Err(error) => {
                assert!(script.borrow().off, "{context}: does not read: {error}");
                self.tally.cuts += 1;
                return None;
            }
        };
        let allowed = &self.allowed;
        assert!(
            allowed.contains(&now),
            "{context}: a third state {now:?} of {allowed:?}"
        );
        self.allowed = vec![now.clone()];
        let mut is_clean = false;
        for at in 0..=roll(dice, 7) {
            let step = pick(dice, &now, self.longest, self.roots[0]);
            let context = format!("{context}, step {at} {step:?}");
            let after = step.apply(&now);
            let (mut polls, mut disturbed) = (ALWAYS, !calm);
            match roll(dice, 10) {
                0 | 1 if !calm => fail_soon(dice, script, 40),
                2 | 3 if !calm => polls = usize::from(roll(dice, 60)),
                4 if !calm => self.counter.left = 0,
                _ => disturbed = false,
            }
            disturbed |= !self.worn.is_empty();
            let ended = poll_times(step.run(store, &mut self.counter, &mut source), polls);
            self.counter.left = u32::MAX;
            self.tally.calm_down(script);
            self.tally.steps += 1;
            self.tally.without_pages += u64::from(store.figures().left_out_pages > 0);
            self.tally.drops += u64::from(ended.is_none());
            let (off, done) = (script.borrow().off, ended == Some(Outcome::Done));
            let is_failure = ended == Some(Outcome::Cut);
            assert!(
                !is_failure || disturbed || off,
                "{context}: fails without a reason"
            );
            if let Step::ChangeRootKey { to } = step {
                self.roots = if done { vec![to] } else { vec![self.roots[0], to] };
            }
            let seen = contents_now(store);
            if off || script.borrow().off {
                self.tally.cuts += 1;
                if done {
                    self.allowed.clear();
                }
                self.allowed.push(after);
                return None;
            }
            let seen = seen.unwrap_or_else(|error| panic!("{context}: does not read: {error}"));
            self.compare(&step, ended, [&now, &after, &seen], disturbed, &context);
            is_clean = done && now != after && step.appends();
            now = seen;
            if let Step::ChangeRootKey { .. } = step {
                break;
            }
        }
        is_clean.then_some(now)
    }

    /// Holds what is seen against the model, and says what a start may show.
    fn compare(
        &mut self,
        step: &Step,
        ended: Option<Outcome>,
        [now, after, seen]: [&Model; 3],
        disturbed: bool,
        context: &str,
    ) {
        match ended {
            Some(Outcome::Done) => {
                assert!(seen == after, "{context}: done, and not seen");
                if step.settles() {
                    self.allowed = vec![seen.clone()];
                } else {
                    self.allowed = self.allowed.iter().map(|state| step.apply(state)).collect();
                }
            }
            Some(Outcome::Refused) => {
                assert!(seen == now, "{context}: refused, and changed something");
                let is_update = matches!(step, Step::Change(Operation::Put { .. }))
                    && now.keys().eq(after.keys())
                    && now.values().map(Vec::len).eq(after.values().map(Vec::len));
                assert!(!is_update || disturbed, "{context}: an update is refused");
            }
            Some(Outcome::Cut) | None if seen == after && after != now => self.allowed = vec![seen.clone()],
            Some(Outcome::Cut) | None => {
                assert!(seen == now, "{context}: a third state");
                self.allowed.push(after.clone());
            }
        }
    }
}

/// After a change of the root key that did not return, one of the two opens the store.
fn settle_root_key<P: Pending>(part: &mut P, state: &mut State, context: &str) {
    while state.roots.len() > 1 {
        let (medium, key) = (part.medium(), root_key(state.roots[0]));
        match Store::mount(medium, Memory::new(), &key, LABEL).map(drop) {
            Ok(()) => state.roots.truncate(1),
            Err(MountError::WrongRootKey) => drop(state.roots.remove(0)),
            Err(error) => panic!("{context}: root keys {:?}: {error}", state.roots),
        }
    }
}

/// Chooses what a cut leaves, and where it comes.
fn disturb<P: Pending>(part: &mut P, dice: &mut ChaCha20Rng, calm: bool) {
    let programs = [
        ProgramTear::Clean,
        ProgramTear::TornWord,
        ProgramTear::Unstable,
        ProgramTear::UnreadableWord, // not where words may be programmed again
    ];
    let program = one_of(dice, &programs[..if P::OVERWRITABLE { 3 } else { 4 }]);
    let erases = [
        EraseTear::Clean,
        EraseTear::OldOrOne,
        EraseTear::Unstable,
        EraseTear::WeakBlank,
        EraseTear::HalfErased,
    ];
    part.set_tear(program, one_of(dice, &erases), dice.next_u64());
    match roll(dice, 10) {
        0 | 1 if !calm => part.cut_after(u64::from(roll(dice, 60))),
        2..6 if !calm => part.cut_after(u64::from(dice.next_u32() % 2500)),
        _ => {}
    }
}
/// Lets up to four calls in a row fail, the first of them one of the next `within`.
fn fail_soon(dice: &mut ChaCha20Rng, script: &Shared, within: u8) {
    let mut script = script.borrow_mut();
    script.after = roll(dice, 2) == 0;
    let kinds = one_of(dice, &[1, 2, 2, 4, 6, 7]);
    let from = u64::from(roll(dice, within));
    script.fail(kinds, from, one_of(dice, &[1, 1, 2, 4]));
}

/// Wears a page of the log out, or makes one as good as new. Two fail at a time at most.
fn wear<P: Pending>(part: &mut P, worn: &mut Vec<u32>, dice: &mut ChaCha20Rng) {
    let ways = [
        WornOut::DoesNotErase,
        WornOut::KeepsAZero,
        WornOut::DoesNotProgram,
    ];
    if roll(dice, 4) == 0 && worn.len() < 2 {
        let page = u32::try_from(P::PAGE).expect("small");
        let pages = u32::try_from(part.image().len()).expect("small") / page;
        let address = (2 + dice.next_u32() % (pages - 2)) * page;
        part.wear_out(address, Some(one_of(dice, &ways)));
        worn.push(address);
    }
    if roll(dice, 6) == 0
        && let Some(address) = worn.pop()
    {
        part.wear_out(address, None);
    }
}

/// One history in two has pages that wear out. `BYDESIGN_EVERY_CUT=1 cargo test --test store mixed_faults::` runs fifty times as many; `BYDESIGN_SEED=n` runs one.
fn histories<P: Pending>(capacity: usize, longest: u8) {
    let only = std::env::var("BYDESIGN_SEED").map(|seed| seed.parse().expect("a number"));
    let only_one = only.is_ok();
    let seeds = only.map_or(0..if every_cut() { 10_000 } else { 200 }, |seed: u64| {
        seed..seed + 1
    });
    let mut tally = Tally::default();
    for seed in seeds.clone() {
        let (mut dice, mut part, mut counter) = (random(!seed), P::new(capacity), Register::at(0));
        ledger::start();
        let mut store = format(&mut part, seed);
        store
            .start_counter(&mut counter, &mut random(!seed))
            .expect("starts");
        if seed % 4 < 2 {
            store.keep_checkpoints(&mut random(!seed)).expect("keeps them");
        }
        drop(store);
        let mut state = State {
            allowed: vec![Model::new()],
            roots: vec![0],
            counter,
            longest,
            wears: seed % 2 == 1,
            worn: Vec::new(),
            tally,
        };
        for number in 0..60 {
            let context = format!("BYDESIGN_SEED={seed}, boot {number}");
            boot(&mut part, &mut state, &mut dice, &context);
        }
        tally = state.tally;
        let reused = ledger::reused(&ledger::stop());
        assert_eq!(reused, None, "BYDESIGN_SEED={seed}: a nonce is used twice");
    }
    println!("seeds {seeds:?}: {tally:?}");
    println!("{} cuts", tally.cuts);
    let rarest = tally.cuts.min(tally.failures).min(tally.drops);
    assert!(only_one || rarest > 300, "{tally:?}");
    // Of fewer than four pages of the log hardly one can be spared.
    let spares_some = capacity / P::PAGE >= 6;
    assert!(only_one || tally.without_pages > 300 || !spares_some, "{tally:?}");
}

macro_rules! histories {
    ($($name:ident: $part:ty, $capacity:expr, $longest:expr;)*) => {$(
        #[test]
        fn $name() {
            histories::<$part>($capacity, $longest);
        }
    )*};
}

histories! {
    cuts_failures_and_drops_leave_the_old_or_the_new_state_on_overwritable_flash: Nor<4, 1024>, 8 * 1024, 120;
    cuts_failures_and_drops_leave_the_old_or_the_new_state_on_four_pages: Nor<4, 1024>, 4 * 1024, 40;
    cuts_failures_and_drops_leave_the_old_or_the_new_state_on_single_bytes: Nor<1, 256>, 8 * 1024, 60;
    cuts_failures_and_drops_leave_the_old_or_the_new_state_on_write_once_flash: Ecc<8, 1024>, 6 * 1024, 80;
    cuts_failures_and_drops_leave_the_old_or_the_new_state_on_four_write_once_pages: Ecc<4, 1024>, 4 * 1024, 40;
    cuts_failures_and_drops_leave_the_old_or_the_new_state_on_wide_words: Ecc<32, 2048>, 8 * 1024, 100;
}

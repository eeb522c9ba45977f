//! Power cuts at every byte of attempts and successes: never a free guess, never a success that is lost after it was acknowledged.

use bydesign::flash::simulator::{EraseTear, ProgramTear, Rule};

use crate::rig::{AWAKE, Board, COUNTING, Kind, Once, Over, Running};

/// So many events apart; none is left out by `BYDESIGN_EVERY_CUT=1 cargo test --test credential limiter_cuts -- --nocapture`.
fn stride(usual: usize) -> usize {
    if std::env::var_os("BYDESIGN_EVERY_CUT").is_some() {
        1
    } else {
        usual
    }
}

/// For the campaign, which adds them up.
fn told(cuts: usize) {
    println!("{cuts} cuts of attempts");
}

/// What a device did before its power went.
#[derive(Clone, Copy, Default)]
struct Tally {
    /// Checks that were made since the last acknowledged success, or since the beginning.
    checks: u32,
    succeeded: bool,
    /// A success was begun and not acknowledged.
    in_doubt: bool,
}

type Script = [Step];

#[derive(Clone, Copy, Debug)]
enum Step {
    Guess,
    LogIn,
}
use Step::{Guess, LogIn};

const TEARS: [(ProgramTear, EraseTear); 5] = [
    (ProgramTear::Clean, EraseTear::Clean),
    (ProgramTear::TornWord, EraseTear::OldOrOne),
    (ProgramTear::TornWord, EraseTear::WeakBlank),
    (ProgramTear::Unstable, EraseTear::Unstable),
    (ProgramTear::UnreadableWord, EraseTear::HalfErased),
];

/// Words that may be programmed again have no codes that could fail.
fn tears<K: Kind>() -> impl Iterator<Item = (ProgramTear, EraseTear)> {
    TEARS
        .into_iter()
        .filter(|tear| !(K::RULE == Rule::Multiwrite && tear.0 == ProgramTear::UnreadableWord))
}

fn play<K: Kind>(running: &mut Running<K>, script: &Script) -> Tally {
    let mut tally = Tally::default();
    for step in script {
        match running
            .limiter
            .attempt(&mut running.store, AWAKE, &mut running.random)
        {
            Err(_) => return tally,
            Ok(permit) => match step {
                Guess => {
                    tally.checks += 1;
                    permit.fail();
                }
                LogIn if permit.succeed().is_ok() => {
                    tally = Tally {
                        succeeded: true,
                        ..Tally::default()
                    };
                }
                LogIn => {
                    tally.checks += 1;
                    tally.in_doubt = true;
                    return tally;
                }
            },
        }
    }
    tally
}

/// Holds what the next start counts against what was done.
fn judge<K: Kind>(board: &mut Board<K>, before: u32, tally: Tally, slack: u32, at: &str) {
    let failures = board.failures();
    let least = if tally.succeeded {
        tally.checks
    } else {
        before + tally.checks
    };
    if tally.in_doubt && failures == 0 {
        return;
    }
    assert!(
        failures >= least,
        "{at}: {failures} counted, {least} made: a free guess"
    );
    assert!(
        failures <= least + slack,
        "{at}: {failures} counted, {least} made: failures out of nothing"
    );
    // Nobody is locked out by a cut: the owner logs in, and that stays.
    let mut running = board.start().expect("sound");
    assert_eq!(running.log_in(), Ok(true), "{at}: the owner");
    assert_eq!(board.failures(), 0, "{at}: the success stays");
}

/// A board on which two attempts have failed.
fn tried_twice<K: Kind>() -> Board<K> {
    let mut board = Board::<K>::new(COUNTING);
    let mut running = board.start().expect("sound");
    running.guess().expect("a permit");
    running.guess().expect("a permit");
    board
}

/// Cuts the script at every event, `stride` apart; gives the number of cuts.
fn cut_everywhere<K: Kind>(board: &Board<K>, before: u32, script: &Script, stride: usize) -> usize {
    let mut cuts = 0;
    for (program, erase) in tears::<K>() {
        let mut whole = board.copy();
        let mut running = whole.start().expect("sound");
        let begin = whole.chip.borrow().events();
        play(&mut running, script);
        let events = whole.chip.borrow().events() - begin;
        assert!(events > 0);
        for event in (0..events).step_by(stride) {
            let mut cut = board.copy();
            let mut running = cut.start().expect("sound");
            cut.chip.borrow_mut().set_tear(program, erase, event);
            cut.chip.borrow_mut().cut_after(event);
            let tally = play(&mut running, script);
            assert!(cut.chip.borrow().is_off());
            judge(
                &mut cut,
                before,
                tally,
                1,
                &format!("{program:?} {script:?} at {event}"),
            );
            cuts += 1;
        }
    }
    cuts
}

//= compliance/requirements.md#cred-3
//= type=test
//# An attempt MUST be on flash, and have been read back, before its check can be made.
//= compliance/requirements.md#cred-4
//= type=test
//# A success that was acknowledged MUST NOT be lost, and an attempt that a power cut or a fault kept from being settled MUST count as one failed attempt at most.
#[test]
fn a_cut_at_any_byte_gives_no_free_guess_and_takes_no_success_on_overwritable_flash() {
    let board = tried_twice::<Over>();
    let cuts = cut_everywhere(&board, 2, &[Guess, Guess, LogIn, Guess, LogIn], 1);
    assert!(cuts > 1000, "{cuts}");
}

#[test]
fn a_cut_at_any_byte_gives_no_free_guess_and_takes_no_success_on_write_once_flash() {
    let board = tried_twice::<Once>();
    let cuts = cut_everywhere(&board, 2, &[Guess, Guess, LogIn, Guess, LogIn], 1);
    assert!(cuts > 500, "{cuts}");
}

/// Starts and logs in until the next epoch begins on another unit.
fn at_the_end_of_a_unit<K: Kind>() -> Board<K> {
    let mut board = Board::<K>::new(COUNTING);
    for _ in 0..200 {
        let mut next = board.copy();
        let mut running = next.start().expect("sound");
        next.chip.borrow_mut().reset_counters();
        running.guess().expect("a permit");
        let erases = next.chip.borrow().counters().erases_per_unit[16..].to_vec();
        if erases.iter().sum::<u32>() > 0 {
            return board;
        }
        assert_eq!(board.start().expect("sound").log_in(), Ok(true));
    }
    panic!("no unit was erased");
}

#[test]
fn a_cut_while_the_next_unit_is_taken_gives_no_free_guess() {
    let cuts = cut_everywhere(&at_the_end_of_a_unit::<Over>(), 0, &[Guess, LogIn], 1)
        + cut_everywhere(&at_the_end_of_a_unit::<Once>(), 0, &[Guess, LogIn], 1);
    assert!(cuts > 500, "{cuts}");
}

/// A cut, and another one in whatever the next start does.
fn cut_twice<K: Kind>(stride: usize) -> usize {
    let board = tried_twice::<K>();
    let mut cuts = 0;
    let script = [Guess, Guess, LogIn];
    for (program, erase) in tears::<K>() {
        for event in (0..400).step_by(stride) {
            let mut once = board.copy();
            let mut running = once.start().expect("sound");
            once.chip.borrow_mut().set_tear(program, erase, event);
            once.chip.borrow_mut().cut_after(event);
            let first = play(&mut running, &script);
            if !once.chip.borrow().is_off() {
                break;
            }
            once.chip.borrow_mut().power_on();
            for second_event in (0..400).step_by(stride + 2) {
                let mut twice = once.copy();
                twice.chip.borrow_mut().cut_after(second_event);
                let Some(mut running) = twice.start_before_a_cut() else {
                    continue;
                };
                let second = play(&mut running, &[Guess, Guess]);
                if !twice.chip.borrow().is_off() {
                    break;
                }
                let tally = Tally {
                    checks: first.checks + second.checks,
                    ..first
                };
                if first.in_doubt {
                    // The success may have stood: the guesses since then count, or those before too.
                    let failures = twice.failures();
                    assert!(failures >= second.checks, "{event} {second_event}: a free guess");
                } else {
                    let at = format!("{program:?} at {event} and {second_event}");
                    judge(&mut twice, 2, tally, 2, &at);
                }
                cuts += 1;
            }
        }
    }
    cuts
}

#[test]
fn a_second_cut_in_the_recovery_gives_no_free_guess_either() {
    let cuts = cut_twice::<Over>(stride(23)) + cut_twice::<Once>(stride(23));
    told(cuts);
    assert!(cuts > 300, "{cuts}");
}

/// What a cut left reads anew each time, or is lost later: whatever the start took it for that went on from there, no later one says less.
fn later_starts<K: Kind>(board: &Board<K>, script: &Script, stride: usize) -> usize {
    let mut cuts = 0;
    for (program, erase) in tears::<K>() {
        for event in (0..600).step_by(stride) {
            let mut cut = board.copy();
            let mut running = cut.start().expect("sound");
            cut.chip.borrow_mut().set_tear(program, erase, event);
            cut.chip.borrow_mut().cut_after(event);
            play(&mut running, script);
            if !cut.chip.borrow().is_off() {
                break;
            }
            let at = format!("{program:?} {script:?} at {event}");
            let mut running = cut.start().expect("sound");
            let first = running.failures();
            // Over what the cut may have left.
            running.guess().expect("a permit");
            running.guess().expect("a permit");
            let mut least = first + 2;
            for start in 0..8 {
                let failures = cut.failures();
                assert!(failures >= least, "{at}, start {start}: {failures} of {least}");
                assert!(
                    failures <= first + 2 + 1,
                    "{at}, start {start}: {failures} of {first} and 2"
                );
                least = failures;
            }
            cuts += 1;
        }
    }
    cuts
}

#[test]
fn what_a_cut_left_is_counted_alike_at_every_later_start() {
    let script = [Guess, Guess, LogIn, Guess, LogIn];
    let mut cuts = later_starts(&tried_twice::<Over>(), &script, stride(5));
    cuts += later_starts(&tried_twice::<Once>(), &script, stride(5));
    cuts += later_starts(&at_the_end_of_a_unit::<Over>(), &[Guess, LogIn], stride(5));
    cuts += later_starts(&at_the_end_of_a_unit::<Once>(), &[Guess, LogIn], stride(5));
    told(cuts);
    assert!(cuts > 300, "{cuts}");
}

#[test]
fn an_attempt_that_is_dropped_has_failed() {
    let mut board = Board::<Over>::new(COUNTING);
    let mut running = board.start().expect("sound");
    drop(
        running
            .limiter
            .attempt(&mut running.store, AWAKE, &mut running.random),
    );
    assert_eq!(running.failures(), 1);
    assert_eq!(board.failures(), 1);
}

#[test]
fn starts_without_attempts_cost_nothing_and_change_nothing() {
    let mut board = tried_twice::<Once>();
    let before = board.chip.borrow().image().to_vec();
    for _ in 0..5 {
        assert_eq!(board.failures(), 2);
    }
    assert_eq!(board.chip.borrow().image(), before);
}

#[test]
fn the_bytes_of_the_area_are_those_of_the_document() {
    let mut board = Board::<Over>::new(COUNTING);
    let mut running = board.start().expect("sound");
    running.guess().expect("a permit");
    running.guess().expect("a permit");
    assert_eq!(running.log_in(), Ok(true));
    let area = board.area_image();
    let is_blank = |from: usize, to: usize| area[from..to].iter().all(|byte| *byte == 0xff);
    assert!(!is_blank(0, 8) && is_blank(8, 0x28), "the first epoch");
    assert!(!is_blank(0x28, 0x30), "the second");
    assert_eq!(area[0x30..0x38], [0xfc, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);
    assert!(!is_blank(0x38, 0x40) && is_blank(0x40, area.len()));
}

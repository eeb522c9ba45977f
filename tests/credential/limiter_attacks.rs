//! Somebody who rewrites the area between starts, and reads that are disturbed.

use bydesign::credential::limiter::{AttemptError, LONGEST_LIMITER_NAME, Limiter, Policy, Repaired};
use bydesign::store::{Class, Freshness, WriteError};
use chacha20::ChaCha20Rng;
use chacha20::rand_core::{Rng, SeedableRng};

use crate::rig::{AREA, AWAKE, Board, COUNTING, Kind, Once, Over};

/// The best that is known: after the owner's success, use up the marks; then set the area back behind each first attempt.
fn guesses_with_a_rewritten_area<K: Kind>(policy: Policy, each_start: u32) -> u32 {
    let mut board = Board::<K>::new(policy);
    let mut guesses = 0;
    let mut running = board.start().expect("sound");
    assert_eq!(running.log_in(), Ok(true));
    let mut area = board.area_image();
    for _ in 0..each_start - 1 {
        guesses += u32::from(running.guess().is_ok());
    }
    for _ in 0..100 {
        board.rewrite_area(&area);
        let mut running = match board.start() {
            Ok(running) => running,
            // More than the marks were used: the store has gone on, and what was saved is of no use any more.
            Err(AttemptError::Area) => return guesses,
            Err(error) => panic!("{error}"),
        };
        for number in 0..each_start {
            match running.guess() {
                Ok(()) => guesses += 1,
                Err(AttemptError::Locked) => break,
                Err(error) => panic!("{error}"),
            }
            if number == 0 {
                area = board.area_image();
            }
        }
    }
    let mut running = board.start().expect("sound");
    assert_eq!(running.guess(), Err(AttemptError::Locked), "it comes to an end");
    guesses
}

#[test]
fn whoever_sets_the_area_back_at_every_start_gets_no_more_guesses_than_stated() {
    for policy in [
        COUNTING,
        COUNTING.between_records(0),
        COUNTING.between_records(63),
        COUNTING.lock_after(3),
    ] {
        let most = policy.most_when_area_is_rewritten().expect("it locks");
        let mut best = 0;
        for each_start in [1, 2, 5, 8, 9, 20] {
            let guesses = guesses_with_a_rewritten_area::<Over>(policy, each_start);
            assert!(guesses <= most, "{guesses} of {most}");
            assert!(guesses_with_a_rewritten_area::<Once>(policy, each_start) <= most);
            best = best.max(guesses);
        }
        if policy == COUNTING {
            assert_eq!(best, most, "the number is reached, so it is not too large");
        }
    }
}

#[test]
fn without_rewriting_there_are_as_many_guesses_as_the_policy_says() {
    for starts in [1, 3, 10] {
        let mut board = Board::<Over>::new(COUNTING);
        let mut guesses = 0;
        for _ in 0..starts {
            let mut running = board.start().expect("sound");
            for _ in 0..10_u32.div_ceil(starts) {
                guesses += u32::from(running.guess().is_ok());
            }
        }
        let mut running = board.start().expect("sound");
        assert_eq!((guesses, running.guess()), (10, Err(AttemptError::Locked)));
    }
}

//= compliance/requirements.md#cred-6
//= type=test
//# An area that does not belong to the epoch in the store MUST let nobody try; a new epoch in its place MUST count as failed all attempts that may have stood there.
#[test]
fn an_erased_area_lets_nobody_try_and_its_repair_costs_what_it_may_have_held() {
    fn check<K: Kind>() {
        let mut board = Board::<K>::new(COUNTING);
        board.start().expect("sound").guess().expect("a permit");
        board.rewrite_area(&[0xff; AREA]);
        assert_eq!(board.start().err(), Some(AttemptError::Area));
        let mut store = board.store();
        let mut random = ChaCha20Rng::seed_from_u64(1);
        let area = K::wrap(board.area.clone());
        let (limiter, repaired) =
            Limiter::repair(area, &mut store, "owner", COUNTING, AWAKE, &mut random).expect("a new epoch");
        assert_eq!(repaired, Repaired::Anew);
        assert_eq!(limiter.standing(&store, AWAKE).failures, 1 + 7);
        drop(limiter);
        assert_eq!(board.failures(), 8);
        let area = K::wrap(board.area.clone());
        let sound = Limiter::repair(area, &mut store, "owner", COUNTING, AWAKE, &mut random).expect("mounts");
        assert_eq!(sound.1, Repaired::Sound);
    }
    check::<Over>();
    check::<Once>();
}

#[test]
fn whoever_erases_the_area_again_and_again_gets_no_guess_for_it() {
    let board = Board::<Over>::new(COUNTING);
    let (mut guesses, mut random) = (0, ChaCha20Rng::seed_from_u64(2));
    for _ in 0..20 {
        board.rewrite_area(&[0xff; AREA]);
        let mut store = board.store();
        let area = Over::wrap(board.area.clone());
        let (mut limiter, _) =
            Limiter::repair(area, &mut store, "owner", COUNTING, AWAKE, &mut random).expect("a new epoch");
        while let Ok(permit) = limiter.attempt(&mut store, AWAKE, &mut random) {
            permit.fail();
            guesses += 1;
        }
    }
    assert_eq!(guesses, 3, "ten less the seven that the area may have held");
}

#[test]
fn an_area_of_an_earlier_epoch_lets_nobody_try() {
    let mut board = Board::<Over>::new(COUNTING);
    let blank = board.area_image();
    board.start().expect("sound").guess().expect("a permit");
    let first = board.area_image();
    board.start().expect("sound").guess().expect("a permit");
    board.rewrite_area(&blank);
    assert_eq!(board.start().err(), Some(AttemptError::Area));
    board.rewrite_area(&first);
    assert_eq!(board.start().err(), Some(AttemptError::Area));
}

#[test]
fn a_token_of_another_epoch_or_another_run_is_no_success() {
    let mut board = Board::<Over>::new(COUNTING);
    let mut running = board.start().expect("sound");
    assert_eq!(running.log_in(), Ok(true));
    assert_eq!(running.log_in(), Ok(true));
    // The tokens of the first two runs of the epoch, which begins with its header at 0x28.
    let earlier = board.area_image();
    let tokens = [&earlier[0x38..0x40], &earlier[0x48..0x50]];
    assert!(tokens[0] != tokens[1] && tokens.iter().all(|token| *token != [0xff; 8]));
    let mut running = board.start().expect("sound");
    for _ in 0..3 {
        running.guess().expect("a permit");
    }
    // Behind two runs with tokens and two that stay blank.
    assert_eq!(
        board.area_image()[0x78],
        0xfc,
        "the marks of the epoch that lives"
    );
    for (run, token) in [(0, tokens[0]), (1, tokens[1]), (0, tokens[1])] {
        let mut area = board.area_image();
        area[0x80 + run * 16..][..8].copy_from_slice(token);
        let mut forged = board.copy();
        forged.rewrite_area(&area);
        assert_eq!(forged.failures(), 3);
    }
}

#[test]
fn no_area_that_somebody_makes_up_lowers_the_count() {
    let mut random = ChaCha20Rng::seed_from_u64(3);
    let (mut sound, mut refused) = (0, 0);
    for round in 0..400 {
        let mut board = Board::<Over>::new(COUNTING);
        let mut running = board.start().expect("sound");
        for _ in 0..3 {
            running.guess().expect("a permit");
        }
        let mut area = board.area_image();
        // All of it, or a few bytes of it, or a few bits.
        for _ in 0..[AREA, 8, 1][round % 3] {
            let at = random.next_u32() as usize % [AREA, 64][usize::from(round % 2 == 0)];
            area[at] = [random.next_u32().to_le_bytes()[0], 0xff, 0, area[at] & 0xfe][round % 4];
        }
        board.rewrite_area(&area);
        match board.start() {
            Ok(running) => {
                assert!(running.failures() >= 1, "what the store counted stays");
                assert!(running.failures() <= 1 + 7);
                sound += 1;
            }
            Err(error) => {
                assert_eq!(error, AttemptError::Area);
                refused += 1;
            }
        }
    }
    assert!(sound > 50 && refused > 50, "{sound} {refused}");
}

/// Each read of the area in turn gives all ones.
fn disturb_each_read<K: Kind>() -> u32 {
    let mut board = Board::<K>::new(COUNTING);
    let mut running = board.start().expect("sound");
    running.guess().expect("a permit");
    running.guess().expect("a permit");
    for read in 0..1000 {
        let mut copy = board.copy();
        *copy.area.reads.borrow_mut() = (0, Some(read));
        let mut checks = 0;
        if let Ok(mut running) = copy.start() {
            assert!(
                running.failures() >= 2,
                "read {read}: a disturbed look took a mark away"
            );
            for _ in 0..3 {
                checks += u32::from(running.guess().is_ok());
            }
        }
        let reads = copy.area.reads.borrow().0;
        copy.area.reads.borrow_mut().1 = None;
        assert!(copy.failures() >= 2 + checks, "read {read}: a free guess");
        if read > reads {
            return read;
        }
    }
    panic!("there was no end of reads");
}

//= compliance/requirements.md#cred-11
//= type=test
//# A read of the area that gives all ones MUST NOT take a counted attempt away.
#[test]
fn a_read_that_is_disturbed_into_all_ones_takes_no_attempt_away() {
    let disturbed = disturb_each_read::<Over>() + disturb_each_read::<Once>();
    assert!(disturbed > 50, "{disturbed}");
}

#[test]
fn reads_that_always_give_all_ones_let_nobody_try() {
    let mut board = Board::<Over>::new(COUNTING);
    let mut running = board.start().expect("sound");
    running.guess().expect("a permit");
    board.area.reads.borrow_mut().1 = Some(u32::MAX);
    assert_eq!(
        running.guess(),
        Err(AttemptError::Unkept),
        "what is not read back is not permitted"
    );
    assert_eq!(board.start().err(), Some(AttemptError::Area));
}

#[test]
fn an_earlier_whole_image_is_reported_as_what_may_have_been_set_back() {
    let mut board = Board::<Over>::new(COUNTING);
    let mut earlier = board.copy();
    let mut running = board.start().expect("sound");
    running.guess().expect("a permit");
    let running = earlier.start().expect("a genuine earlier state");
    let standing = running.limiter.standing(&running.store, AWAKE);
    assert_eq!(
        (standing.failures, standing.freshness),
        (0, Freshness::Unanchored)
    );
}

#[test]
fn an_application_cannot_write_or_erase_the_record() {
    let mut board = Board::<Over>::new(COUNTING);
    let mut running = board.start().expect("sound");
    let mut random = ChaCha20Rng::seed_from_u64(4);
    let put = running
        .store
        .put_bytes(Class::Ledger, "limiter.owner", &[0; 42], &mut random);
    assert_eq!(put, Err(WriteError::Reserved));
    running.store.erase(Class::Settings, &mut random).expect("erased");
    running.guess().expect("a permit");
    assert_eq!(board.failures(), 1, "a factory reset resets no count");
}

#[test]
fn a_limiter_is_made_once_and_found_by_its_name() {
    let board = Board::<Over>::new(COUNTING);
    let (mut store, mut random) = (board.store(), ChaCha20Rng::seed_from_u64(5));
    let area = || Over::wrap(board.area.clone());
    let again = Limiter::create(area(), &mut store, "owner", COUNTING, AWAKE, &mut random);
    assert_eq!(again.err(), Some(AttemptError::Exists));
    assert_eq!(
        Limiter::mount(area(), &mut store, "pairing", COUNTING, AWAKE).err(),
        Some(AttemptError::Missing)
    );
    for name in ["", &"n".repeat(LONGEST_LIMITER_NAME + 1)] {
        let named = Limiter::mount(area(), &mut store, name, COUNTING, AWAKE);
        assert_eq!(named.err(), Some(AttemptError::Name));
    }
    let small = Over::wrap(board.part(0, 1024));
    assert_eq!(
        Limiter::mount(small, &mut store, "owner", COUNTING, AWAKE).err(),
        Some(AttemptError::Geometry)
    );
    let other = Once::wrap(board.area.clone());
    assert_eq!(
        Limiter::mount(other, &mut store, "owner", COUNTING, AWAKE).err(),
        Some(AttemptError::Record)
    );
}

//! Delays: measured while the device is awake, or by a clock that goes on without power.

use bydesign::credential::limiter::{AttemptError, Moment, Policy, Proven};

use crate::rig::{Board, Once, Over};

const POLICY: Policy = Policy::new().free(2).delays(10, 60);

fn wait(seconds: u32) -> Result<(), AttemptError> {
    Err(AttemptError::Wait { seconds })
}

#[test]
fn delays_double_after_each_failure_up_to_the_longest() {
    let mut board = Board::<Over>::new(POLICY);
    let mut running = board.start().expect("sound");
    let mut now = 0;
    for delay in [0, 0, 10, 20, 40, 60, 60, 60] {
        if delay > 0 {
            assert_eq!(running.guess_at(Moment::Awake(now)), wait(delay));
            assert_eq!(
                running.guess_at(Moment::Awake(now + u64::from(delay) - 1)),
                wait(1)
            );
        }
        now += u64::from(delay);
        assert_eq!(running.guess_at(Moment::Awake(now)), Ok(()));
    }
}

//= compliance/requirements.md#cred-5
//= type=test
//# A delay MUST NOT become shorter by a restart or a power cut, and MUST NOT grow beyond the longest one of the policy.
#[test]
fn a_start_begins_the_delay_anew_and_never_shortens_it() {
    let mut board = Board::<Once>::new(POLICY);
    let mut running = board.start().expect("sound");
    for _ in 0..2 {
        running.guess_at(Moment::Awake(0)).expect("free");
    }
    assert_eq!(running.guess_at(Moment::Awake(9)), wait(1));
    for _ in 0..5 {
        let mut running = board.start_at(Moment::Awake(3)).expect("sound");
        assert_eq!(running.guess_at(Moment::Awake(3)), wait(10));
        assert_eq!(running.guess_at(Moment::Awake(12)), wait(1));
    }
    let mut running = board.start_at(Moment::Awake(0)).expect("sound");
    assert_eq!(running.guess_at(Moment::Awake(10)), Ok(()));
}

#[test]
fn a_device_that_sleeps_keeps_what_has_passed_of_the_delay() {
    let mut board = Board::<Over>::new(POLICY);
    let mut running = board.start().expect("sound");
    for _ in 0..2 {
        running.guess_at(Moment::Awake(0)).expect("free");
    }
    for left in [7, 4, 1] {
        // Three seconds awake each time.
        running
            .limiter
            .keep_time(&mut running.store, Moment::Awake(3), &mut running.random)
            .expect("kept");
        running = board.start_at(Moment::Awake(0)).expect("sound");
        assert_eq!(running.guess_at(Moment::Awake(0)), wait(left));
    }
    assert_eq!(running.failures(), 2, "no attempt was made");
    assert_eq!(running.guess_at(Moment::Awake(1)), Ok(()));
}

#[test]
fn by_a_wall_clock_the_delay_passes_while_the_device_is_off() {
    for attempts_behind_the_record in [0, 1] {
        let mut board = Board::<Over>::new(POLICY.free(1 + attempts_behind_the_record));
        let mut running = board.start_at(Moment::Wall(1000)).expect("sound");
        for _ in 0..=attempts_behind_the_record {
            running.guess_at(Moment::Wall(1000)).expect("free");
        }
        // If the last attempt is a mark in the area, the delay is known to the store from its first refusal on.
        assert_eq!(running.guess_at(Moment::Wall(1001)), wait(9));
        let mut running = board.start_at(Moment::Wall(1006)).expect("sound");
        assert_eq!(running.guess_at(Moment::Wall(1006)), wait(4));
        let mut running = board.start_at(Moment::Wall(1010)).expect("sound");
        assert_eq!(running.guess_at(Moment::Wall(1010)), Ok(()));
    }
}

#[test]
fn a_clock_that_goes_back_neither_shortens_nor_lengthens_what_is_left() {
    let mut board = Board::<Over>::new(POLICY);
    let mut running = board.start_at(Moment::Wall(5000)).expect("sound");
    for _ in 0..2 {
        running.guess_at(Moment::Wall(5000)).expect("free");
    }
    assert_eq!(
        running.guess_at(Moment::Wall(10)),
        wait(10),
        "set back while awake"
    );
    assert_eq!(running.guess_at(Moment::Wall(14)), wait(6));
    let mut running = board.start_at(Moment::Wall(1)).expect("sound");
    assert_eq!(running.guess_at(Moment::Wall(1)), wait(10), "set back while off");
    assert_eq!(running.guess_at(Moment::Wall(11)), Ok(()));
    let mut running = board.start_at(Moment::Awake(0)).expect("sound");
    assert_eq!(
        running.guess_at(Moment::Wall(u64::MAX)),
        wait(20),
        "another clock shortens nothing"
    );
}

#[test]
fn a_refusal_writes_nothing_so_that_trying_wears_nothing() {
    for moment in [Moment::Awake as fn(u64) -> Moment, Moment::Wall] {
        let mut board = Board::<Over>::new(POLICY);
        let mut running = board.start_at(moment(0)).expect("sound");
        for _ in 0..2 {
            running.guess_at(moment(0)).expect("free");
        }
        assert_eq!(running.guess_at(moment(1)), wait(9));
        let before = board.chip.borrow().image().to_vec();
        for _ in 0..50 {
            assert_eq!(running.guess_at(moment(1)), wait(9));
        }
        assert_eq!(board.chip.borrow().image(), before);
    }
}

#[test]
fn another_credential_or_a_hand_on_the_device_clears_a_lock() {
    let mut board = Board::<Once>::new(POLICY.delays(0, 0).lock_after(3));
    let mut running = board.start().expect("sound");
    for _ in 0..3 {
        running.guess().expect("a permit");
    }
    assert_eq!(running.guess(), Err(AttemptError::Locked));
    let standing = running.limiter.standing(&running.store, Moment::Awake(0));
    assert_eq!((standing.failures, standing.attempts_left), (3, Some(0)));
    let hand = Proven::by_presence();
    running
        .limiter
        .clear(&mut running.store, &hand, Moment::Awake(0), &mut running.random)
        .expect("cleared");
    assert_eq!(running.guess(), Ok(()));
    assert_eq!(board.failures(), 1);
}

#[test]
fn without_a_limit_nobody_locks_the_owner_out_for_longer_than_the_longest_delay() {
    let mut board = Board::<Over>::new(POLICY);
    let mut running = board.start().expect("sound");
    let mut now = 0;
    for _ in 0..100 {
        running
            .guess_at(Moment::Awake(now))
            .expect("the delay has passed");
        now += 60;
    }
    assert_eq!(running.guess_at(Moment::Awake(now - 60)), wait(60));
    let permit = running
        .limiter
        .attempt(&mut running.store, Moment::Awake(now), &mut running.random);
    assert!(permit.expect("the owner's turn").succeed().is_ok());
    assert_eq!(board.failures(), 0);
}

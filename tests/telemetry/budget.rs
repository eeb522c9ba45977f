//! What is drawn is paid for, before it can leave, whatever happens; and what is spent stays spent.

use bydesign::erase::{Area, Eraser, Scope};
use bydesign::flash::simulator::{EraseTear, ProgramTear};
use bydesign::store::Freshness;
use bydesign::telemetry::GateError;
use chacha20::rand_core::Rng;

use crate::support::register::Register;
use crate::support::{Ecc, Nor, Part, every_cut, format, mount, mount_anchored, random};
use crate::toy::{BUDGET, DAY, FIRST, GATE, HOUSE, OTHER, agree, day, field, house, send_all};
use bydesign::telemetry::Time;

type Flash = Nor<4, 4096>;
const CLASS: u8 = HOUSE.rules.number;

#[test]
fn each_draw_is_paid_for_once() {
    let mut part = Flash::new(64 * 1024);
    let mut store = format(&mut part, 1);
    let mut random = random(1);
    agree(&mut store);
    let mut spent = 0;
    for (number, cost) in [FIRST, OTHER, OTHER].into_iter().enumerate() {
        let prepared = GATE
            .prepare(&mut store, house(true, 1), day(2), &mut random)
            .unwrap();
        assert_eq!(prepared.epsilon().micros(), cost, "report {number}");
        GATE.release(&mut store, prepared, day(2), &mut random).unwrap();
        spent += cost;
        let status = GATE.status(&mut store, CLASS, day(2), &mut random).unwrap();
        assert_eq!(
            (status.spent.micros(), status.left.micros()),
            (spent, 1_000_000 - spent)
        );
    }
}

#[test]
fn neither_window_nor_lifetime_is_overdrawn_in_a_year_and_the_rest_is_left_out() {
    let mut part = Flash::new(64 * 1024);
    let mut store = format(&mut part, 1);
    let mut random = random(1);
    agree(&mut store);
    let (mut last, mut without) = (0, 0);
    for number in 0..120 {
        let now = day(number);
        let window = number / 2;
        GATE.submit(&mut store, house(true, 1), now, &mut random).unwrap();
        for report in send_all(&mut store, now, &mut random).unwrap() {
            without += usize::from(field(&report, "home").is_none());
        }
        let status = GATE.status(&mut store, CLASS, now, &mut random).unwrap();
        assert!(status.spent.micros() <= BUDGET.lifetime, "day {number}");
        assert!(
            status.spent.micros() <= (window + 1) * BUDGET.window,
            "day {number}"
        );
        last = status.spent.micros();
    }
    assert!(
        last > BUDGET.lifetime - FIRST && without > 100,
        "{last} {without}"
    );
}

fn at_every_cut<P: Part>(tear: (ProgramTear, EraseTear)) {
    let mut base = P::new(16 * 1024);
    {
        let mut store = format(&mut base, 1);
        agree(&mut store);
        GATE.submit(&mut store, house(false, 0), day(1), &mut random(2))
            .unwrap();
        send_all(&mut store, day(1), &mut random(3)).unwrap();
    }
    let submit = |part: &mut P| {
        let Ok(mut store) = mount(part) else { return false };
        GATE.submit(&mut store, house(true, 1), day(2), &mut random(4))
            .is_ok()
    };
    let events = {
        let mut part = base.clone();
        assert!(submit(&mut part));
        part.events() - base.events()
    };
    let (mut queued, mut paid_for_nothing) = (0, 0);
    let step = if every_cut() { 1 } else { 3 };
    for cut in (0..events).step_by(step) {
        let mut part = base.clone();
        part.set_tear(tear.0, tear.1, cut);
        part.cut_after(cut);
        assert!(!submit(&mut part), "cut at {cut}");
        part.power_on();
        let mut store = mount(&mut part).unwrap();
        let mut random = random(5);
        let spent = GATE
            .status(&mut store, CLASS, day(2), &mut random)
            .unwrap()
            .spent
            .micros();
        let sent = send_all(&mut store, day(2), &mut random).unwrap();
        match sent.len() {
            0 => assert!([FIRST, 2 * FIRST].contains(&spent), "cut at {cut}: {spent}"),
            1 => assert_eq!(spent, 2 * FIRST, "cut at {cut}: it is paid for"),
            more => panic!("cut at {cut}: {more} reports"),
        }
        queued += sent.len();
        paid_for_nothing += usize::from(sent.is_empty() && spent == 2 * FIRST);
    }
    assert!(
        paid_for_nothing > 0,
        "a cut fell between the two ({queued} were queued)"
    );
}

//= compliance/requirements.md#tele-4
//= type=test
//# What a report spends MUST be debited on flash, and where a counter is given be held against it, before the report is queued.
#[test]
fn at_no_cut_is_there_a_report_that_was_not_paid_for() {
    at_every_cut::<Nor<4, 1024>>((ProgramTear::TornWord, EraseTear::OldOrOne));
    at_every_cut::<Ecc<8, 1024>>((ProgramTear::UnreadableWord, EraseTear::HalfErased));
}

#[test]
fn over_a_history_of_cuts_nothing_comes_out_that_was_not_paid_for() {
    let (mut drawn, mut refused, mut most) = (0u64, 0, 0);
    for history in 0..if every_cut() { 200 } else { 12 } {
        let mut part = Nor::<4, 1024>::new(16 * 1024);
        {
            let mut store = format(&mut part, history);
            agree(&mut store);
        }
        let mut source = random(history);
        let mut now = 0;
        let mut came_out = 0;
        for _ in 0..40 {
            now += source.next_u64() % (DAY / 2);
            part.set_tear(ProgramTear::TornWord, EraseTear::OldOrOne, source.next_u64());
            part.cut_after(source.next_u64() % 2500);
            if let Ok(mut store) = mount(&mut part) {
                let submitted = GATE.submit(&mut store, house(true, 1), Time::of(now), &mut source);
                refused += usize::from(submitted.is_err());
                drop(send_all(&mut store, Time::of(now), &mut source));
            }
            part.power_on();
            let mut store = mount(&mut part).unwrap();
            // Each report that comes out has a fresh draw; so many micro-epsilon at least must have been debited.
            let sent = send_all(&mut store, Time::of(now), &mut source).unwrap();
            came_out += sent
                .iter()
                .filter(|report| field(report, "often").is_some())
                .count() as u64;
            let status = GATE
                .status(&mut store, CLASS, Time::of(now), &mut source)
                .unwrap();
            assert!(status.spent.micros() >= came_out * OTHER, "history {history}");
            assert!(status.spent.micros() <= BUDGET.lifetime, "history {history}");
            most = most.max(status.spent.micros());
        }
        drawn += came_out;
    }
    assert!(
        drawn > 4 && refused > 5 && most > 2 * FIRST,
        "{drawn} {refused} {most}"
    );
}

//= compliance/requirements.md#tele-11
//= type=test
//# What was spent MUST stay spent over restarts, withdrawals, erasures of classes and a factory reset.
#[test]
fn what_was_spent_stays_spent_over_restart_withdrawal_and_factory_reset() {
    let mut part = Flash::new(64 * 1024);
    {
        let mut store = format(&mut part, 1);
        agree(&mut store);
        GATE.submit(&mut store, house(true, 1), day(1), &mut random(1))
            .unwrap();
    }
    let mut random = random(2);
    {
        let mut store = mount(&mut part).unwrap();
        GATE.withdraw(&mut store, 1, day(1), &mut random).unwrap();
        store
            .erase(bydesign::store::Class::Application(10), &mut random)
            .unwrap();
        let mut areas: [&mut dyn Area; 0] = [];
        let mut eraser = Eraser::new(&mut areas).unwrap();
        let plan = eraser.plan(&mut store, Scope::FactoryReset).unwrap();
        let report = eraser.carry_out(&mut store, plan, &mut random).unwrap();
        assert!(report.is_complete());
    }
    let mut store = mount(&mut part).unwrap();
    let status = GATE.status(&mut store, CLASS, day(1), &mut random).unwrap();
    assert_eq!((status.spent.micros(), status.debits), (FIRST, 1));
    assert!(!status.is_open, "and the new owner has not agreed");
}

#[test]
fn a_clock_that_is_set_forward_and_back_gives_no_more_than_the_lifetime() {
    let mut part = Flash::new(64 * 1024);
    let mut store = format(&mut part, 1);
    let mut random = random(1);
    agree(&mut store);
    GATE.submit(&mut store, house(true, 1), day(400), &mut random)
        .unwrap();
    let left = |store: &mut _, number: u64, random: &mut _| {
        GATE.status(store, CLASS, day(number), random)
            .unwrap()
            .left
            .micros()
    };
    assert_eq!(left(&mut store, 400, &mut random), 1_000_000 - FIRST);
    assert_eq!(
        left(&mut store, 1, &mut random),
        1_000_000 - FIRST,
        "no window begins anew"
    );
    assert_eq!(left(&mut store, 402, &mut random), 1_000_000, "but the next");
    for number in [5, 400, 3, 90_000, 1, 2, 1_000_000, 0, 2_000_000] {
        let submitted = GATE.submit(&mut store, house(true, 1), day(number), &mut random);
        assert!(
            matches!(submitted, Ok(()) | Err(GateError::DailyLimit)),
            "{submitted:?}"
        );
        let status = GATE.status(&mut store, CLASS, day(number), &mut random).unwrap();
        assert!(status.spent.micros() <= BUDGET.lifetime);
    }
}

#[test]
fn an_earlier_image_is_refused_with_a_counter_and_called_unanchored_without_one() {
    let mut part = Flash::new(64 * 1024);
    let mut counter = Register::at(0);
    {
        let mut store = format(&mut part, 1);
        agree(&mut store);
        store.start_counter(&mut counter, &mut random(1)).unwrap();
    }
    let before = part.clone();
    {
        let mut store = mount_anchored(&mut part, &mut counter).unwrap();
        let mut random = random(2);
        let prepared = GATE
            .prepare(&mut store, house(true, 1), day(1), &mut random)
            .unwrap();
        GATE.release_anchored(&mut store, prepared, day(1), &mut counter, &mut random)
            .unwrap();
        let status = GATE.status(&mut store, CLASS, day(1), &mut random).unwrap();
        assert!(matches!(status.freshness, Freshness::Anchored { .. }));
    }
    let mut rewound = before.clone();
    assert!(
        mount_anchored(&mut rewound, &mut counter).is_err(),
        "the debit cannot be taken back"
    );
    let mut rewound = before.clone();
    let mut store = mount(&mut rewound).unwrap();
    let status = GATE.status(&mut store, CLASS, day(1), &mut random(3)).unwrap();
    assert_eq!(status.freshness, Freshness::Unanchored);
    assert_eq!(
        status.spent.micros(),
        0,
        "without a counter the earlier budget is back, and the verdict says so"
    );
}

//= compliance/requirements.md#tele-4
//= type=test
//# A budget that cannot be read, written or understood MUST count as spent.
#[test]
fn a_debit_that_cannot_be_written_releases_nothing() {
    let mut base = Nor::<4, 1024>::new(16 * 1024);
    agree(&mut format(&mut base, 1));
    let (mut failed, mut passed) = (0, 0);
    for calls in (0..900).step_by(3) {
        let mut part = base.clone();
        let mut store = mount(&mut part).unwrap();
        let mut random = random(calls);
        let prepared = GATE
            .prepare(&mut store, house(true, 1), day(1), &mut random)
            .unwrap();
        <Nor<4, 1024> as Part>::fail_in_store(&mut store, calls);
        let released = GATE.release(&mut store, prepared, day(1), &mut random);
        <Nor<4, 1024> as Part>::fail_in_store(&mut store, u64::MAX);
        let status = GATE.status(&mut store, CLASS, day(1), &mut random).unwrap();
        let sent = send_all(&mut store, day(1), &mut random).unwrap();
        if released.is_ok() || !sent.is_empty() {
            assert_eq!(
                status.spent.micros(),
                FIRST,
                "after {calls} calls: what is sent is paid for"
            );
            passed += 1;
        } else {
            failed += 1;
        }
    }
    assert!(failed > 5 && passed > 5, "{failed} {passed}");
}

//= compliance/requirements.md#tele-4
//= type=test
//# Noise whose debit is not covered by the budget MUST NOT be drawn.
#[test]
fn noise_that_is_not_covered_is_not_drawn() {
    let mut part = Flash::new(64 * 1024);
    let mut store = format(&mut part, 1);
    let mut random = random(1);
    agree(&mut store);
    GATE.submit(&mut store, house(true, 1), day(0), &mut random)
        .unwrap();
    // 250,000 of the window are left: on the next day the answer for the epoch takes all of it.
    let prepared = GATE
        .prepare(&mut store, house(true, 1), day(1), &mut random)
        .unwrap();
    assert_eq!(
        (prepared.epsilon().micros(), prepared.left_out().no_budget),
        (250_000, 2)
    );
    GATE.release(&mut store, prepared, day(1), &mut random).unwrap();
    let sent = send_all(&mut store, day(1), &mut random).unwrap();
    let last = sent.last().unwrap();
    assert!(field(last, "home").is_some() && field(last, "mode").is_none() && field(last, "often").is_none());
}

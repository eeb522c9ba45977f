//! Histories of reports, clocks, consents, restarts and power cuts: at no moment is there a draw that was not paid for, nothing is spent beyond
//! the budget, and what waits stays within its bounds.
#![no_main]

use bydesign::flash::simulator::{EraseTear, ProgramTear};
use bydesign::telemetry::{Report, Time};
use libfuzzer_sys::arbitrary::{self, Unstructured};
use libfuzzer_sys::fuzz_target;

#[path = "../../tests/support/mod.rs"]
mod support;
#[allow(dead_code)]
#[path = "../../tests/telemetry/toy.rs"]
mod toy;

use support::{Ecc, Nor, Part, format, mount, random};
use toy::{BUDGET, GATE, HOUSE, House, OTHER, QUEUEING, agree, house};

enum Step {
    Submit { home: bool, mode: u8 },
    Preview,
    Send,
    Later(u32),
    Earlier(u16),
    Withdraw,
    Agree,
}

struct History {
    is_write_once: bool,
    seed: u64,
    steps: Vec<(Option<u16>, Step)>,
}

impl History {
    fn decode(input: &mut Unstructured<'_>) -> arbitrary::Result<Self> {
        let (is_write_once, seed) = (input.arbitrary()?, input.arbitrary()?);
        let mut steps = Vec::new();
        while !input.is_empty() && steps.len() < 40 {
            let cut = input.arbitrary()?;
            let step = match input.arbitrary::<u8>()? % 10 {
                0..=3 => Step::Submit {
                    home: input.arbitrary()?,
                    mode: input.arbitrary()?,
                },
                4 => Step::Preview,
                5 => Step::Send,
                6 => Step::Later(input.arbitrary()?),
                7 => Step::Earlier(input.arbitrary()?),
                8 => Step::Withdraw,
                _ => Step::Agree,
            };
            steps.push((cut, step));
        }
        Ok(Self {
            is_write_once,
            seed,
            steps,
        })
    }
}

fuzz_target!(|bytes: &[u8]| {
    let Ok(history) = History::decode(&mut Unstructured::new(bytes)) else {
        return;
    };
    if history.is_write_once {
        run::<Ecc<8, 1024>>(&history);
    } else {
        run::<Nor<4, 1024>>(&history);
    }
});

fn run<P: Part>(history: &History) {
    let mut part = P::new(16 * 1024);
    let mut source = random(history.seed);
    agree(&mut format(&mut part, history.seed));
    let (mut now, mut drawn) = (86_400u64, 0u64);
    for (cut, step) in &history.steps {
        part.set_tear(ProgramTear::TornWord, EraseTear::OldOrOne, history.seed);
        if let Some(cut) = cut {
            part.cut_after(u64::from(*cut % 4000));
        }
        if let Ok(mut store) = mount(&mut part) {
            match step {
                Step::Submit { home, mode } => {
                    let _ = GATE.submit(&mut store, house(*home, *mode), Time::of(now), &mut source);
                }
                Step::Preview => {
                    let _ = GATE.prepare(&mut store, house(true, 0), Time::of(now), &mut source);
                }
                Step::Send => {
                    let later = Time::of(now + 600);
                    let mut out = [0; 64];
                    while let Ok(Some(waiting)) = GATE.next(&mut store, later, &mut out, &mut source) {
                        let report = out[..waiting.len()].to_vec();
                        let sent = GATE.acknowledge(&mut store, waiting, &mut source);
                        House::SCHEMA
                            .decode(&report, |field, _| {
                                // One that is sent again after a cut has been counted already.
                                drawn += u64::from(field.name == "often" && sent.is_ok());
                            })
                            .expect("what was queued decodes");
                        if sent.is_err() {
                            break;
                        }
                    }
                }
                Step::Later(seconds) => now += u64::from(*seconds % (20 * 86_400)),
                Step::Earlier(seconds) => now = now.saturating_sub(u64::from(*seconds)),
                Step::Withdraw => {
                    let _ = GATE.withdraw(&mut store, 2, Time::of(now), &mut source);
                }
                Step::Agree => {
                    for purpose in [1, 2] {
                        let _ = GATE.grant(&mut store, purpose, Time::of(now), &mut source);
                    }
                }
            }
        }
        part.power_on();
        part.never_cut();
        let mut store = mount(&mut part).expect("mounts after a cut");
        let status = GATE
            .status(&mut store, HOUSE.rules.number, Time::of(now), &mut source)
            .expect("reads");
        assert!(status.spent.micros() <= BUDGET.lifetime);
        assert!(
            status.spent.micros() >= drawn * OTHER,
            "{} for {drawn}",
            status.spent
        );
        assert!(status.waiting <= u32::from(QUEUEING.reports) && status.bytes <= u32::from(QUEUEING.bytes));
        assert!(status.is_open || status.waiting == 0);
    }
}

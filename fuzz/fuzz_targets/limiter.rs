//! Attempts and logins under cuts, disturbed reads, and an area that somebody rewrites between starts.
//!
//! ```text
//!  input    part 1 | tear 1 | steps of 2: kind, argument
//! ```
//!
//! What must hold:
//!
//! * no panic; each start mounts the limiter or says that the area is not its own, and the repair of that always works;
//! * nobody is permitted more checks between two successes than the policy states for an area that is rewritten;
//! * without rewriting, all checks that were permitted are counted.
#![no_main]

#[path = "../../tests/credential/rig.rs"]
mod rig;

use bydesign::credential::limiter::{AttemptError, Limiter};
use bydesign::flash::simulator::{EraseTear, ProgramTear, Rule};
use chacha20::ChaCha20Rng;
use chacha20::rand_core::SeedableRng;
use libfuzzer_sys::fuzz_target;
use rig::{AREA, AWAKE, Board, COUNTING, Kind, Once, Over, Running};

/// More are cut off, to keep an execution short.
const MOST_STEPS: usize = 40;
const TEARS: [(ProgramTear, EraseTear); 4] = [
    (ProgramTear::Clean, EraseTear::Clean),
    (ProgramTear::TornWord, EraseTear::OldOrOne),
    (ProgramTear::Unstable, EraseTear::WeakBlank),
    (ProgramTear::UnreadableWord, EraseTear::HalfErased),
];

fuzz_target!(|input: &[u8]| {
    let [part, tear, steps @ ..] = input else { return };
    let tear = usize::from(*tear) % 4;
    if part % 2 == 0 {
        History::<Over>::run(tear, steps);
    } else {
        History::<Once>::run(tear, steps);
    }
});

struct History<K: Kind> {
    board: Board<K>,
    /// Checks since the last success.
    checks: u32,
    is_rewritten: bool,
    /// Earlier contents of the area.
    images: Vec<Vec<u8>>,
}

impl<K: Kind> History<K> {
    fn run(tear: usize, steps: &[u8]) {
        let board = Board::<K>::new(COUNTING);
        let (mut program, erase) = TEARS[tear];
        if K::RULE == Rule::Multiwrite && program == ProgramTear::UnreadableWord {
            program = ProgramTear::TornWord;
        }
        board.chip.borrow_mut().set_tear(program, erase, 1);
        let images = vec![board.area_image()];
        let mut history = Self {
            board,
            checks: 0,
            is_rewritten: false,
            images,
        };
        let mut running = history.start();
        for step in steps.as_chunks::<2>().0.iter().take(MOST_STEPS) {
            running = history.step(running, *step);
        }
        history.start();
    }

    fn step(&mut self, mut running: Running<K>, [kind, argument]: [u8; 2]) -> Running<K> {
        match kind % 8 {
            0 | 1 => self.guess(&mut running),
            2 => {
                if self.log_in(&mut running) {
                    drop(running);
                    return self.start();
                }
            }
            3 => {
                let mut chip = self.board.chip.borrow_mut();
                chip.cut_after(u64::from(argument) * 2);
                return running;
            }
            4 => {
                let read = self.board.area.reads.borrow().0;
                self.board.area.reads.borrow_mut().1 = Some(read + u32::from(argument % 32));
                return running;
            }
            5 => {
                self.images.push(self.board.area_image());
            }
            6 => {
                drop(running);
                self.is_rewritten = true;
                let mut area = self.board.area_image();
                if argument % 2 == 0 {
                    area.clone_from(&self.images[usize::from(argument / 2) % self.images.len()]);
                } else {
                    let at = usize::from(argument) * 37 % AREA;
                    area[at] = argument.rotate_left(3);
                }
                self.board.chip.borrow_mut().power_on();
                self.board.rewrite_area(&area);
                return self.start();
            }
            _ => {
                drop(running);
                return self.start();
            }
        }
        if self.board.chip.borrow().is_off() {
            drop(running);
            return self.start();
        }
        running
    }

    fn guess(&mut self, running: &mut Running<K>) {
        if running.guess().is_ok() {
            self.checks += 1;
            let most = COUNTING.most_when_area_is_rewritten().expect("it locks");
            assert!(self.checks <= most, "{} checks of {most}", self.checks);
            assert!(
                self.is_rewritten || self.checks <= 10,
                "{} checks of 10",
                self.checks
            );
        }
    }

    /// Whether it is in doubt, so that the next start decides.
    fn log_in(&mut self, running: &mut Running<K>) -> bool {
        match running.log_in() {
            Ok(true) => {
                self.checks = 0;
                false
            }
            Ok(false) => {
                self.checks += 1;
                true
            }
            Err(_) => false,
        }
    }

    fn start(&mut self) -> Running<K> {
        self.board.area.reads.borrow_mut().1 = None;
        let running = match self.board.start() {
            Ok(running) => running,
            Err(AttemptError::Area) => {
                assert!(self.is_rewritten, "an area that nobody touched");
                let mut store = self.board.store();
                let mut random = ChaCha20Rng::seed_from_u64(1);
                let area = K::wrap(self.board.area.clone());
                Limiter::repair(area, &mut store, "owner", COUNTING, AWAKE, &mut random).expect("repaired");
                drop(store);
                self.board.start().expect("repaired")
            }
            Err(error) => panic!("{error}"),
        };
        let failures = running.failures();
        if failures == 0 {
            // A success that was in doubt stands.
            self.checks = 0;
        }
        if !self.is_rewritten {
            assert!(failures >= self.checks, "{failures} counted of {}", self.checks);
        }
        running
    }
}

//! Power cuts on real firmware: the images of `firmware/` on emulated boards with emulated NOR flash, cut again and again, and each start held
//! against the journal that the host kept from the serial line.
//!
//! ```text
//!  firmware (this file)      the campaign
//!    board                   the two boards, and what the factory makes for them
//!    emulator                one boot, and its end
//!    moment                  where a board turns itself off
//!    model                   what ought to be on the flash, from the journal
//!    readers                 what others read of the flash: the laboratory's tool, the second reader
//! ```

mod board;
mod emulator;
mod model;
mod moment;
mod readers;

use std::fs;
use std::path::Path;
use std::time::Instant;

use board::{BOARDS, Board, Made, OwnEnd};
use emulator::{End, Ended, Orders};
use model::Model;
use moment::MOMENTS;

/// Operations that a boot would do if power stayed on.
const OPERATIONS: u32 = 400;
/// After so many cuts the flash is read by others.
const CUTS_BETWEEN_LOOKS: u32 = 50;
/// No boot is left on for longer than that before it is cut.
const LONGEST_MILLISECONDS: u64 = 10_000;
/// Cuts unless somebody says otherwise.
const CUTS: u32 = 100;
const SEED: u64 = 20_181_014;

/// What came of a campaign.
#[derive(Default)]
struct Tally {
    cuts: u32,
    /// By the core's own reset, after ticks.
    resets: u32,
    /// At moments of the flash, as [`MOMENTS`] has them.
    moments: [u32; MOMENTS.len()],
    boots: u32,
    looks: u32,
    expected: usize,
}

/// `[BOARD] [--cuts N] [--seed N] [--blank]`.
pub(crate) fn run(root: &Path, words: &[&str]) -> Result<(), String> {
    let (mut cuts, mut seed, mut is_blank, mut only) = (CUTS, SEED, false, None);
    let mut words = words.iter();
    while let Some(&word) = words.next() {
        let mut number = || {
            let word = words.next().copied().unwrap_or_default();
            word.parse::<u64>().map_err(|_| format!("{word:?} is no number"))
        };
        match word {
            "--cuts" => cuts = u32::try_from(number()?).map_err(|_| "too many cuts".to_owned())?,
            "--seed" => seed = number()?,
            "--blank" => is_blank = true,
            name => only = Some(name),
        }
    }
    let boards: Vec<&Board> = BOARDS
        .iter()
        .filter(|board| only.is_none_or(|name| name == board.name))
        .collect();
    if boards.is_empty() {
        return Err(format!(
            "there is no board {}; there are serial and parallel",
            only.unwrap_or_default()
        ));
    }
    let readers = readers::Readers::find(root)?;
    for board in boards {
        if !board.has_emulator() {
            println!(
                "LEFT OUT: {} is not installed, for the board {}",
                board.program, board.name
            );
            continue;
        }
        board.build(root)?;
        let folder = root.join("target/firmware/campaign").join(board.name);
        let made = board.make(root, &folder, seed, is_blank)?;
        let begun = Instant::now();
        let mut model = Model::new(board.is_overwritable, (!is_blank).then_some(board::SERIAL));
        let mut dice = Dice(seed);
        let ended = campaign(board, &made, &readers, cuts, &mut dice, &mut model);
        fs::write(folder.join("journal"), model.journal())
            .map_err(|error| format!("{}: {error}", folder.display()))?;
        let tally = ended.map_err(|reason| {
            format!(
                "{}, seed {seed}, {} boots: {reason}\nthe flash and the journal are in {}",
                board.name,
                model.boots,
                folder.display()
            )
        })?;
        let seconds = begun.elapsed().as_secs_f64();
        let mut by_itself = format!("{} by the core's own reset", tally.resets);
        if matches!(board.own_end, OwnEnd::Moments) {
            let moments = MOMENTS.iter().zip(tally.moments);
            let moments: Vec<String> = moments
                .map(|(moment, count)| format!("{count} {}", moment.name))
                .collect();
            by_itself = moments.join(", ");
        }
        let by_itself_count = tally.resets + tally.moments.iter().sum::<u32>();
        println!(
            "{}, seed {seed}{}: {} cuts ({by_itself}; {} from outside), {} boots, {} of which told what is there, {:.1} cuts/s\n  \
             {} operations done, {} under way at a cut ({} had arrived, {} had not), {} erasures resumed at a start\n  \
             nothing lost at any start; none of {} values that were to be gone recovered in {} looks by {}",
            board.name,
            if is_blank { ", from blank flash" } else { "" },
            tally.cuts,
            tally.cuts - by_itself_count,
            tally.boots,
            model.told_starts,
            f64::from(tally.cuts) / seconds,
            model.done,
            model.arrived + model.not_arrived,
            model.arrived,
            model.not_arrived,
            model.resumed,
            tally.expected,
            tally.looks,
            readers.names(),
        );
    }
    if let Some(left_out) = readers.left_out() {
        println!("LEFT OUT: {left_out}");
    }
    Ok(())
}

fn campaign(
    board: &Board,
    made: &Made,
    readers: &readers::Readers,
    cuts: u32,
    dice: &mut Dice,
    model: &mut Model,
) -> Result<Tally, String> {
    let mut tally = Tally::default();
    // A busy machine takes longer to start: cuts shall come in the mount, and in what follows it, too.
    let mut longest_milliseconds = board.longest_milliseconds;
    while tally.cuts < cuts {
        let end = end(board, longest_milliseconds, dice);
        let ended = boot(board, made, model, &end, OPERATIONS, &mut tally)?;
        if matches!(end, End::FromOutside { .. }) {
            longest_milliseconds = if model.is_told {
                board.longest_milliseconds.max(longest_milliseconds * 9 / 10)
            } else {
                LONGEST_MILLISECONDS.min(longest_milliseconds * 5 / 4)
            };
        }
        let was_cut = ended != Ended::Done;
        tally.cuts += u32::from(was_cut);
        if ended == Ended::ByItself {
            match end {
                End::Reset { .. } => tally.resets += 1,
                End::Moment { moment, .. } => {
                    let counts = MOMENTS.iter().zip(&mut tally.moments);
                    for (_, count) in counts.filter(|(known, _)| known.name == moment.name) {
                        *count += 1;
                    }
                }
                // Nobody ended it: then it died, and a campaign of boards that die at once would find nothing.
                End::FromOutside { .. } | End::WhenDone => {
                    return Err("the emulator ended by itself".to_owned());
                }
            }
        }
        if model.has_erased {
            // Before another start, which would complete what was only half done, and before the next change of keys.
            tally.expected += readers.look_for_gone(made, model, readers::JUST_GONE)?;
            tally.looks += 1;
        }
        if was_cut && (tally.cuts.is_multiple_of(CUTS_BETWEEN_LOOKS) || tally.cuts == cuts) {
            // A start that is not cut finishes what was begun; then others look.
            if boot(board, made, model, &End::WhenDone, 0, &mut tally)? != Ended::Done {
                return Err("a start that nobody cut did not come to its end".to_owned());
            }
            tally.expected += readers.look(made, model)?;
            tally.looks += 1;
        }
    }
    if model.done == 0 || model.told_starts == 0 {
        return Err("nothing was done, or no start told what is there: nothing is shown".to_owned());
    }
    Ok(tally)
}

/// Two of three boots end by the board itself, and the others from outside.
fn end(board: &Board, longest_milliseconds: u64, dice: &mut Dice) -> End {
    let number = |below: u64| u32::try_from(below).unwrap_or(0);
    if dice.below(3) == 0 {
        return End::FromOutside {
            milliseconds: dice.below(longest_milliseconds),
        };
    }
    match board.own_end {
        // The core's ticks come every fifth instruction: in the mount, or in what follows it.
        OwnEnd::Reset { longest_ticks } => End::Reset {
            ticks: number(1 + dice.below(longest_ticks)),
        },
        OwnEnd::Moments => {
            let chosen = usize::try_from(dice.below(MOMENTS.len() as u64)).unwrap_or(0);
            let moment = &MOMENTS[chosen];
            End::Moment {
                moment,
                count: number(1 + dice.below(moment.among)),
            }
        }
    }
}

/// One boot, and how it did end.
fn boot(
    board: &Board,
    made: &Made,
    model: &mut Model,
    end: &End,
    operations: u32,
    tally: &mut Tally,
) -> Result<Ended, String> {
    tally.boots += 1;
    model.boots = tally.boots;
    let orders = Orders {
        seed: made.seed,
        boot: tally.boots,
        first: model.next,
        operations,
        root_key: made.root_key,
        code: made.code.clone(),
    };
    model.power_on();
    emulator::boot(board, made, &orders, end, &mut |line| model.line(line))
}

/// Numbers that follow from a seed (SplitMix64): not for secrets.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit.max(1)
    }
}

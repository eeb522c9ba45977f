//! A NOR flash chip in memory that cuts power at any byte, tears what it was doing, and wears: for your own tests.
//!
//! It stands where the driver stands, so whatever runs on it is the code that runs on the device.
//!
//! ```text
//!  store
//!  flash        Medium = Overwritable | WriteOnce
//!  simulator    (this file)  calls, counters, the power switch
//!    cells      what programming and erasing do when nothing goes wrong
//!    tear       what an interrupted program or erase leaves behind
//!    wear       units that were erased once too often
//!    counters   what the calls cost
//!    words      one bit per word
//!    any        parts of all sizes behind one type
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::vec;
use std::vec::Vec;

use core::fmt;
use core::ops::Range;

use embedded_storage::nor_flash::{
    ErrorType, MultiwriteNorFlash, NorFlash, NorFlashErrorKind, ReadNorFlash, check_erase, check_read,
    check_write,
};

mod any;
mod cells;
mod counters;
mod error;
mod tear;
mod wear;
mod words;

pub use any::{AnyPart, AnySimulator};
pub use counters::Counters;
pub use error::SimulatorError;
pub use tear::{EraseTear, ProgramTear};
pub use wear::WornOut;

use error::refused;
use tear::{Random, UnstableUnit, WeakUnit};
use words::WordMap;

/// A NOR flash part in memory: `WRITE` bytes a word, `ERASE` bytes an erase unit, reads of any length.
///
/// It counts *events*, so that a test can cut power at every one of them: each byte programmed is one event, each
/// unit erased is four (nothing happened yet; torn, mostly old; torn, mostly erased; done, but the call does not
/// live to say so). Reading costs no events. A clone is a snapshot of everything, the random state included: running
/// the same calls on two clones gives the same bytes.
///
/// ```
/// use bydesign::flash::simulator::{EraseTear, ProgramTear, Rule, Simulator, SimulatorError};
/// use embedded_storage::nor_flash::{NorFlash, ReadNorFlash};
///
/// let blank = Simulator::<4, 4096>::new(8192, Rule::Multiwrite);
///
/// // How many places are there to cut?
/// let mut whole = blank.clone();
/// whole.write(0, b"old or new, not both")?;
/// let events = whole.events();
/// assert_eq!(events, 20);
///
/// // Cut at each of them, and look at what is left.
/// for event in 0..events {
///     let mut flash = blank.clone();
///     flash.set_tear(ProgramTear::TornWord, EraseTear::OldOrOne, 1);
///     flash.cut_after(event);
///     assert_eq!(flash.write(0, b"old or new, not both"), Err(SimulatorError::PowerLost));
///     flash.power_on();
///     let mut left = [0; 20];
///     flash.read(0, &mut left)?;
///     let whole_words = event as usize / 4 * 4;
///     assert_eq!(left[..whole_words], b"old or new, not both"[..whole_words]);
/// }
/// # Ok::<(), SimulatorError>(())
/// ```
///
/// It implements `MultiwriteNorFlash` whatever its [`Rule`], because the rule is chosen at run time. One made with
/// [`Rule::WriteOnce`] belongs in [`flash::WriteOnce`](crate::flash::WriteOnce): in
/// [`flash::Overwritable`](crate::flash::Overwritable), overwrites end in [`SimulatorError::ProgrammedTwice`].
#[derive(Clone)]
pub struct Simulator<const WRITE: usize, const ERASE: usize> {
    /// What a reader with a clip sees. Bits of `unstable` hold one of the values they may be read as.
    memory: Vec<u8>,
    rule: Rule,
    /// Words programmed since their erase. Kept under [`Rule::WriteOnce`] only; empty otherwise.
    programmed: WordMap,
    /// Numbers of the words that fail to read.
    unreadable: BTreeSet<usize>,
    /// By unit number: bits that read as they please.
    unstable: BTreeMap<usize, UnstableUnit>,
    /// By unit number: units that read blank and do not hold what is programmed.
    weak: BTreeMap<usize, WeakUnit>,
    /// By unit number: units that fail for good.
    worn: BTreeMap<usize, WornOut>,
    /// The memory as it was before [`Simulator::image_mut`] handed it out, until the next call looks what changed.
    before_edit: Option<Vec<u8>>,
    program_tear: ProgramTear,
    erase_tear: EraseTear,
    seed: u64,
    /// Runs on with each read of an unstable bit; tears draw from `seed` and `events` instead.
    noise: Random,
    events: u64,
    /// Events that still succeed before power goes.
    events_left: Option<u64>,
    off: bool,
    /// Operations that still succeed before one fails, and with what.
    failure: Option<(u64, NorFlashErrorKind)>,
    /// Read calls since creation (`counters.reads` can be reset): the clock of weak units.
    clock: u64,
    counters: Counters,
}

/// What the part does when a programmed word is programmed again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rule {
    /// Programming only clears bits: the word becomes the AND of both. Asking for a one where a zero is leaves the
    /// zero without an error, as real NOR does; [`Counters::lost_ones`] counts it.
    Multiwrite,
    /// Programming a word that was programmed since its erase is an error and changes nothing, whatever the data: also
    /// all ones over all ones, because the check bits of such a word are programmed.
    WriteOnce,
}

impl<const WRITE: usize, const ERASE: usize> Simulator<WRITE, ERASE> {
    /// A blank part of `capacity` bytes, rounded down to whole erase units; powered, with no cut pending.
    ///
    /// An interrupted call leaves [`ProgramTear::Clean`] and [`EraseTear::Clean`] until [`Simulator::set_tear`].
    #[must_use]
    pub fn new(capacity: usize, rule: Rule) -> Self {
        const {
            assert!(WRITE > 0, "a word has at least one byte");
            assert!(
                ERASE > 0 && ERASE.is_multiple_of(WRITE),
                "an erase unit is made of whole words"
            );
        }
        // Addresses are 32 bits wide.
        let units = capacity.min(u32::MAX as usize) / ERASE;
        let capacity = units * ERASE;
        Self {
            memory: vec![BLANK; capacity],
            rule,
            programmed: WordMap::new(match rule {
                Rule::Multiwrite => 0,
                Rule::WriteOnce => capacity / WRITE,
            }),
            unreadable: BTreeSet::new(),
            unstable: BTreeMap::new(),
            weak: BTreeMap::new(),
            worn: BTreeMap::new(),
            before_edit: None,
            program_tear: ProgramTear::Clean,
            erase_tear: EraseTear::Clean,
            seed: 0,
            noise: Random::new(0),
            events: 0,
            events_left: None,
            off: false,
            failure: None,
            clock: 0,
            counters: Counters::new(units),
        }
    }

    /// A part that holds `image`, cut down to whole erase units. Words that are not all ones count as programmed.
    #[must_use]
    pub fn from_image(image: &[u8], rule: Rule) -> Self {
        let mut simulator = Self::new(image.len(), rule);
        let capacity = simulator.memory.len();
        simulator.image_mut().copy_from_slice(&image[..capacity]);
        simulator.notice_edit();
        simulator
    }

    /// All bytes as a reader with a clip on the chip sees them, whether powered or not.
    ///
    /// It sees through unreadable words. Where bits are unstable it sees one value they may have.
    #[must_use]
    pub fn image(&self) -> &[u8] {
        &self.memory
    }

    /// All bytes, to be changed behind the driver's back: the attacker with a clip and a programmer of their own.
    ///
    /// Words that are different afterwards are stable and readable, and count as programmed if they are not all ones.
    /// Words left as they were keep their state. A weak unit stays weak.
    pub fn image_mut(&mut self) -> &mut [u8] {
        self.notice_edit();
        if self.rule == Rule::WriteOnce || !self.unreadable.is_empty() || !self.unstable.is_empty() {
            self.before_edit = Some(self.memory.clone());
        }
        &mut self.memory
    }

    /// Chooses what interrupted calls leave behind, and the `seed` of everything random.
    ///
    /// The same calls with the same seed give the same bytes. A tear is drawn from the seed and the event it falls on.
    pub fn set_tear(&mut self, program: ProgramTear, erase: EraseTear, seed: u64) {
        self.program_tear = program;
        self.erase_tear = erase;
        self.seed = seed;
        self.noise = Random::new(!seed);
    }

    /// Lets `events` more events succeed; power goes at the next one.
    ///
    /// The call it falls into returns [`SimulatorError::PowerLost`], and so does every call until
    /// [`Simulator::power_on`].
    pub fn cut_after(&mut self, events: u64) {
        self.events_left = Some(events);
    }

    /// Takes back [`Simulator::cut_after`]. Does not bring power back.
    pub fn never_cut(&mut self) {
        self.events_left = None;
    }

    /// Events that succeeded since creation. The event at which power went is not one of them.
    #[must_use]
    pub fn events(&self) -> u64 {
        self.events
    }

    /// Whether power went and has not come back.
    #[must_use]
    pub fn is_off(&self) -> bool {
        self.off
    }

    /// Brings power back, with no cut pending. Also what a test calls to model an orderly restart.
    ///
    /// What was programmed into weak units loses bits now ([`EraseTear::WeakBlank`]).
    pub fn power_on(&mut self) {
        self.notice_edit();
        self.off = false;
        self.events_left = None;
        self.decay(u64::MAX);
    }

    /// Inverts one bit (0 is the least significant) of the byte at `address`; no effect outside the part.
    ///
    /// A word that is no longer all ones counts as programmed.
    pub fn flip_bit(&mut self, address: u32, bit: u8) {
        self.notice_edit();
        let index = address as usize;
        if let Some(byte) = self.memory.get_mut(index)
            && bit < 8
        {
            *byte ^= 1 << bit;
            if *byte & (1 << bit) == 0 {
                self.mark_programmed(&(index..index + 1));
            }
        }
    }

    /// Makes the word at `address` fail to read until its unit is erased; no effect outside the part.
    ///
    /// The word counts as programmed.
    pub fn make_unreadable(&mut self, address: u32) {
        self.notice_edit();
        let index = address as usize;
        if index < self.memory.len() {
            self.unreadable.insert(index / WRITE);
            self.mark_programmed(&(index..index + 1));
        }
    }

    /// Lets `operations` more calls succeed (read, program or erase); the next fails once with `kind` and changes
    /// nothing. Calls that fail for another reason do not count.
    pub fn fail_after(&mut self, operations: u64, kind: NorFlashErrorKind) {
        self.failure = Some((operations, kind));
    }

    /// What was done since creation or [`Simulator::reset_counters`].
    #[must_use]
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Sets all counters to zero. [`Simulator::events`] goes on.
    pub fn reset_counters(&mut self) {
        self.counters = Counters::new(self.memory.len() / ERASE);
    }
}

impl<const WRITE: usize, const ERASE: usize> fmt::Debug for Simulator<WRITE, ERASE> {
    /// Without the image: it is large, and may hold what should not be in a log.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Simulator")
            .field("capacity", &self.memory.len())
            .field("rule", &self.rule)
            .field("program_tear", &self.program_tear)
            .field("erase_tear", &self.erase_tear)
            .field("seed", &self.seed)
            .field("events", &self.events)
            .field("off", &self.off)
            .finish_non_exhaustive()
    }
}

impl<const WRITE: usize, const ERASE: usize> ErrorType for Simulator<WRITE, ERASE> {
    type Error = SimulatorError;
}

impl<const WRITE: usize, const ERASE: usize> ReadNorFlash for Simulator<WRITE, ERASE> {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), SimulatorError> {
        self.check_power()?;
        check_read(self, offset, bytes.len()).map_err(refused)?;
        let range = offset as usize..offset as usize + bytes.len();
        self.notice_edit();
        if let Some(word) = self.unreadable.range(units_of(&range, WRITE)).next() {
            return Err(SimulatorError::Unreadable(address(word * WRITE)));
        }
        self.count_down_to_failure()?;

        self.clock += 1;
        self.decay(self.clock);
        self.counters.reads += 1;
        self.counters.bytes_read += bytes.len() as u64;
        bytes.copy_from_slice(&self.memory[range.clone()]);
        self.add_noise(&range, bytes);
        Ok(())
    }

    fn capacity(&self) -> usize {
        self.memory.len()
    }
}

impl<const WRITE: usize, const ERASE: usize> NorFlash for Simulator<WRITE, ERASE> {
    const WRITE_SIZE: usize = WRITE;
    const ERASE_SIZE: usize = ERASE;

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), SimulatorError> {
        self.check_power()?;
        check_write(self, offset, bytes.len()).map_err(refused)?;
        let start = offset as usize;
        self.notice_edit();
        if let Some(word) = self
            .programmed
            .first(start / WRITE..(start + bytes.len()) / WRITE)
        {
            return Err(SimulatorError::ProgrammedTwice(address(word * WRITE)));
        }
        self.count_down_to_failure()?;

        self.counters.programs += 1;
        match self.spend_events(bytes.len()) {
            None => {
                self.counters.touch_pages(start, bytes.len());
                self.program(start, bytes);
                Ok(())
            }
            Some(done) => {
                self.counters.touch_pages(start, done + 1);
                self.tear_program(start, bytes, done);
                Err(SimulatorError::PowerLost)
            }
        }
    }

    fn erase(&mut self, from: u32, to: u32) -> Result<(), SimulatorError> {
        self.check_power()?;
        check_erase(self, from, to).map_err(refused)?;
        self.count_down_to_failure()?;
        self.notice_edit();

        for unit in from as usize / ERASE..to as usize / ERASE {
            self.check_erases(unit)?;
            let cut = self.spend_events(EVENTS_PER_ERASE);
            // An erase that began has worn the unit; at its first event it has not begun.
            if cut != Some(0) {
                self.counters.erase(unit);
            }
            match cut {
                None => self.erase_unit(unit),
                Some(step) => {
                    self.tear_erase(unit, step);
                    return Err(SimulatorError::PowerLost);
                }
            }
        }
        Ok(())
    }
}

impl<const WRITE: usize, const ERASE: usize> MultiwriteNorFlash for Simulator<WRITE, ERASE> {}

impl<const WRITE: usize, const ERASE: usize> Simulator<WRITE, ERASE> {
    fn check_power(&self) -> Result<(), SimulatorError> {
        if self.off {
            Err(SimulatorError::PowerLost)
        } else {
            Ok(())
        }
    }

    fn count_down_to_failure(&mut self) -> Result<(), SimulatorError> {
        match &mut self.failure {
            None => Ok(()),
            Some((0, kind)) => {
                let kind = *kind;
                self.failure = None;
                Err(SimulatorError::Injected(kind))
            }
            Some((operations, _)) => {
                *operations -= 1;
                Ok(())
            }
        }
    }

    /// Spends `wanted` events; or as many as succeed, and then power is off and their number is returned.
    fn spend_events(&mut self, wanted: usize) -> Option<usize> {
        if let Some(left) = self.events_left {
            if let Ok(done) = usize::try_from(left)
                && done < wanted
            {
                self.events += left;
                self.events_left = None;
                self.off = true;
                return Some(done);
            }
            self.events_left = Some(left - wanted as u64);
        }
        self.events += wanted as u64;
        None
    }
}

/// The numbers of the units of `size` bytes that `range` touches.
fn units_of(range: &Range<usize>, size: usize) -> Range<usize> {
    if range.is_empty() {
        return 0..0;
    }
    range.start / size..range.end.div_ceil(size)
}

fn is_blank(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| *byte == BLANK)
}

fn address(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX) // the capacity is bounded, see `new`
}

/// What an erased byte reads as.
const BLANK: u8 = 0xFF;

/// Places at which power can go while one unit is erased.
const EVENTS_PER_ERASE: usize = 4;

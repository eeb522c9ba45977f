//! A monotonic counter kept in a flash area of its own.
//!
//! ```text
//!  page     serial | value | value | value | ffff …
//!  each     number (4) ‖ ~number (4), padded to the word: a step
//! ```
//!
//! Two pages take turns: when one is full, the other is erased and goes on, with a serial one higher. The page with the higher serial
//! counts, if there is a value on it, and on it the last value whose complement fits. A step that a cut left may read
//! differently each time; so the first thing that is done after a start is to write what it reads as once more, behind it.
//! Each page is erased once in as many values as both hold: at 4 KiB and 4-byte words, once in 1,022.

use super::counter::{Counter, CounterFailed, CounterPlace};
use super::format;
use super::pages::LOOKS;
use crate::flash::{Medium, ours, two_faces};

/// Bytes of a step before padding.
const STEP: usize = 8;
/// The largest word.
const MAX_WORD: usize = 32;

/// A [`Counter`] in a flash area of its own, for tests and for boards whose counter part the attacker cannot rewrite.
///
/// Takes the first two erase units of its medium. Uses up one step at each start, and one for each value.
///
/// ```
/// use bydesign::flash::Overwritable;
/// use bydesign::flash::simulator::{Rule, Simulator};
/// use bydesign::store::{CounterPlace, FlashCounter};
///
/// let mut area = Simulator::<4, 4096>::new(8192, Rule::Multiwrite);
/// let counter = FlashCounter::new(Overwritable::new(&mut area), CounterPlace::SameFlash)?;
/// # Ok::<(), bydesign::store::CounterFailed>(())
/// ```
///
/// # Power loss
///
/// A cut leaves the value before or one more.
///
/// # Security
///
/// As good as the place it is in: see [`CounterPlace`]. The steps are not authenticated; whoever writes this area sets the
/// counter as they please.
pub struct FlashCounter<M> {
    medium: M,
    place: CounterPlace,
    /// Where the value stands for certain.
    settled: Option<Settled>,
}

#[derive(Clone, Copy)]
struct Settled {
    serial: u32,
    value: u32,
    page: usize,
    /// The first step behind it.
    free: usize,
}

#[two_faces]
impl<M: Medium> FlashCounter<M> {
    /// A counter on this area. Blank flash stands at 0.
    ///
    /// # Errors
    ///
    /// [`CounterFailed`] if the area has fewer than two erase units, or its units or words are too small or too large.
    pub fn new(medium: M, place: CounterPlace) -> Result<Self, CounterFailed> {
        let counter = Self {
            medium,
            place,
            settled: None,
        };
        let (step, page) = (counter.step(), counter.page());
        let sound = step <= MAX_WORD
            && page >= 3 * step
            && counter.medium.capacity() / page.max(1) >= 2
            && u32::try_from(2 * page).is_ok();
        if sound { Ok(counter) } else { Err(CounterFailed) }
    }

    /// Gives the medium back.
    pub fn into_medium(self) -> M {
        self.medium
    }

    /// Bytes of a step with padding.
    fn step(&self) -> usize {
        let (read, write, _) = self.medium.sizes();
        STEP.next_multiple_of(write.max(read).max(1))
    }

    /// Bytes of a page.
    fn page(&self) -> usize {
        self.medium.sizes().2
    }

    /// Steps in a page.
    fn steps(&self) -> usize {
        self.page() / self.step()
    }

    /// The first byte behind a page.
    fn end(&self, page: usize) -> Result<u32, CounterFailed> {
        u32::try_from((page + 1) * self.page()).map_err(|_| CounterFailed)
    }

    fn address(&self, page: usize, step: usize) -> Result<u32, CounterFailed> {
        u32::try_from(page * self.page() + step * self.step()).map_err(|_| CounterFailed)
    }

    /// The bytes of a step; `None` if they do not read, as those of a torn word may.
    async fn read(&mut self, page: usize, step: usize) -> Result<Option<[u8; MAX_WORD]>, CounterFailed> {
        let mut bytes = [0xff; MAX_WORD];
        let target = bytes.get_mut(..self.step()).ok_or(CounterFailed)?;
        let at = self.address(page, step)?;
        // An error counts only if it stays: a step taken for torn sets the counter back.
        for _ in 0..LOOKS {
            if self.medium.read(at, target).await.is_ok() {
                return Ok(Some(bytes));
            }
        }
        Ok(None)
    }

    /// Where a page ends, if it counts at all.
    async fn examine(&mut self, page: usize) -> Result<Option<Settled>, CounterFailed> {
        let serial = self.read(page, 0).await?;
        if serial.is_none() && self.read(page, 1).await? != Some([0xff; MAX_WORD]) {
            // Values stand behind it: it was whole, and its page may be the newer one.
            return Err(CounterFailed);
        }
        let Some(serial) = serial.and_then(|bytes| number_of(&bytes)) else {
            return Ok(None);
        };
        let (mut last, mut free) = (None, 1);
        for step in 1..self.steps() {
            let bytes = self.read(page, step).await?;
            if bytes != Some([0xff; MAX_WORD]) {
                free = step + 1;
            }
            last = bytes.and_then(|bytes| number_of(&bytes)).or(last);
        }
        Ok(last.map(|value| Settled {
            serial,
            value,
            page,
            free,
        }))
    }

    /// Finds the value, and writes it once more: what stands last may be what a cut left.
    async fn settle(&mut self) -> Result<Settled, CounterFailed> {
        if let Some(settled) = self.settled {
            return Ok(settled);
        }
        let pages = [self.examine(0).await?, self.examine(1).await?];
        let newest = pages.into_iter().flatten().max_by_key(|settled| settled.serial);
        // Nothing yet: as if the second page were full.
        let newest = newest.unwrap_or(Settled {
            serial: 0,
            value: 0,
            page: 1,
            free: self.steps(),
        });
        self.go_to(newest, newest.value).await
    }

    /// Writes a value behind what is settled.
    async fn go_to(&mut self, from: Settled, value: u32) -> Result<Settled, CounterFailed> {
        self.settled = None;
        // A step that was begun may read blank and not take the value: once more, beyond it.
        for free in [from.free, from.free + 1] {
            if free < self.steps() && self.write(from.page, free, value).await.is_ok() {
                return Ok(self.settle_at(Settled {
                    value,
                    free: free + 1,
                    ..from
                }));
            }
        }
        // Until the first value is on the other page, this one counts.
        let serial = from.serial.checked_add(1).ok_or(CounterFailed)?;
        let page = 1 - from.page;
        let (begin, end) = (self.address(page, 0)?, self.end(page)?);
        self.medium.erase(begin, end).await.map_err(|_| CounterFailed)?;
        self.write(page, 0, serial).await?;
        self.write(page, 1, value).await?;
        Ok(self.settle_at(Settled {
            serial,
            value,
            page,
            free: 2,
        }))
    }

    fn settle_at(&mut self, settled: Settled) -> Settled {
        self.settled = Some(settled);
        settled
    }

    async fn add_one(&mut self) -> Result<(), CounterFailed> {
        let settled = self.settle().await?;
        let next = settled.value.checked_add(1).ok_or(CounterFailed)?;
        self.go_to(settled, next).await.map(|_| ())
    }

    /// Writes a step and reads it back.
    async fn write(&mut self, page: usize, step: usize, value: u32) -> Result<(), CounterFailed> {
        let mut bytes = [0xff; MAX_WORD];
        format::place(&mut bytes, 0, &value.to_le_bytes());
        format::place(&mut bytes, 4, &(!value).to_le_bytes());
        let written = bytes.get(..self.step()).ok_or(CounterFailed)?;
        let at = self.address(page, step)?;
        self.medium.write(at, written).await.map_err(|_| CounterFailed)?;
        if self.read(page, step).await? == Some(bytes) {
            Ok(())
        } else {
            Err(CounterFailed)
        }
    }
}

impl<M: Medium> Counter for FlashCounter<M> {
    fn place(&self) -> CounterPlace {
        self.place
    }

    async fn value(&mut self) -> Result<u32, CounterFailed> {
        Ok(ours(self.settle()).await?.value)
    }

    async fn advance(&mut self) -> Result<(), CounterFailed> {
        ours(self.add_one()).await
    }
}

fn number_of(bytes: &[u8; MAX_WORD]) -> Option<u32> {
    let value = format::number(bytes, 0);
    (format::number(bytes, 4) == !value).then_some(value)
}

//! Reports that wait for being sent: where they lie in the store, and the counts that bound them.
//!
//! ```text
//!  gate
//!  queue     (this file)
//! ```
//!
//! In the store class of the consent class, and gone with its key:
//!
//! ```text
//! item                bytes
//! \0queue             version 1 · first 4 · next 4 · bytes 4 · day 4 · taken on that day 2
//! \0q and 8 digits    the report · due at 8 · queued on day 4
//! ```

use super::raw::Time;
use super::schema::{MOST_QUEUED, Queueing};

const VERSION: u8 = 1;

/// Name of the item with the counts.
pub(crate) const QUEUE: &str = "\0queue";
/// Bytes of that item.
pub(crate) const QUEUE_LEN: usize = 19;
/// What stands behind a report that waits.
pub(crate) const TRAILER_LEN: usize = 12;

/// The counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Queue {
    /// Number of the oldest report.
    pub(crate) first: u32,
    /// Number of the next one.
    pub(crate) next: u32,
    /// Bytes of all reports.
    pub(crate) bytes: u32,
    day: u32,
    taken: u16,
}

impl Queue {
    /// As of now. A day that is over does not come back with a clock that is set back.
    pub(crate) fn at(mut self, now: Time) -> Self {
        if now.day() > self.day {
            self.day = now.day();
            self.taken = 0;
        }
        self
    }

    /// Reports on this day so far.
    pub(crate) fn taken(self) -> u16 {
        self.taken
    }

    /// Numbers in use, those between that are sent already included.
    pub(crate) fn span(self) -> u32 {
        self.next.wrapping_sub(self.first)
    }

    /// Whether the day has room for another report.
    pub(crate) fn takes_another(self, limits: &Queueing) -> bool {
        self.taken < limits.each_day
    }

    /// Whether a report of so many bytes fits without dropping another.
    //= compliance/requirements.md#tele-8
    //# What waits MUST stay within the declared bytes and reports, and what is taken within the declared number for each day.
    pub(crate) fn has_room(self, len: u32, limits: &Queueing) -> bool {
        let most = u32::from(limits.reports).min(MOST_QUEUED);
        self.span() < most && self.bytes.saturating_add(len) <= u32::from(limits.bytes)
    }

    /// With another report of so many bytes.
    pub(crate) fn with(mut self, len: u32) -> Self {
        self.next = self.next.wrapping_add(1);
        self.bytes = self.bytes.saturating_add(len);
        self.taken = self.taken.saturating_add(1);
        self
    }

    /// Without a report of so many bytes.
    pub(crate) fn without(mut self, number: u32, len: u32) -> Self {
        if number == self.first && self.span() > 0 {
            self.first = self.first.wrapping_add(1);
        }
        self.bytes = self.bytes.saturating_sub(len);
        self
    }

    pub(crate) fn to_bytes(self) -> [u8; QUEUE_LEN] {
        let mut bytes = [0; QUEUE_LEN];
        let parts = [VERSION]
            .into_iter()
            .chain(self.first.to_le_bytes())
            .chain(self.next.to_le_bytes())
            .chain(self.bytes.to_le_bytes())
            .chain(self.day.to_le_bytes())
            .chain(self.taken.to_le_bytes());
        bytes.iter_mut().zip(parts).for_each(|(to, from)| *to = from);
        bytes
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (&[version], rest) = bytes.split_first_chunk()?;
        let (first, rest) = rest.split_first_chunk()?;
        let (next, rest) = rest.split_first_chunk()?;
        let (total, rest) = rest.split_first_chunk()?;
        let (day, rest) = rest.split_first_chunk()?;
        let (taken, rest) = rest.split_first_chunk()?;
        let queue = Self {
            first: u32::from_le_bytes(*first),
            next: u32::from_le_bytes(*next),
            bytes: u32::from_le_bytes(*total),
            day: u32::from_le_bytes(*day),
            taken: u16::from_le_bytes(*taken),
        };
        (version == VERSION && rest.is_empty() && queue.span() <= MOST_QUEUED).then_some(queue)
    }
}

/// What stands behind a report that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Trailer {
    /// The time from which on it is sent, in seconds.
    pub(crate) due: u64,
    /// The day on which it was queued.
    pub(crate) day: u32,
}

impl Trailer {
    /// Whether it is time to send. A due time that lies further ahead than any that is drawn now was drawn with a clock that was set back since.
    pub(crate) fn is_due(self, now: Time, limits: &Queueing) -> bool {
        let latest = now.seconds.saturating_add(u64::from(limits.jitter_seconds));
        self.due <= now.seconds || self.due > latest
    }

    pub(crate) fn is_expired(self, now: Time, limits: &Queueing) -> bool {
        now.day() > self.day.saturating_add(u32::from(limits.keep_days))
    }

    pub(crate) fn to_bytes(self) -> [u8; TRAILER_LEN] {
        let mut bytes = [0; TRAILER_LEN];
        let parts = self.due.to_le_bytes().into_iter().chain(self.day.to_le_bytes());
        bytes.iter_mut().zip(parts).for_each(|(to, from)| *to = from);
        bytes
    }

    /// Splits an item into the report and what stands behind it.
    pub(crate) fn split(item: &[u8]) -> Option<(&[u8], Self)> {
        let (report, trailer) = item.split_last_chunk::<TRAILER_LEN>()?;
        let (due, rest) = trailer.split_first_chunk()?;
        let (day, _) = rest.split_first_chunk()?;
        let trailer = Self {
            due: u64::from_le_bytes(*due),
            day: u32::from_le_bytes(*day),
        };
        Some((report, trailer))
    }
}

/// A name that ends in a number, in hexadecimal digits.
pub(crate) struct Name<const N: usize>([u8; N]);

impl Name<10> {
    /// Of a report that waits.
    pub(crate) fn of_report(number: u32) -> Self {
        Self::new(b"\0q", number)
    }
}

impl Name<18> {
    /// Of what was spent in a consent class, in the library's own class.
    pub(crate) fn of_ledger(class: u8) -> Self {
        Self::new(b"telemetry.", u32::from(class))
    }
}

impl<const N: usize> Name<N> {
    fn new(prefix: &[u8], number: u32) -> Self {
        let digits = (0..8).rev().map(|nibble| match (number >> (nibble * 4)) & 15 {
            digit @ 0..=9 => b'0'.wrapping_add(u8::try_from(digit).unwrap_or(0)),
            digit => b'a'.wrapping_add(u8::try_from(digit.wrapping_sub(10)).unwrap_or(0)),
        });
        let mut name = [0; N];
        let letters = prefix.iter().copied().chain(digits);
        name.iter_mut().zip(letters).for_each(|(to, from)| *to = from);
        Self(name)
    }

    pub(crate) fn as_str(&self) -> &str {
        core::str::from_utf8(&self.0).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Queueing = Queueing {
        bytes: 100,
        reports: 3,
        each_day: 2,
        jitter_seconds: 60,
        keep_days: 5,
    };

    #[test]
    fn counts_come_back_from_their_bytes_and_impossible_ones_do_not() {
        let queue = Queue::default()
            .at(Time::of(86_400 * 8))
            .with(30)
            .with(20)
            .without(0, 30);
        assert_eq!(Queue::from_bytes(&queue.to_bytes()), Some(queue));
        assert_eq!(
            (queue.first, queue.span(), queue.bytes, queue.taken()),
            (1, 1, 20, 2)
        );
        let many = Queue {
            next: 100,
            ..Queue::default()
        };
        assert_eq!(Queue::from_bytes(&many.to_bytes()), None);
        assert_eq!(Queue::from_bytes(&queue.to_bytes()[1..]), None);
    }

    #[test]
    fn bytes_reports_and_days_are_bounded() {
        let queue = Queue::default().with(60);
        assert!(queue.has_room(40, &LIMITS) && !queue.has_room(41, &LIMITS));
        assert!(!queue.with(1).with(1).has_room(1, &LIMITS), "three wait");
        let full = queue.with(1);
        assert!(!full.takes_another(&LIMITS));
        assert!(full.at(Time::of(86_400)).takes_another(&LIMITS));
        let back = full.at(Time::of(86_400)).with(1).with(1).at(Time::of(5));
        assert!(!back.takes_another(&LIMITS), "the clock was set back");
    }

    #[test]
    fn a_report_is_due_in_its_time_and_when_the_clock_was_set_back() {
        let trailer = Trailer { due: 1000, day: 0 };
        assert!(!trailer.is_due(Time::of(999), &LIMITS) && trailer.is_due(Time::of(1000), &LIMITS));
        assert!(!trailer.is_due(Time::of(940), &LIMITS) && trailer.is_due(Time::of(939), &LIMITS));
        assert!(!trailer.is_expired(Time::of(86_400 * 5), &LIMITS));
        assert!(trailer.is_expired(Time::of(86_400 * 6), &LIMITS));
        let mut item = b"report".to_vec();
        item.extend(trailer.to_bytes());
        assert_eq!(Trailer::split(&item), Some((&b"report"[..], trailer)));
        assert_eq!(Trailer::split(&item[..11]), None);
    }

    #[test]
    fn names_end_in_their_number() {
        assert_eq!(Name::of_report(0x1f).as_str(), "\0q0000001f");
        assert_eq!(Name::of_ledger(255).as_str(), "telemetry.000000ff");
    }
}

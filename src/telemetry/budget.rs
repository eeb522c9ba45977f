//! How much noise may still be drawn: a budget for the life of a device and one for each window, in integer micro-epsilon.
//!
//! ```text
//!  gate
//!  budget    (this file)
//! ```
//!
//! What was spent is an item of the library's own class in the store, which no erasure takes but that of the whole store:
//!
//! ```text
//! offset  bytes
//! 0       1      version of this layout: 1
//! 1       8      spent in the life of the device
//! 9       4      number of the window
//! 13      8      spent in this window
//! 21      4      debits
//! ```

use super::raw::Time;

const VERSION: u8 = 1;

/// Bytes of the item.
pub(crate) const LEDGER_LEN: usize = 25;

/// How much may be spent, in micro-epsilon.
///
/// Fields are paid for in the order of their declaration. One that what is left does not pay for is left out of the report, which is queued without it:
/// [`Prepared::left_out`](super::Prepared::left_out) counts those. So give a window what its reports cost together, which
/// [`ReportSchema::micro_epsilon`](super::ReportSchema::micro_epsilon) has for each; with less, the last fields are the ones that are never sent.
///
/// ```
/// use bydesign::telemetry::Budget;
///
/// /// Epsilon 8 in the life of a device, and at most 0.5 a month.
/// const BUDGET: Budget = Budget::new(8_000_000, 500_000, 30 * 86_400);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// In the life of the device.
    pub lifetime: u64,
    /// In each window.
    pub window: u64,
    /// Seconds of a window.
    pub window_seconds: u32,
}

impl Budget {
    /// No noise at all: a declaration that has some does not compile.
    pub const NONE: Self = Self {
        lifetime: 0,
        window: 0,
        window_seconds: 86_400,
    };

    /// So many micro-epsilon in the life of the device, and in each window of so many seconds.
    ///
    /// # Panics
    ///
    /// If the window has no length or more than the lifetime; in a constant that is a compile error.
    #[must_use]
    pub const fn new(lifetime: u64, window: u64, window_seconds: u32) -> Self {
        assert!(window_seconds > 0, "a window has a length");
        assert!(window <= lifetime, "no window has more than the lifetime");
        Self {
            lifetime,
            window,
            window_seconds,
        }
    }
}

/// What was spent of a budget.
//= compliance/requirements.md#tele-11
//# What was spent MUST stay spent over restarts, withdrawals, erasures of classes and a factory reset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ledger {
    pub(crate) spent: u64,
    pub(crate) window: u32,
    pub(crate) spent_in_window: u64,
    pub(crate) debits: u32,
}

impl Ledger {
    /// As of now: a later window has nothing spent in it, an earlier one does not come back.
    pub(crate) fn at(mut self, budget: Budget, now: Time) -> Self {
        let window = now.period(budget.window_seconds);
        if window > self.window {
            self.window = window;
            self.spent_in_window = 0;
        }
        self
    }

    /// What may still be spent now.
    pub(crate) fn left(self, budget: Budget) -> u64 {
        let lifetime = budget.lifetime.saturating_sub(self.spent);
        let window = budget.window.saturating_sub(self.spent_in_window);
        lifetime.min(window)
    }

    /// The ledger after a debit, if the budget reaches.
    pub(crate) fn debit(mut self, amount: u64, budget: Budget) -> Option<Self> {
        if amount > self.left(budget) {
            return None;
        }
        self.spent = self.spent.checked_add(amount)?;
        self.spent_in_window = self.spent_in_window.checked_add(amount)?;
        self.debits = self.debits.saturating_add(1);
        Some(self)
    }

    pub(crate) fn to_bytes(self) -> [u8; LEDGER_LEN] {
        let mut bytes = [0; LEDGER_LEN];
        let parts = [VERSION]
            .into_iter()
            .chain(self.spent.to_le_bytes())
            .chain(self.window.to_le_bytes())
            .chain(self.spent_in_window.to_le_bytes())
            .chain(self.debits.to_le_bytes());
        bytes.iter_mut().zip(parts).for_each(|(to, from)| *to = from);
        bytes
    }

    /// Reads the item; `None` is not "nothing spent", it is a ledger that is not understood.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (&[version], rest) = bytes.split_first_chunk()?;
        let (spent, rest) = rest.split_first_chunk()?;
        let (window, rest) = rest.split_first_chunk()?;
        let (spent_in_window, rest) = rest.split_first_chunk()?;
        let (debits, rest) = rest.split_first_chunk()?;
        (version == VERSION && rest.is_empty()).then(|| Self {
            spent: u64::from_le_bytes(*spent),
            window: u32::from_le_bytes(*window),
            spent_in_window: u64::from_le_bytes(*spent_in_window),
            debits: u32::from_le_bytes(*debits),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BUDGET: Budget = Budget::new(1000, 300, 100);

    #[test]
    fn neither_the_window_nor_the_lifetime_is_overdrawn() {
        let mut ledger = Ledger::default();
        let mut granted = 0;
        for second in 0..2000 {
            ledger = ledger.at(BUDGET, Time::of(second));
            if let Some(after) = ledger.debit(70, BUDGET) {
                ledger = after;
                granted += 70;
            }
            assert!(ledger.spent_in_window <= 300 && ledger.spent <= 1000);
        }
        assert_eq!((granted, ledger.spent, ledger.debits), (980, 980, 14));
    }

    #[test]
    fn a_clock_that_goes_back_gives_nothing_back() {
        let spent = Ledger::default()
            .at(BUDGET, Time::of(500))
            .debit(300, BUDGET)
            .unwrap();
        assert_eq!(spent.at(BUDGET, Time::of(100)).left(BUDGET), 0);
        assert_eq!(spent.at(BUDGET, Time::of(599)).left(BUDGET), 0);
        assert_eq!(spent.at(BUDGET, Time::of(600)).left(BUDGET), 300);
    }

    #[test]
    fn a_ledger_comes_back_from_its_bytes_and_nothing_else_is_one() {
        let ledger = Ledger {
            spent: u64::MAX - 3,
            window: 77,
            spent_in_window: 5,
            debits: 9,
        };
        let bytes = ledger.to_bytes();
        assert_eq!(Ledger::from_bytes(&bytes), Some(ledger));
        assert_eq!(Ledger::from_bytes(&bytes[..LEDGER_LEN - 1]), None);
        assert_eq!(Ledger::from_bytes(&[]), None);
        let mut later = bytes;
        later[0] = 2;
        assert_eq!(Ledger::from_bytes(&later), None, "a later version fails closed");
        assert_eq!(ledger.debit(4, BUDGET), None, "more is spent than there is");
    }
}

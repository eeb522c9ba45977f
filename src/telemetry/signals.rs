//! Security events, counted and coarse from the start: how often logins failed, limiters tripped, updates failed, the device restarted, and
//! what the store said of itself.
//!
//! ```text
//!  applications, which declare a report of them
//!  signals   (this file)
//!  raw · treatment
//! ```

use super::raw::{Raw, Tally};
use super::treatment::{Buckets, OneOf};
use crate::store::{Freshness, MountError};

/// Something that happened. It carries nothing about who, from where or with what: neither do the counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SecurityEvent {
    /// A login, pairing or signature was wrong.
    FailedLogin,
    /// A limiter refused an attempt.
    LimiterTrip,
    /// An update was refused or could not be completed.
    UpdateFailure,
    /// The device restarted without having been asked to.
    UnexpectedReset,
}

/// What the store said when it was mounted. The numbers are those that a report shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreVerdict {
    /// A counter out of reach agreed, or the store is new.
    Fresh = 0,
    /// No counter was asked.
    Unanchored = 1,
    /// It was set back to an earlier state, or stands against another counter.
    SetBack = 2,
    /// Something was forged, swapped, dropped or damaged.
    Damaged = 3,
    /// It did not mount for another reason, or was never looked at.
    Other = 4,
}

impl StoreVerdict {
    /// From what a mount gave.
    #[must_use]
    pub const fn of(mounted: Result<Freshness, MountError>) -> Self {
        match mounted {
            Ok(Freshness::Anchored { .. } | Freshness::SinceMount) => Self::Fresh,
            Ok(Freshness::Unanchored) => Self::Unanchored,
            Err(MountError::SetBack { .. } | MountError::OtherCounter | MountError::NotAnchored) => {
                Self::SetBack
            }
            Err(MountError::Damaged(_) | MountError::Inconsistent | MountError::WrongRootKey) => {
                Self::Damaged
            }
            Err(_) => Self::Other,
        }
    }
}

/// The treatment of the counts: none, up to 3, up to 15, up to 63, more.
pub const EVENTS: Buckets<4> = Buckets::from(&[1, 4, 16, 64]);
/// The treatment of the verdict of the store.
pub const VERDICT: OneOf<5> = OneOf;

/// Counts since the last report.
///
/// ```
/// use bydesign::telemetry::{Basis, Buckets, ConsentClass, OneOf, Purpose, Recipient, Retention, Tally};
/// use bydesign::telemetry::signals::{EVENTS, SecurityEvent, Signals, VERDICT};
///
/// // Records of security-relevant activity: on until the user objects.
/// const SECURITY: ConsentClass = ConsentClass::new(3, "security").on(Basis::OptOut);
/// const PROTECTION: Purpose = Purpose::new(3, "protection", "To notice attacks on devices like yours.", &SECURITY);
/// const MAKER: Recipient = Recipient { name: "Example Heating Ltd", role: "maker" };
///
/// bydesign::report! {
///     /// Security events of a week.
///     pub struct Security {
///         report: 3, "security", version 1;
///         class: SECURITY;
///         bytes: 16;
///         /// Logins that failed.
///         failed_logins: Tally {
///             purpose: PROTECTION,
///             treatment: Buckets<4> = EVENTS,
///             retention: Retention::Days(365),
///             recipient: MAKER,
///         }
///         /// What the store said of itself.
///         store: u8 {
///             purpose: PROTECTION,
///             treatment: OneOf<5> = VERDICT,
///             retention: Retention::Days(365),
///             recipient: MAKER,
///         }
///     }
/// }
///
/// let mut signals = Signals::new();
/// signals.record(SecurityEvent::FailedLogin);
/// let readings = signals.take();
/// let report = Security { failed_logins: readings.failed_logins, store: readings.store };
/// # drop(report);
/// ```
///
/// Where the user has objected ([`Gate::allows`](super::Gate::allows) says so), do not record.
pub struct Signals {
    failed_logins: Tally,
    limiter_trips: Tally,
    update_failures: Tally,
    unexpected_resets: Tally,
    store: StoreVerdict,
}

/// What was counted, ready for a report.
pub struct SignalReadings {
    /// Logins, pairings and signatures that were wrong.
    pub failed_logins: Raw<Tally>,
    /// Attempts that a limiter refused.
    pub limiter_trips: Raw<Tally>,
    /// Updates that were refused or not completed.
    pub update_failures: Raw<Tally>,
    /// Restarts that nobody asked for.
    pub unexpected_resets: Raw<Tally>,
    /// What the store said of itself: a number of [`StoreVerdict`].
    pub store: Raw<u8>,
}

impl Default for Signals {
    fn default() -> Self {
        Self::new()
    }
}

impl Signals {
    /// Nothing so far.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            failed_logins: Tally::new(),
            limiter_trips: Tally::new(),
            update_failures: Tally::new(),
            unexpected_resets: Tally::new(),
            store: StoreVerdict::Other,
        }
    }

    /// Counts an event.
    //= compliance/requirements.md#tele-16
    //# A security event MUST be counted without anything about who, from where or with what, and a count MUST NOT wrap.
    pub fn record(&mut self, event: SecurityEvent) {
        let tally = match event {
            SecurityEvent::FailedLogin => &mut self.failed_logins,
            SecurityEvent::LimiterTrip => &mut self.limiter_trips,
            SecurityEvent::UpdateFailure => &mut self.update_failures,
            SecurityEvent::UnexpectedReset => &mut self.unexpected_resets,
        };
        tally.add(1);
    }

    /// Notes what a mount gave. The worst since the last report is what counts.
    pub fn mounted(&mut self, mounted: Result<Freshness, MountError>) {
        let verdict = StoreVerdict::of(mounted);
        if self.store == StoreVerdict::Other || verdict as u8 > self.store as u8 {
            self.store = verdict;
        }
    }

    /// Ends the window: gives what was counted, and begins again.
    pub fn take(&mut self) -> SignalReadings {
        let store = self.store as u8;
        SignalReadings {
            failed_logins: Raw::new(self.failed_logins.take()),
            limiter_trips: Raw::new(self.limiter_trips.take()),
            update_failures: Raw::new(self.update_failures.take()),
            unexpected_resets: Raw::new(self.unexpected_resets.take()),
            store: Raw::new(store),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::raw::Number;

    //= compliance/requirements.md#tele-16
    //= type=test
    //# A security event MUST be counted without anything about who, from where or with what, and a count MUST NOT wrap.
    #[test]
    fn a_count_of_events_stops_at_the_largest_number_and_a_kind_does_not_touch_another() {
        // Nothing but the kind goes in: the type has no room for more.
        assert_eq!(size_of::<SecurityEvent>(), 1);
        let mut signals = Signals::new();
        signals.failed_logins.add(u32::MAX - 1);
        for _ in 0..3 {
            signals.record(SecurityEvent::FailedLogin);
        }
        signals.record(SecurityEvent::UpdateFailure);
        let readings = signals.take();
        assert_eq!(
            readings.failed_logins.into_reading().number(),
            i64::from(u32::MAX)
        );
        assert_eq!(readings.update_failures.into_reading().number(), 1);
        for untouched in [readings.limiter_trips, readings.unexpected_resets] {
            assert_eq!(untouched.into_reading().number(), 0);
        }
    }

    #[test]
    fn the_worst_verdict_since_the_last_report_stands() {
        let mut signals = Signals::new();
        signals.mounted(Ok(Freshness::Anchored { window: 0 }));
        assert_eq!(signals.store, StoreVerdict::Fresh);
        signals.mounted(Err(MountError::SetBack { store: 1, counter: 2 }));
        signals.mounted(Ok(Freshness::Unanchored));
        assert_eq!(signals.store, StoreVerdict::SetBack);
        assert_eq!(
            StoreVerdict::of(Err(MountError::Inconsistent)),
            StoreVerdict::Damaged
        );
    }
}

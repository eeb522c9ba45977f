//! How many attempts, how fast: delays that double, a limit that locks if somebody asked for one, and the time they are measured in.
//!
//! ```text
//!  limiter
//!  policy   (this file)
//! ```

/// What the limiter allows. A constant of the product.
///
/// ```
/// use bydesign::credential::limiter::Policy;
///
/// const POLICY: Policy = Policy::new();
/// assert_eq!([0, 4, 5, 6, 7, 40].map(|failures| POLICY.delay(failures)), [0, 0, 30, 60, 120, 3600]);
///
/// /// A code of six digits: at most a hundred tries in all, as NIST SP 800-63B-4 has it.
/// const STRICT: Policy = Policy::new().lock_after(100);
/// ```
///
/// # Security
///
/// Without [`Policy::lock_after`], whoever keeps trying keeps the owner waiting up to the longest delay after each of their
/// attempts, and never locks the owner out. With it, they do lock the owner out, until another credential or somebody at the
/// device [clears](super::Limiter::clear) the limiter: it is for what has such another way.
///
/// Guesses of eight random digits that are tried for a whole year with the default policy hit with a probability of 1 in 11,000.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    free: u32,
    first_delay_s: u32,
    longest_delay_s: u32,
    lock_after: Option<u32>,
    between_records: u32,
}

impl Policy {
    /// Five attempts without delay, then 30 seconds, doubled after each failure up to one hour; never locked.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            free: 5,
            first_delay_s: 30,
            longest_delay_s: 3600,
            lock_after: None,
            between_records: 7,
        }
    }

    /// So many attempts may fail before there is a delay.
    #[must_use]
    pub const fn free(self, attempts: u32) -> Self {
        Self {
            free: attempts,
            ..self
        }
    }

    /// The first delay, which doubles after each failure, and the longest, in seconds. A longest one below the first is the first.
    ///
    /// # Security
    ///
    /// With a first delay of zero there is none, and without [`Policy::lock_after`] nothing else either: anybody guesses without end.
    #[must_use]
    pub const fn delays(self, first_s: u32, longest_s: u32) -> Self {
        Self {
            first_delay_s: first_s,
            longest_delay_s: if longest_s < first_s { first_s } else { longest_s },
            ..self
        }
    }

    /// Locks when so many attempts in a row have failed.
    #[must_use]
    pub const fn lock_after(self, attempts: u32) -> Self {
        Self {
            lock_after: Some(attempts),
            ..self
        }
    }

    /// So many attempts are marked in the area between two records of the store: 0 to 63, 7 unless said otherwise. More wear
    /// the store less; fewer leave less to whoever rewrites the area. Firmware that lowers the number counts of the marks that an earlier one has made
    /// since its last record no more than the new number.
    ///
    /// # Panics
    ///
    /// If there are more than 63; in a constant that does not compile.
    #[must_use]
    pub const fn between_records(self, attempts: u32) -> Self {
        assert!(
            attempts <= 63,
            "at most 63 attempts are marked between two records"
        );
        Self {
            between_records: attempts,
            ..self
        }
    }

    /// The delay after so many failures in a row, in seconds.
    #[must_use]
    pub const fn delay(&self, failures: u32) -> u32 {
        let Some(doublings) = failures.checked_sub(self.free) else {
            return 0;
        };
        if self.first_delay_s == 0 {
            return 0;
        }
        if doublings >= 32 || self.first_delay_s > self.longest_delay_s >> doublings {
            return self.longest_delay_s;
        }
        self.first_delay_s << doublings
    }

    /// Attempts that are left after so many failures; `None` if the policy never locks.
    #[must_use]
    pub const fn attempts_left(&self, failures: u32) -> Option<u32> {
        match self.lock_after {
            Some(limit) => Some(limit.saturating_sub(failures)),
            None => None,
        }
    }

    /// The most attempts that an attacker gets after the owner's last success, out of a policy that locks, who sets back the area, and not
    /// the store, at every start; `None` if it never locks. Without such rewriting the number is that of [`Policy::lock_after`].
    ///
    /// ```
    /// use bydesign::credential::limiter::Policy;
    ///
    /// assert_eq!(Policy::new().lock_after(10).most_when_area_is_rewritten(), Some(59));
    /// assert_eq!(Policy::new().lock_after(10).between_records(0).most_when_area_is_rewritten(), Some(10));
    /// ```
    #[must_use]
    pub const fn most_when_area_is_rewritten(&self) -> Option<u32> {
        let Some(limit) = self.lock_after else { return None };
        // Behind the owner's last success, as many marks as the epoch still has.
        let marks = if limit < self.between_records {
            limit
        } else {
            self.between_records
        };
        // Each start charges one in the store for good, and gives one and the marks behind it, as far as the limit lets it.
        let each = self.between_records + 1;
        let whole = limit.saturating_sub(each).saturating_mul(each);
        let few = if limit < each { limit } else { each };
        Some(
            marks
                .saturating_add(whole)
                .saturating_add(few.saturating_mul(few + 1) / 2),
        )
    }

    pub(super) const fn marks_between_records(&self) -> u32 {
        self.between_records
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self::new()
    }
}

/// The time, in seconds, as the device knows it.
///
/// # Security
///
/// Delays are no longer than they should be only if the attacker cannot advance the time: the network's is none to take here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// Since power came. A start begins the delay anew, from what [`Limiter::keep_time`](super::Limiter::keep_time) kept of it: no power
    /// cut makes it shorter.
    Awake(u64),
    /// By a clock that goes on without power, from whatever moment on. The delay passes while the device is off, too.
    Wall(u64),
}

impl Moment {
    /// Seconds from then to now; `None` if the two are of different kinds, or the clock went back.
    pub(in crate::credential) fn since(self, then: Self) -> Option<u64> {
        match (then, self) {
            (Self::Awake(then), Self::Awake(now)) | (Self::Wall(then), Self::Wall(now)) => {
                now.checked_sub(then)
            }
            _ => None,
        }
    }

    pub(super) fn wall(self) -> Option<u64> {
        match self {
            Self::Wall(now) => Some(now),
            Self::Awake(_) => None,
        }
    }
}

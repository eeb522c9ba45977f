//! Until when a product gets security updates, as its own screen can say it.
//!
//! ```text
//!  paper
//!  support  (this file)
//!  date
//! ```

use core::fmt;

use super::date::Date;

/// How long a product gets security updates at least: a period with an end, as the PSTI regulations (Schedule 1, paragraph 3) and
/// EN 303 645 5.3-13 ask for.
///
/// ```
/// use bydesign::paper::{Date, Standing, SupportPeriod};
///
/// const AT_FIRST: SupportPeriod<'_> = SupportPeriod::new("Example Lamp L1", Date::on(2026, 11, 1), Date::on(2031, 12, 31));
/// /// Extended, and never shortened: an earlier day would not compile.
/// const SUPPORT: SupportPeriod<'_> = AT_FIRST
///     .extended_to(Date::on(2033, 12, 31))
///     .published_at("https://example.com/support");
///
/// let today = Date::on(2033, 12, 1);
/// assert_eq!(SUPPORT.standing(today), Standing::Supported { days_left: 30 });
/// assert_eq!(SUPPORT.until().in_words().to_string(), "31 December 2033");
/// ```
///
/// A day of the past for the end does not compile either:
///
/// ```compile_fail
/// use bydesign::paper::{Date, SupportPeriod};
///
/// const SUPPORT: SupportPeriod<'_> = SupportPeriod::new("Example Lamp L1", Date::on(2026, 11, 1), Date::on(2026, 10, 31));
/// ```
///
/// [`Display`](fmt::Display) is the statement in English, one sentence that needs no technical knowledge; for other languages there are
/// its parts. Publish the same day where the product is sold: the regulations ask for that too, and no device can do it.
///
/// # Security
///
/// It says what the manufacturer promised, and holds nobody to it. [`standing`](Self::standing) is as right as the day it is given: where
/// the device does not know the day for certain, show the end and not what is left.
///
/// Serves CoP 3; EN 303 645 5.3-13.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SupportPeriod<'a> {
    product: &'a str,
    from: Date,
    until: Date,
    published_at: Option<&'a str>,
}

impl<'a> SupportPeriod<'a> {
    /// Updates for this product from one day, that of its first supply, to another, that one included.
    ///
    /// # Panics
    ///
    /// If the product has no name or the period ends before it begins: in a constant, an error of the compiler.
    #[must_use]
    pub const fn new(product: &'a str, from: Date, until: Date) -> Self {
        assert!(
            !product.is_empty(),
            "a support period is that of a product with a name"
        );
        assert!(
            !until.is_before(from),
            "a support period does not end before it begins"
        );
        Self {
            product,
            from,
            until,
            published_at: None,
        }
    }

    /// The same for values that are read: `None` if the product has no name or the period ends before it begins.
    #[must_use]
    pub const fn checked(product: &'a str, from: Date, until: Date) -> Option<Self> {
        if product.is_empty() || until.is_before(from) {
            return None;
        }
        Some(Self::new(product, from, until))
    }

    /// With a later end. The first end stays in the source for whoever reads it.
    ///
    /// # Panics
    ///
    /// If the day is before the end that was stated, because to shorten a period breaks the promise: in a constant, an error of the compiler.
    //= compliance/requirements.md#paper-4
    //# A support period MUST NOT end before it begins, and an end that was stated MUST NOT become an earlier one.
    #[must_use]
    pub const fn extended_to(mut self, until: Date) -> Self {
        assert!(!until.is_before(self.until), "a support period is not shortened");
        self.until = until;
        self
    }

    /// Where the manufacturer says the same, for everybody, free and without asking who they are.
    #[must_use]
    pub const fn published_at(mut self, address: &'a str) -> Self {
        self.published_at = Some(address);
        self
    }

    /// The product, by the name that its buyers know.
    #[must_use]
    pub const fn product(&self) -> &'a str {
        self.product
    }

    /// The first day.
    #[must_use]
    pub const fn from(&self) -> Date {
        self.from
    }

    /// The last day.
    #[must_use]
    pub const fn until(&self) -> Date {
        self.until
    }

    /// Where it stands on a day.
    //= compliance/requirements.md#paper-5
    //# What a support period says MUST name the product and the day on which it ends, and MUST tell whether a given day is past it.
    #[must_use]
    pub const fn standing(&self, today: Date) -> Standing {
        let left = self.until.days() - today.days();
        if left < 0 {
            Standing::Ended {
                days_ago: left.unsigned_abs(),
            }
        } else {
            Standing::Supported {
                days_left: left.unsigned_abs(),
            }
        }
    }

    /// Whole months, the last day included.
    fn months(&self) -> u32 {
        let month = |date: Date| u32::from(date.year()) * 12 + u32::from(date.month());
        // The period ends with its last day, which is the beginning of the day after it.
        let end = Date::from_days(self.until.days() + 1).unwrap_or(self.until);
        let begun = month(end).saturating_sub(month(self.from));
        begun.saturating_sub(u32::from(end.day() < self.from.day()))
    }
}

/// Where a support period stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// There are updates.
    Supported {
        /// Days to the last one; 0 on that day.
        days_left: u32,
    },
    /// There are none any more.
    Ended {
        /// Days since the last one.
        days_ago: u32,
    },
}

/// The statement, in English.
impl fmt::Display for SupportPeriod<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        //= compliance/requirements.md#paper-5
        //# What a support period says MUST name the product and the day on which it ends, and MUST tell whether a given day is past it.
        write!(
            formatter,
            "{} gets security updates at least until {}, that is for {} from {}.",
            self.product,
            self.until.in_words(),
            Length(self.months()),
            self.from.in_words()
        )?;
        match self.published_at {
            Some(address) => write!(formatter, " See {address}"),
            None => Ok(()),
        }
    }
}

/// A number of months as years and months.
struct Length(u32);

impl fmt::Display for Length {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = |count| if count == 1 { "" } else { "s" };
        let (years, months) = (self.0 / 12, self.0 % 12);
        match (years, months) {
            (0, 0) => write!(formatter, "less than a month"),
            (0, _) => write!(formatter, "{months} month{}", plural(months)),
            (_, 0) => write!(formatter, "{years} year{}", plural(years)),
            _ => write!(
                formatter,
                "{years} year{} and {months} month{}",
                plural(years),
                plural(months)
            ),
        }
    }
}

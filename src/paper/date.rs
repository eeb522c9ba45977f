//! Days of the calendar, without a clock.
//!
//! ```text
//!  support · timestamp
//!  date     (this file)
//! ```

use core::fmt;

/// A day of the Gregorian calendar, in the years 0 to 9999.
///
/// ```
/// use bydesign::paper::Date;
///
/// const END: Date = Date::on(2031, 12, 31);
/// assert_eq!(END.to_string(), "2031-12-31");
/// assert_eq!(END.in_words().to_string(), "31 December 2031");
/// assert_eq!(Date::new(2031, 2, 29), None);
/// assert_eq!(Date::parse("2031-12-31"), Some(END));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    year: u16,
    month: u8,
    day: u8,
}

impl Date {
    /// This day; `None` if the calendar has none like it.
    #[must_use]
    pub const fn new(year: u16, month: u8, day: u8) -> Option<Self> {
        if year > LAST_YEAR || month < 1 || month > 12 || day < 1 || day > days_in(year, month) {
            return None;
        }
        Some(Self { year, month, day })
    }

    /// This day, for constants.
    ///
    /// # Panics
    ///
    /// If the calendar has no such day: in a constant, an error of the compiler.
    #[must_use]
    pub const fn on(year: u16, month: u8, day: u8) -> Self {
        let date = Self::new(year, month, day);
        assert!(date.is_some(), "the calendar has no such day");
        match date {
            Some(date) => date,
            None => Self::EPOCH,
        }
    }

    /// A day written as `2031-12-31`, and in no other way.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = *text.as_bytes() else {
            return None;
        };
        let year = u16::from(two_digits(y1, y2)?) * 100 + u16::from(two_digits(y3, y4)?);
        Self::new(year, two_digits(m1, m2)?, two_digits(d1, d2)?)
    }

    /// The day so many days after 1 January 1970; `None` outside the years 0 to 9999.
    #[must_use]
    pub fn from_days(days: i32) -> Option<Self> {
        let since_year_0 = u32::try_from(days.checked_add(EPOCH_DAYS)?).ok()?;
        // Years have 365.2425 days: the guess is the year or the one after it.
        let guess = u16::try_from(u64::from(since_year_0) * 400 / DAYS_IN_400_YEARS).ok()?;
        let year = (guess.saturating_sub(1)..=guess.saturating_add(1))
            .rev()
            .find(|year| days_before(*year) <= since_year_0)?;
        let mut left = since_year_0 - days_before(year);
        for month in 1..=12 {
            let length = u32::from(days_in(year, month));
            if left < length {
                return Self::new(year, month, u8::try_from(left + 1).ok()?);
            }
            left -= length;
        }
        None
    }

    /// Days since 1 January 1970; negative before it.
    #[must_use]
    pub const fn days(self) -> i32 {
        let mut days = days_before(self.year).cast_signed() - EPOCH_DAYS;
        let mut month = 1;
        while month < self.month {
            days += days_in(self.year, month) as i32;
            month += 1;
        }
        days + self.day as i32 - 1
    }

    /// The year, 0 to 9999.
    #[must_use]
    pub const fn year(self) -> u16 {
        self.year
    }

    /// The month, 1 to 12.
    #[must_use]
    pub const fn month(self) -> u8 {
        self.month
    }

    /// The day of the month, from 1.
    #[must_use]
    pub const fn day(self) -> u8 {
        self.day
    }

    /// As people write it, in English: `31 December 2031`.
    #[must_use]
    pub const fn in_words(self) -> InWords {
        InWords(self)
    }

    /// Whether it is before the other; usable in constants.
    pub(super) const fn is_before(self, other: Self) -> bool {
        self.days() < other.days()
    }

    pub(super) const fn is_last_of_month(self) -> bool {
        self.day == days_in(self.year, self.month)
    }

    const EPOCH: Self = Self {
        year: 1970,
        month: 1,
        day: 1,
    };
}

/// As `2031-12-31`.
impl fmt::Display for Date {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

/// A day as people write it, in English.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InWords(Date);

impl fmt::Display for InWords {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Date { year, month, day } = self.0;
        let month = MONTHS.get(usize::from(month) - 1).unwrap_or(&"");
        write!(formatter, "{day} {month} {year}")
    }
}

/// The number that two digits are.
pub(super) fn two_digits(tens: u8, ones: u8) -> Option<u8> {
    (tens.is_ascii_digit() && ones.is_ascii_digit()).then(|| (tens - b'0') * 10 + (ones - b'0'))
}

const fn is_leap(year: u16) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

const fn days_in(year: u16, month: u8) -> u8 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1 January of the year 0, which is a leap year, to 1 January of this one.
const fn days_before(year: u16) -> u32 {
    let year = year as u32;
    let leap_years = year.div_ceil(4) - year.div_ceil(100) + year.div_ceil(400);
    365 * year + leap_years
}

const LAST_YEAR: u16 = 9999;

const DAYS_IN_400_YEARS: u64 = 146_097;

/// From 1 January of the year 0 to 1 January 1970.
const EPOCH_DAYS: i32 = days_before(1970).cast_signed();

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_of_ten_thousand_years_follows_the_one_before() {
        let (mut days, mut expected) = (Date::on(0, 1, 1).days(), Date::on(0, 1, 1));
        loop {
            assert_eq!(Date::from_days(days), Some(expected));
            assert_eq!(expected.days(), days);
            let Date { year, month, day } = expected;
            let next = Date::new(year, month, day + 1)
                .or_else(|| Date::new(year, month + 1, 1))
                .or_else(|| Date::new(year + 1, 1, 1));
            days += 1;
            let Some(next) = next else { break };
            assert!(expected.is_before(next) && expected < next);
            expected = next;
        }
        assert_eq!(expected, Date::on(9999, 12, 31));
        assert_eq!(Date::from_days(days), None);
        assert_eq!(Date::from_days(Date::on(0, 1, 1).days() - 1), None);
        assert_eq!(Date::from_days(i32::MAX), None);
    }

    #[test]
    fn known_days_have_their_numbers() {
        assert_eq!(Date::on(1970, 1, 1).days(), 0);
        assert_eq!(Date::on(2000, 2, 29).days(), 11_016);
        assert_eq!(Date::on(2001, 9, 9).days(), 1_000_000_000 / 86_400);
        assert_eq!(Date::on(1969, 12, 31).days(), -1);
    }

    #[test]
    fn days_that_are_none_are_refused() {
        for (year, month, day) in [
            (2031, 0, 1),
            (2031, 13, 1),
            (2031, 1, 0),
            (2031, 4, 31),
            (2100, 2, 29),
            (10_000, 1, 1),
        ] {
            assert_eq!(Date::new(year, month, day), None);
        }
        for text in [
            "",
            "2031-12-3",
            "2031-12-311",
            "2031/12/31",
            "2031-02-30",
            "+031-12-31",
            "2031-1 -01",
            "２031-1-1",
        ] {
            assert_eq!(Date::parse(text), None, "{text}");
        }
        assert_eq!(Date::parse("2028-02-29"), Date::new(2028, 2, 29));
    }
}

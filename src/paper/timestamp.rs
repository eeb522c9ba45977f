//! Points in time as RFC 3339 writes them.
//!
//! ```text
//!  security_txt
//!  timestamp (this file)
//!  date
//! ```

use core::fmt;

use super::date::{Date, two_digits};

/// A second, counted from the beginning of 1970 in UTC as clocks of computers do, in the years 0 to 9999.
///
/// ```
/// use bydesign::paper::{Date, Timestamp};
///
/// let expires = Timestamp::parse("2027-06-30T23:59:00+02:00")?;
/// assert_eq!(expires.to_string(), "2027-06-30T21:59:00Z");
/// assert!(expires < Timestamp::at_midnight(Date::on(2027, 7, 1)));
/// # Ok::<(), bydesign::paper::TimestampError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// So many seconds after the beginning of 1970; `None` outside the years 0 to 9999.
    #[must_use]
    pub const fn from_unix(seconds: i64) -> Option<Self> {
        if seconds < FIRST || seconds > LAST {
            return None;
        }
        Some(Self(seconds))
    }

    /// The beginning of a day in UTC.
    #[must_use]
    pub const fn at_midnight(date: Date) -> Self {
        Self(date.days() as i64 * DAY)
    }

    /// Seconds after the beginning of 1970; negative before it.
    #[must_use]
    pub const fn unix(self) -> i64 {
        self.0
    }

    /// A `date-time` of RFC 3339: `T` and `Z` in either case, a fraction of a second, which is cut off, a leap second only where one can be.
    ///
    /// # Errors
    ///
    /// [`TimestampError`].
    pub fn parse(text: &str) -> Result<Self, TimestampError> {
        let (date, rest) = text.split_at_checked(10).ok_or(TimestampError::Form)?;
        let [b'T' | b't', h1, h2, b':', m1, m2, b':', s1, s2, rest @ ..] = rest.as_bytes() else {
            return Err(TimestampError::Form);
        };
        let pair = |tens, ones| two_digits(tens, ones).ok_or(TimestampError::Form);
        let (hour, minute, second) = (pair(*h1, *h2)?, pair(*m1, *m2)?, pair(*s1, *s2)?);
        let offset = match without_fraction(rest).ok_or(TimestampError::Form)? {
            [b'Z' | b'z'] => 0,
            [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
                let (hours, minutes) = (pair(*h1, *h2)?, pair(*m1, *m2)?);
                if hours > 23 || minutes > 59 {
                    return Err(TimestampError::Time);
                }
                let seconds = i64::from(hours) * 3600 + i64::from(minutes) * 60;
                if *sign == b'+' { seconds } else { -seconds }
            }
            _ => return Err(TimestampError::Form),
        };
        if !date.bytes().enumerate().all(is_form_of_date) {
            return Err(TimestampError::Form);
        }
        let date = Date::parse(date).ok_or(TimestampError::Day)?;
        if hour > 23 || minute > 59 || second > 60 {
            return Err(TimestampError::Time);
        }
        // A leap second has the number of the second after it, as in the clocks of computers.
        let local = i64::from(hour) * 3600 + i64::from(minute) * 60 + i64::from(second);
        let at = Self::from_unix(i64::from(date.days()) * DAY + local - offset).ok_or(TimestampError::Day)?;
        if second == 60 && !at.is_first_of_month() {
            return Err(TimestampError::Time);
        }
        Ok(at)
    }

    fn day_and_second(self) -> (i64, i64) {
        (self.0.div_euclid(DAY), self.0.rem_euclid(DAY))
    }

    /// Whether a month begins with it: leap seconds come right before.
    fn is_first_of_month(self) -> bool {
        let (days, second) = self.day_and_second();
        let day_before = i32::try_from(days - 1).ok().and_then(Date::from_days);
        second == 0 && day_before.is_some_and(Date::is_last_of_month)
    }
}

/// In UTC, as `2027-06-30T21:59:00Z`.
impl fmt::Display for Timestamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, second) = self.day_and_second();
        let date = i32::try_from(days)
            .ok()
            .and_then(Date::from_days)
            .ok_or(fmt::Error)?;
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        write!(formatter, "{date}T{hour:02}:{minute:02}:{second:02}Z")
    }
}

/// Why a text is no point in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TimestampError {
    /// It has another form.
    #[error("no time of RFC 3339, as in 2027-06-30T12:00:00Z")]
    Form,
    /// Its day is none.
    #[error("the calendar has no such day")]
    Day,
    /// Its time of day or its offset is none.
    #[error("the day has no such time")]
    Time,
}

/// What is left behind a fraction, if there is one; `None` for a point without digits.
fn without_fraction(rest: &[u8]) -> Option<&[u8]> {
    let Some(digits) = rest.strip_prefix(b".") else {
        return Some(rest);
    };
    let count = digits.iter().take_while(|digit| digit.is_ascii_digit()).count();
    if count == 0 { None } else { digits.get(count..) }
}

fn is_form_of_date((at, symbol): (usize, u8)) -> bool {
    match at {
        4 | 7 => symbol == b'-',
        _ => symbol.is_ascii_digit(),
    }
}

/// Seconds.
const DAY: i64 = 86_400;

const FIRST: i64 = Timestamp::at_midnight(Date::on(0, 1, 1)).0;
const LAST: i64 = Timestamp::at_midnight(Date::on(9999, 12, 31)).0 + DAY - 1;

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

    #[test]
    fn times_of_the_standard_are_read() {
        for (text, unix) in [
            ("1985-04-12T23:20:50.52Z", 482_196_050),
            ("1996-12-19T16:39:57-08:00", 851_042_397),
            ("1990-12-31T23:59:60Z", 662_688_000),
            ("1990-12-31T15:59:60-08:00", 662_688_000),
            ("2001-09-09t01:46:40z", 1_000_000_000),
            ("1969-12-31T23:59:59Z", -1),
            ("2027-01-01T00:00:00-00:00", 1_798_761_600),
        ] {
            assert_eq!(Timestamp::parse(text).map(Timestamp::unix), Ok(unix), "{text}");
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        for unix in [FIRST, -1, 0, 1_790_000_000, LAST] {
            let at = Timestamp::from_unix(unix).unwrap();
            assert_eq!(Timestamp::parse(&at.to_string()), Ok(at));
        }
        assert_eq!(Timestamp::from_unix(FIRST - 1), None);
        assert_eq!(Timestamp::from_unix(LAST + 1), None);
    }

    #[test]
    fn times_that_are_none_are_refused_with_the_reason() {
        for (text, reason) in [
            ("", TimestampError::Form),
            ("2027-06-30", TimestampError::Form),
            ("2027-06-30 12:00:00Z", TimestampError::Form),
            ("2027-06-30T12:00:00", TimestampError::Form),
            ("2027-06-30T12:00Z", TimestampError::Form),
            ("2027-06-30T12:00:00.Z", TimestampError::Form),
            ("2027-06-30T12:00:00+0200", TimestampError::Form),
            ("2027-06-30T12:00:00ZZ", TimestampError::Form),
            ("2027-6-30T12:00:00Z", TimestampError::Form),
            ("20270630T12:00:00Z", TimestampError::Form),
            ("2027-06-3äT12:00:00Z", TimestampError::Form),
            ("2027-06-31T12:00:00Z", TimestampError::Day),
            ("0000-01-01T00:00:00+00:01", TimestampError::Day),
            ("9999-12-31T23:59:00-00:01", TimestampError::Day),
            ("2027-06-30T24:00:00Z", TimestampError::Time),
            ("2027-06-30T12:60:00Z", TimestampError::Time),
            ("2027-06-30T12:00:61Z", TimestampError::Time),
            ("2027-06-30T12:00:60Z", TimestampError::Time),
            ("2027-06-29T23:59:60Z", TimestampError::Time),
            ("2027-06-30T12:00:00+24:00", TimestampError::Time),
        ] {
            assert_eq!(Timestamp::parse(text), Err(reason), "{text}");
        }
    }
}

//! Counts of answers to one field, which add up in any order.
//!
//! ```text
//!  release · estimate · cbor
//!  sum   (this file)
//!  parameters
//! ```

use std::string::String;
use std::vec;
use std::vec::Vec;

use super::super::decode::Value;
use super::super::schema::{Field, ReportSchema};
use super::parameters::{Kind, Parameters};

/// Which field of which version of which report is counted.
///
/// ```
/// use bydesign::telemetry::collect::Source;
///
/// let source = Source::new("thermostat", 3, "mode")?;
/// assert_eq!(source.to_string(), "thermostat version 3, mode");
/// # Ok::<(), bydesign::telemetry::collect::SourceError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Source {
    report: String,
    version: u32,
    field: String,
}

/// The longest name of a report or a field, in bytes.
const MAX_NAME: usize = 64;

impl Source {
    /// A field of a report, as declared.
    ///
    /// # Errors
    ///
    /// [`SourceError`] if a name is empty or longer than 64 bytes.
    pub fn new(report: &str, version: u32, field: &str) -> Result<Self, SourceError> {
        for name in [report, field] {
            if name.is_empty() || name.len() > MAX_NAME {
                return Err(SourceError);
            }
        }
        Ok(Self {
            report: report.into(),
            version,
            field: field.into(),
        })
    }

    /// A field as the decoder shows it, of the report that it is decoded by.
    ///
    /// # Errors
    ///
    /// [`SourceError`] if a name is empty or longer than 64 bytes.
    pub fn of(schema: &ReportSchema, field: &Field) -> Result<Self, SourceError> {
        Self::new(schema.name, schema.version.into(), field.name)
    }

    /// The report's name.
    #[must_use]
    pub fn report(&self) -> &str {
        &self.report
    }

    /// The version of the report's declaration.
    #[must_use]
    pub fn version(&self) -> u32 {
        self.version
    }

    /// The field's name.
    #[must_use]
    pub fn field(&self) -> &str {
        &self.field
    }
}

impl std::fmt::Display for Source {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(to, "{} version {}, {}", self.report, self.version, self.field)
    }
}

/// A name is empty or too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a report or field has a name of 1 to 64 bytes")]
pub struct SourceError;

/// One device's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Of a response, or a plain category.
    Category(u16),
    /// Of a unary encoding: bit `i` for category `i`.
    Bits(u64),
    /// Of a binary response or a one-bit mean.
    Bit(bool),
    /// Of discrete Laplace.
    Reading(i32),
}

impl From<u8> for Answer {
    fn from(category: u8) -> Self {
        Self::Category(category.into())
    }
}

impl From<u64> for Answer {
    fn from(bits: u64) -> Self {
        Self::Bits(bits)
    }
}

impl From<bool> for Answer {
    fn from(bit: bool) -> Self {
        Self::Bit(bit)
    }
}

impl From<i32> for Answer {
    fn from(reading: i32) -> Self {
        Self::Reading(reading)
    }
}

/// What the decoder has read of a field with noise.
///
/// ```
/// use bydesign::telemetry::Value;
/// use bydesign::telemetry::collect::{Answer, AnswerError};
///
/// assert_eq!(Answer::try_from(Value::Number(-3)), Ok(Answer::Reading(-3)));
/// assert_eq!(Answer::try_from(Value::Pair(1, 2)), Err(AnswerError::Kind));
/// ```
impl TryFrom<Value<'_>> for Answer {
    type Error = AnswerError;

    fn try_from(value: Value<'_>) -> Result<Self, AnswerError> {
        match value {
            Value::Truth(truth) => Ok(Self::Bit(truth)),
            Value::Choice(choice) => u16::try_from(choice)
                .map(Self::Category)
                .map_err(|_| AnswerError::Range),
            Value::Bits(bits) => Ok(Self::Bits(bits)),
            Value::Number(number) => i32::try_from(number)
                .map(Self::Reading)
                .map_err(|_| AnswerError::Range),
            Value::Pair(..) | Value::Counts(..) | Value::Letters(_) | Value::Bytes(_) => {
                Err(AnswerError::Kind)
            }
        }
    }
}

/// Why an answer was not counted. The sum is as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AnswerError {
    /// The field's treatment gives no such answers.
    #[error("the field's treatment gives another kind of answer")]
    Kind,
    /// The field's treatment does not give this one.
    #[error("the answer is outside of what the field's treatment gives")]
    Range,
    /// The count is full.
    #[error("a count is full")]
    Full,
}

/// Why two sums were not merged. Both are as they were.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MergeError {
    /// Another report, another version of it, or another field.
    #[error("the sums are of different reports, versions or fields")]
    Source,
    /// The same field with other probabilities: what one answer means differs.
    #[error("the sums are of different parameters")]
    Parameters,
    /// A count would be more than 64 bits hold.
    #[error("a count is full")]
    Full,
}

/// The answers to one field, counted.
///
/// One answer of each device: estimates take answers for independent of each other. A field whose answer is kept for an epoch says the same in every report of it, so
/// make a sum for each period of a report and not one over all of an epoch.
///
/// ```
/// use bydesign::telemetry::collect::{AnswerError, MergeError, PartialSum, Source};
/// use bydesign::telemetry::noise::OneBitMean;
///
/// let room = OneBitMean::with_epsilon::<50, 350, 1, 1>();
/// let mut sum = PartialSum::new(&Source::new("thermostat", 1, "room")?, &room);
/// sum.add(true)?;
/// assert_eq!(sum.add(214), Err(AnswerError::Kind));
/// assert_eq!(sum.counts(), [0, 1]);
///
/// let newer = PartialSum::new(&Source::new("thermostat", 2, "room")?, &room);
/// assert_eq!(sum.merge(&newer), Err(MergeError::Source));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartialSum {
    source: Source,
    parameters: Parameters,
    reports: u64,
    counts: Vec<u64>,
}

impl PartialSum {
    /// Nothing counted yet.
    #[must_use]
    pub fn new(source: &Source, parameters: impl Into<Parameters>) -> Self {
        let parameters = parameters.into();
        Self {
            source: source.clone(),
            parameters,
            reports: 0,
            counts: vec![0; parameters.counts()],
        }
    }

    /// Of what was read; `None` if it does not add up.
    pub(super) fn of_counts(
        source: Source,
        parameters: Parameters,
        reports: u64,
        counts: Vec<u64>,
    ) -> Option<Self> {
        if counts.len() != parameters.counts() {
            return None;
        }
        let is_right = if matches!(parameters.0, Kind::Unary { .. }) {
            counts.iter().all(|count| *count <= reports)
        } else {
            let all: u128 = counts.iter().map(|count| u128::from(*count)).sum();
            all == u128::from(reports)
        };
        is_right.then_some(Self {
            source,
            parameters,
            reports,
            counts,
        })
    }

    /// Counts one device's answer.
    ///
    /// # Errors
    ///
    /// [`AnswerError`]; nothing is counted then.
    pub fn add(&mut self, answer: impl Into<Answer>) -> Result<(), AnswerError> {
        self.add_times(answer, 1)
    }

    /// Counts the same answer of so many devices: what an engine's `GROUP BY` gives.
    ///
    /// # Errors
    ///
    /// [`AnswerError`]; nothing is counted then.
    pub fn add_times(&mut self, answer: impl Into<Answer>, times: u64) -> Result<(), AnswerError> {
        let answer = answer.into();
        // With this many free, no count can be full: each is at most the number of reports.
        let reports = self.reports.checked_add(times).ok_or(AnswerError::Full)?;
        let at = match (self.parameters.0, answer) {
            (Kind::Unary { categories, .. }, Answer::Bits(bits)) => {
                if u32::from(categories) < u64::BITS && bits >> categories != 0 {
                    return Err(AnswerError::Range);
                }
                for (category, count) in self.counts.iter_mut().enumerate() {
                    *count += (bits >> category & 1) * times;
                }
                self.reports = reports;
                return Ok(());
            }
            (Kind::Response { .. } | Kind::Sampled { .. }, Answer::Category(category)) => {
                usize::from(category)
            }
            (Kind::Response { categories: 2, .. } | Kind::Mean { .. }, Answer::Bit(bit)) => usize::from(bit),
            (Kind::Laplace { lowest, .. }, Answer::Reading(reading)) => {
                let above = i64::from(reading) - i64::from(lowest);
                usize::try_from(above).map_err(|_| AnswerError::Range)?
            }
            _ => return Err(AnswerError::Kind),
        };
        *self.counts.get_mut(at).ok_or(AnswerError::Range)? += times;
        self.reports = reports;
        Ok(())
    }

    //= compliance/requirements.md#tele-35
    //# Sums of different parameters, reports, versions or fields MUST NOT be merged.
    //= compliance/requirements.md#tele-36
    //# A merged sum MUST NOT depend on the order or the grouping in which its parts were merged.
    /// Adds what another has counted: whole numbers, so that neither order nor grouping matters.
    ///
    /// # Errors
    ///
    /// [`MergeError`]; this sum is as it was then.
    pub fn merge(&mut self, other: &Self) -> Result<(), MergeError> {
        if self.source != other.source {
            return Err(MergeError::Source);
        }
        if self.parameters != other.parameters {
            return Err(MergeError::Parameters);
        }
        // No count can be full before this one.
        self.reports = self.reports.checked_add(other.reports).ok_or(MergeError::Full)?;
        for (count, more) in self.counts.iter_mut().zip(&other.counts) {
            *count += more;
        }
        Ok(())
    }

    /// What is counted.
    #[must_use]
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// By which treatment.
    #[must_use]
    pub fn parameters(&self) -> Parameters {
        self.parameters
    }

    /// How many answers.
    #[must_use]
    pub fn reports(&self) -> u64 {
        self.reports
    }

    /// How many had each category or reading, or each bit set; of a one-bit mean, how many bits were not set and set.
    #[must_use]
    pub fn counts(&self) -> &[u64] {
        &self.counts
    }
}

//! What is declared: consent classes, purposes, recipients, fields, reports, and all of them together for a product.
//!
//! ```text
//!  dictionary · decode     on hosts: the texts
//!  gate                    on the device: the numbers, and no text
//!  schema    (this file)
//!  treatment · shape
//! ```

use super::budget::Budget;
use super::complaint::Complaint;
use super::consent::MOST_PURPOSES;
use super::report::{Refused, Treating};
use super::shape::Shape;
use super::treatment::{Effect, How, Keeping};
use rand_core::TryCryptoRng;

/// Fields of one report.
pub const MOST_FIELDS: usize = 23;

/// What holds while the user has said nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Basis {
    /// Nothing is sent before the user has agreed.
    OptIn,
    /// It is sent until the user objects: for records of security-relevant activity, where the law asks for them and for a way out
    /// (CRA Annex I (2)(l)), and not for what serves the maker.
    OptOut,
}

/// How much of a consent class waits for being sent, and how long.
///
/// ```
/// use bydesign::telemetry::Queueing;
///
/// /// 2 KiB and 24 reports at most, four new ones a day, each held back for up to an hour, none for more than ten days.
/// const DAILY: Queueing = Queueing { bytes: 2048, reports: 24, each_day: 4, jitter_seconds: 3600, keep_days: 10 };
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Queueing {
    /// Bytes of all reports that wait; the oldest makes room.
    pub bytes: u16,
    /// How many wait at most, 64 or fewer; the oldest makes room.
    pub reports: u8,
    /// How many are taken on one day; more are refused.
    pub each_day: u16,
    /// Each is held back for a drawn time of up to so many seconds, so that when it is sent does not tell when something happened.
    pub jitter_seconds: u32,
    /// After so many days it is dropped unsent.
    pub keep_days: u16,
}

/// The longest report that there is.
pub(crate) const MOST_BYTES: usize = 256;

/// Reports that wait in one consent class.
pub(crate) const MOST_QUEUED: u32 = 64;

/// What a device has to know of a consent class: numbers, and no text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClassRules {
    /// Number of the class.
    pub number: u8,
    /// The application's class in the store whose key seals what is gathered, and dies with the consent.
    pub application: u8,
    /// What holds while the user has said nothing.
    pub basis: Basis,
    /// How much noise may be drawn.
    pub budget: Budget,
    /// How much waits.
    pub queueing: Queueing,
    /// Seconds that a pseudonym and remembered answers hold.
    pub epoch_seconds: u32,
}

/// What is gathered and dies together: a key in the store, a budget, a queue, a pseudonym. Withdrawing any purpose of it erases all of it.
///
/// ```
/// use bydesign::telemetry::{Basis, Budget, ConsentClass, Queueing};
///
/// const COMFORT: ConsentClass = ConsentClass::new(1, "comfort")
///     .in_store_class(10)
///     .on(Basis::OptIn)
///     .spending(Budget::new(8_000_000, 500_000, 30 * 86_400))
///     .queueing(Queueing { bytes: 2048, reports: 24, each_day: 4, jitter_seconds: 3600, keep_days: 10 })
///     .for_epochs_of(7 * 86_400);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConsentClass {
    /// Its name, for the dictionary.
    pub name: &'static str,
    /// What the device has to know.
    pub rules: ClassRules,
}

impl ConsentClass {
    /// A class of this number, which never means another: asked for, without noise, with small limits and epochs of a week. Its store
    /// class is [`Class::Application`](crate::store::Class::Application) of the same number unless another is said.
    #[must_use]
    pub const fn new(number: u8, name: &'static str) -> Self {
        Self {
            name,
            rules: ClassRules {
                number,
                application: number,
                basis: Basis::OptIn,
                budget: Budget::NONE,
                queueing: Queueing {
                    bytes: 1024,
                    reports: 16,
                    each_day: 4,
                    jitter_seconds: 3600,
                    keep_days: 14,
                },
                epoch_seconds: 7 * 86_400,
            },
        }
    }

    /// The application's class in the store that it lives in, and nothing else: it is erased with the consent.
    #[must_use]
    pub const fn in_store_class(mut self, application: u8) -> Self {
        self.rules.application = application;
        self
    }

    /// What holds while the user has said nothing.
    #[must_use]
    pub const fn on(mut self, basis: Basis) -> Self {
        self.rules.basis = basis;
        self
    }

    /// How much noise may be drawn.
    #[must_use]
    pub const fn spending(mut self, budget: Budget) -> Self {
        self.rules.budget = budget;
        self
    }

    /// How much waits.
    ///
    /// # Panics
    ///
    /// If a limit is nothing, or more than 64 reports wait; in a constant that is a compile error.
    #[must_use]
    pub const fn queueing(mut self, queueing: Queueing) -> Self {
        assert!(
            queueing.bytes > 0 && queueing.each_day > 0,
            "a queue takes something"
        );
        assert!(
            queueing.reports > 0 && queueing.reports as u32 <= MOST_QUEUED,
            "1 to 64 reports wait"
        );
        self.rules.queueing = queueing;
        self
    }

    /// How long a pseudonym and remembered answers hold.
    ///
    /// # Panics
    ///
    /// If that is less than an hour; in a constant that is a compile error.
    #[must_use]
    pub const fn for_epochs_of(mut self, seconds: u32) -> Self {
        assert!(seconds >= 3600, "an epoch lasts an hour at least");
        self.rules.epoch_seconds = seconds;
        self
    }
}

/// Why something is gathered, in words for the user, who agrees to it or not.
///
/// A purpose without a reason does not compile:
///
/// ```compile_fail
/// # use bydesign::telemetry::{ConsentClass, Purpose};
/// const NONE: Purpose = Purpose::new(1, "nothing", "", &ConsentClass::new(1, "comfort"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Purpose {
    /// Its number, which never means another purpose.
    pub number: u8,
    /// Its name.
    pub name: &'static str,
    /// The reason, a sentence.
    pub why: &'static str,
    /// What is erased when consent to it is withdrawn.
    pub class: ConsentClass,
}

impl Purpose {
    /// A purpose.
    ///
    /// # Panics
    ///
    /// If there is no name or no reason; in a constant that is a compile error.
    #[must_use]
    pub const fn new(number: u8, name: &'static str, why: &'static str, class: &ConsentClass) -> Self {
        assert!(
            !name.is_empty() && !why.is_empty(),
            "a purpose has a name and a reason"
        );
        Self {
            number,
            name,
            why,
            class: *class,
        }
    }
}

/// Who receives a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recipient {
    /// Name of the organisation.
    pub name: &'static str,
    /// What it is to the user: the maker, somebody who works for the maker, a third party; and where.
    pub role: &'static str,
}

/// How long the recipient keeps a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Retention {
    /// So many days.
    Days(u16),
    /// Until it is part of a total over many devices, at most so many days.
    UntilAggregated(u16),
}

/// The declaration of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// What it is.
    pub about: &'static str,
    /// The type of the reading.
    pub reading: &'static str,
    /// Why it is gathered.
    pub purpose: Purpose,
    /// How long it is kept.
    pub retention: Retention,
    /// Who receives it.
    pub recipient: Recipient,
    /// What is done to it.
    pub effect: Effect,
}

/// The declaration of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReportSchema {
    /// Its number, which stands in the report.
    pub number: u16,
    /// Its name.
    pub name: &'static str,
    /// Its version, which stands in the report: another one whenever a field is added, moved or treated otherwise.
    pub version: u16,
    /// What it is.
    pub about: &'static str,
    /// The class that all its purposes belong to.
    pub class: ConsentClass,
    /// Its fields, in the order of their numbers.
    pub fields: &'static [Field],
}

impl ReportSchema {
    /// The most bytes that a report has.
    #[must_use]
    pub const fn max_bytes(&self) -> usize {
        // The array, its first two numbers, and the head of the map.
        let mut bytes = self.head_bytes() + 1;
        let mut rest = self.fields;
        while let [field, others @ ..] = rest {
            let value = field.effect.shape.max_bytes();
            if value > 0 {
                bytes += 1 + value;
            }
            rest = others;
        }
        bytes
    }

    /// What stands before the map of fields.
    #[must_use]
    pub const fn head_bytes(&self) -> usize {
        1 + super::shape::head_len(self.number as u64) + super::shape::head_len(self.version as u64)
    }

    /// The most that is debited for one report, in micro-epsilon.
    #[must_use]
    pub const fn micro_epsilon(&self) -> u64 {
        let mut sum = 0u64;
        let mut rest = self.fields;
        while let [field, others @ ..] = rest {
            sum = sum.saturating_add(field.effect.micro_epsilon);
            rest = others;
        }
        sum
    }

    #[doc(hidden)]
    pub const fn check(&self, most_bytes: usize) {
        assert!(
            self.fields.len() <= MOST_FIELDS && !self.fields.is_empty(),
            "a report has 1 to 23 fields"
        );
        Complaint::of("the report `")
            .and(self.name)
            .and("` can become ")
            .number(self.max_bytes() as u64)
            .and(" bytes long, and its declaration allows ")
            .number(most_bytes as u64)
            .unless(self.max_bytes() <= most_bytes);
        assert!(self.max_bytes() <= MOST_BYTES, "a report has 256 bytes at most");
        assert!(
            self.max_bytes() <= self.class.rules.queueing.bytes as usize,
            "the report can become longer than the queue of its class"
        );
        let mut rest = self.fields;
        while let [field, others @ ..] = rest {
            let of_field = Complaint::of("the field `").and(field.name).and("`: ");
            of_field
                .and("its purpose belongs to the consent class `")
                .and(field.purpose.class.name)
                .and("`, and the report to `")
                .and(self.class.name)
                .and("`: a report is of one consent class")
                .unless(field.purpose.class.rules.number == self.class.rules.number);
            let (noise, budget) = (field.effect.micro_epsilon, self.class.rules.budget.window);
            of_field
                .and("noise without budget: its answers cost epsilon ")
                .millionths(noise)
                .and(" at most, and the consent class `")
                .and(self.class.name)
                .and("` has ")
                .millionths(budget)
                .and(" in a window")
                .unless(noise <= budget);
            of_field
                .and("a recipient has a name and a role")
                .unless(!field.recipient.name.is_empty() && !field.recipient.role.is_empty());
            rest = others;
        }
    }
}

/// What [`report!`](crate::report) makes of a declaration. Not for implementing by hand.
pub trait Report: Sized {
    /// The declaration, with its texts: for hosts.
    const SCHEMA: ReportSchema;
    /// The number of the report.
    const NUMBER: u16 = Self::SCHEMA.number;
    /// The version of the report.
    const VERSION: u16 = Self::SCHEMA.version;
    /// The consent class.
    const CLASS: ClassRules = Self::SCHEMA.class.rules;
    /// The most bytes that it has.
    const MAX_BYTES: usize = Self::SCHEMA.max_bytes();
    /// Room for one.
    type Buffer: AsRef<[u8]> + AsMut<[u8]> + Send;

    /// Room for one.
    #[doc(hidden)]
    fn buffer() -> Self::Buffer;

    #[doc(hidden)]
    #[allow(private_interfaces)]
    fn treat<R: TryCryptoRng + ?Sized>(self, treating: &mut Treating<'_, R>) -> Result<(), Refused>;
}

/// What a device has to know of a purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Number of the purpose.
    pub purpose: u8,
    /// Number of its consent class.
    pub class: u8,
    /// Fingerprint of all that is declared for it: if it changes, the user is asked again.
    pub terms: u32,
}

/// What [`declaration!`](crate::declaration) makes of all reports of a product. Not for implementing by hand.
pub trait Declaration {
    /// Name of the product.
    const NAME: &'static str;
    /// Version of the declaration.
    const VERSION: u16;
    /// All consent classes.
    const CLASSES: &'static [ConsentClass];
    /// All purposes.
    const PURPOSES: &'static [Purpose];
    /// All reports.
    const REPORTS: &'static [ReportSchema];
    /// Of the classes, what a device has to know.
    const RULES: &'static [ClassRules];
    /// Of the purposes, what a device has to know.
    const TERMS: &'static [Terms];
}

/// A report that a [`Declaration`] names.
#[diagnostic::on_unimplemented(
    message = "the report `{Self}` is not declared for the product `{D}`",
    label = "name it in `declaration!`"
)]
pub trait PartOf<D: Declaration>: Report {}

#[doc(hidden)]
#[must_use]
#[allow(clippy::indexing_slicing)] // while compiling
pub const fn rules_of<const N: usize>(classes: &[ConsentClass; N]) -> [ClassRules; N] {
    const { assert!(N > 0, "a declaration has a consent class") };
    let mut rules = [classes[0].rules; N];
    let mut at = 1;
    while at < N {
        rules[at] = classes[at].rules;
        at += 1;
    }
    rules
}

/// The terms of every purpose: what all reports together declare for it.
#[doc(hidden)]
#[must_use]
#[allow(clippy::indexing_slicing)] // while compiling
pub const fn terms_of<const N: usize>(purposes: &[Purpose; N], reports: &[ReportSchema]) -> [Terms; N] {
    let mut all = [Terms {
        purpose: 0,
        class: 0,
        terms: 0,
    }; N];
    let mut at = 0;
    while at < N {
        let purpose = &purposes[at];
        let mut hash = Hash(0x811c_9dc5).text(purpose.name).text(purpose.why);
        let mut left = reports;
        while let [report, others @ ..] = left {
            let mut fields = report.fields;
            while let [field, more @ ..] = fields {
                if field.purpose.number == purpose.number {
                    hash = hash
                        .number(report.number as u64)
                        .text(report.class.name)
                        .field(field);
                }
                fields = more;
            }
            left = others;
        }
        all[at] = Terms {
            purpose: purpose.number,
            class: purpose.class.rules.number,
            terms: hash.0,
        };
        at += 1;
    }
    all
}

/// FNV-1a: tells declarations apart while compiling. Nobody gains by a collision but whoever writes both declarations.
#[derive(Clone, Copy)]
struct Hash(u32);

impl Hash {
    const fn byte(self, byte: u8) -> Self {
        Self((self.0 ^ byte as u32).wrapping_mul(0x0100_0193))
    }

    const fn number(self, number: u64) -> Self {
        let mut hash = self;
        let bytes = number.to_le_bytes();
        let mut rest: &[u8] = &bytes;
        while let [byte, others @ ..] = rest {
            hash = hash.byte(*byte);
            rest = others;
        }
        hash
    }

    const fn text(self, text: &str) -> Self {
        let mut hash = self.number(text.len() as u64);
        let mut rest = text.as_bytes();
        while let [byte, others @ ..] = rest {
            hash = hash.byte(*byte);
            rest = others;
        }
        hash
    }

    const fn field(self, field: &Field) -> Self {
        let hash = self
            .text(field.name)
            .text(field.about)
            .text(field.reading)
            .text(field.recipient.name)
            .text(field.recipient.role);
        let hash = match field.retention {
            Retention::Days(days) => hash.number(days as u64),
            Retention::UntilAggregated(days) => hash.number(1 << 32 | days as u64),
        };
        let effect = &field.effect;
        let hash = hash
            .how(effect.how)
            .shape(effect.shape)
            .number(effect.one_in as u64)
            .number(effect.micro_epsilon);
        hash.number(match effect.keeping {
            Keeping::Fresh => 0,
            Keeping::Epoch => 1,
            Keeping::Value => 2,
        })
    }

    const fn how(self, how: How) -> Self {
        match how {
            How::Dropped => self.number(0),
            How::Clamped => self.number(1),
            How::Rounded => self.number(2),
            How::Buckets(edges) => {
                let mut hash = self.number(3);
                let mut rest = edges;
                while let [edge, others @ ..] = rest {
                    hash = hash.number(edge.cast_unsigned());
                    rest = others;
                }
                hash
            }
            How::AtLeast(limit) => self.number(4).number(limit.cast_unsigned()),
            How::OneOf => self.number(5),
            How::CoarseTime(seconds) => self.number(6).number(seconds as u64),
            How::Grid(cell) => self.number(7).number(cell as u64),
            How::Geohash(letters) => self.number(8).number(letters as u64),
            How::Counts => self.number(9),
            How::Range => self.number(10),
            How::Pseudonym => self.number(11),
            How::Noise(mechanism) => self.number(12).text(mechanism),
        }
    }

    const fn shape(self, shape: Shape) -> Self {
        match shape {
            Shape::Nothing => self.number(0),
            Shape::Truth => self.number(1),
            Shape::Steps { low, step, last } => self
                .number(2)
                .number(low.cast_unsigned())
                .number(step)
                .number(last),
            Shape::Choice { count } => self.number(3).number(count as u64),
            Shape::Bits { count } => self.number(4).number(count as u64),
            Shape::Pair { low, step, last } => self
                .number(5)
                .number(low.cast_unsigned())
                .number(step)
                .number(last),
            Shape::Counts { buckets, step, last } => {
                self.number(6).number(buckets as u64).number(step).number(last)
            }
            Shape::Letters { count } => self.number(7).number(count as u64),
            Shape::Bytes { count } => self.number(8).number(count as u64),
        }
    }
}

/// What a declaration must be, or it does not compile.
#[doc(hidden)]
pub const fn check_declaration(classes: &[ConsentClass], purposes: &[Purpose], reports: &[ReportSchema]) {
    assert!(
        purposes.len() <= MOST_PURPOSES,
        "a declaration has 16 purposes at most"
    );
    let mut rest = classes;
    while let [class, others @ ..] = rest {
        let mut further = others;
        while let [other, more @ ..] = further {
            assert!(
                class.rules.number != other.rules.number
                    && class.rules.application != other.rules.application,
                "two consent classes have one number or one class in the store"
            );
            further = more;
        }
        rest = others;
    }
    let mut rest = purposes;
    while let [purpose, others @ ..] = rest {
        Complaint::of("the consent class `")
            .and(purpose.class.name)
            .and("` of the purpose `")
            .and(purpose.name)
            .and("` is not among those of the declaration")
            .unless(has_class(classes, &purpose.class));
        let mut further = others;
        while let [other, more @ ..] = further {
            assert!(purpose.number != other.number, "two purposes have one number");
            further = more;
        }
        rest = others;
    }
    let mut rest = reports;
    while let [report, others @ ..] = rest {
        let mut further = others;
        while let [other, more @ ..] = further {
            assert!(report.number != other.number, "two reports have one number");
            further = more;
        }
        let mut fields = report.fields;
        while let [field, more @ ..] = fields {
            Complaint::of("the purpose `")
                .and(field.purpose.name)
                .and("` of the field `")
                .and(field.name)
                .and("` is not among those of the declaration")
                .unless(has_purpose(purposes, &field.purpose));
            fields = more;
        }
        rest = others;
    }
}

const fn has_class(classes: &[ConsentClass], class: &ConsentClass) -> bool {
    let mut rest = classes;
    while let [declared, others @ ..] = rest {
        if declared.rules.number == class.rules.number {
            return true;
        }
        rest = others;
    }
    false
}

const fn has_purpose(purposes: &[Purpose], purpose: &Purpose) -> bool {
    let mut rest = purposes;
    while let [declared, others @ ..] = rest {
        if declared.number == purpose.number {
            return true;
        }
        rest = others;
    }
    false
}

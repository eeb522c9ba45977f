//! `report!` and `declaration!`: what a product tells, declared once, checked by the compiler; and how a report becomes bytes.
//!
//! ```text
//!  gate
//!  report     (this file)
//!  schema · encode
//!  treatment
//! ```

use rand_core::TryCryptoRng;

use super::encode::Encoding;
use super::epoch::Epoch;
use super::raw::Raw;
use super::treatment::{Aids, Treated, Treatment, Untreated};

/// Why fields are not in a report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// Fields whose purpose the user has not agreed to.
    pub no_consent: u8,
    /// Fields whose noise the budget does not pay for any more.
    pub no_budget: u8,
}

/// A report on its way from readings to bytes. Only the gate makes one.
pub struct Treating<'a, R: ?Sized> {
    pub(crate) aids: Aids<'a, R>,
    pub(crate) encoding: Encoding<'a>,
    /// The purposes that the user has agreed to, by their numbers.
    pub(crate) granted: Granted,
    pub(crate) left_out: LeftOut,
}

/// A set of purposes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Granted([u64; 4]);

impl Granted {
    pub(crate) fn add(&mut self, purpose: u8) {
        if let Some(word) = self.0.get_mut(usize::from(purpose >> 6)) {
            *word |= 1 << (purpose & 63);
        }
    }

    pub(crate) fn has(self, purpose: u8) -> bool {
        let word = self.0.get(usize::from(purpose >> 6));
        word.is_some_and(|word| word >> (purpose & 63) & 1 == 1)
    }

    pub(crate) fn is_empty(self) -> bool {
        self == Self::default()
    }
}

impl<'a, R: TryCryptoRng + ?Sized> Treating<'a, R> {
    pub(crate) fn begin(
        bytes: &'a mut [u8],
        head: usize,
        (report, version): (u16, u16),
        epoch: &'a mut Epoch,
        left: u64,
        granted: Granted,
        random: &'a mut R,
    ) -> Self {
        Self {
            aids: Aids {
                random,
                epoch,
                report,
                version,
                field: 0,
                left,
                debit: 0,
            },
            encoding: Encoding::begin(bytes, head),
            granted,
            left_out: LeftOut::default(),
        }
    }

    /// Treats the next field.
    #[doc(hidden)]
    //= compliance/requirements.md#tele-3
    //# A field whose purpose the user has not agreed to MUST NOT be in a report that is queued.
    pub fn field<T, F: Treatment<T>>(
        &mut self,
        purpose: u8,
        treatment: &F,
        reading: Raw<T>,
    ) -> Result<(), Refused> {
        if self.granted.has(purpose) {
            let treated = match treatment.treat(&reading.into_reading(), &mut self.aids) {
                Ok(treated) => treated,
                Err(Untreated::Budget) => {
                    self.left_out.no_budget = self.left_out.no_budget.saturating_add(1);
                    Treated::Nothing
                }
                Err(other) => return Err(Refused(other)),
            };
            let added = self.encoding.field(self.aids.field, &treated);
            added.map_err(|_| Refused(Untreated::Internal))?;
        } else {
            self.left_out.no_consent = self.left_out.no_consent.saturating_add(1);
        }
        self.aids.field = self.aids.field.saturating_add(1);
        Ok(())
    }
}

/// A report was not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused(pub(crate) Untreated);

/// Declares a report: what is in it, why, how it is treated, for how long and by whom it is kept. Makes a structure with a [`Raw`](crate::telemetry::Raw) for each
/// field, and its [`Report`](crate::telemetry::Report).
///
/// ```
/// use bydesign::telemetry::noise::BinaryResponse;
/// use bydesign::telemetry::{
///     Budget, ConsentClass, Noisy, Purpose, Raw, Recipient, Report, Retention, Rounded,
/// };
///
/// const COMFORT: ConsentClass =
///     ConsentClass::new(1, "comfort").spending(Budget::new(8_000_000, 1_000_000, 30 * 86_400));
/// const HEATING: Purpose = Purpose::new(1, "heating", "To find out how well the heating curve fits.", &COMFORT);
/// const MAKER: Recipient = Recipient { name: "Example Heating Ltd", role: "maker of the device, Leeds, UK" };
///
/// bydesign::report! {
///     /// How the heating was used on one day.
///     pub struct Climate {
///         report: 1, "climate", version 1;
///         class: COMFORT;
///         bytes: 24;
///
///         /// Mean temperature of the room, in thousandths of a degree.
///         temperature: i32 {
///             purpose: HEATING,
///             treatment: Rounded = Rounded::to(500).between(5_000, 35_000),
///             retention: Retention::Days(90),
///             recipient: MAKER,
///         }
///         /// Whether anybody was at home at noon.
///         at_home: bool {
///             purpose: HEATING,
///             treatment: Noisy<BinaryResponse> = Noisy::for_an_epoch(BinaryResponse::with_epsilon::<1, 2>()),
///             retention: Retention::UntilAggregated(30),
///             recipient: MAKER,
///         }
///     }
/// }
///
/// let climate = Climate { temperature: Raw::new(21_530), at_home: Raw::new(true) };
/// assert!(Climate::MAX_BYTES <= 24);
/// # drop(climate);
/// ```
///
/// A declaration in which something is missing, a treatment that does not fit the type, a report that can become longer than it says, purposes of
/// several consent classes, and noise in a class without a budget do not compile. The fields are numbered in their order: give the
/// report another version whenever that changes.
#[macro_export]
macro_rules! report {
    (
        $(#[doc = $about:literal])+
        $visibility:vis struct $Report:ident {
            report: $number:literal, $name:literal, version $version:literal;
            class: $class:expr;
            bytes: $bytes:expr;
            $(
                $(#[doc = $field_about:literal])+
                $field:ident: $reading:ty {
                    purpose: $purpose:expr,
                    treatment: $Treatment:ty = $treatment:expr,
                    retention: $retention:expr,
                    recipient: $recipient:expr $(,)?
                }
            )+
        }
    ) => {
        $(#[doc = $about])+
        $visibility struct $Report {
            $(
                $(#[doc = $field_about])+
                pub $field: $crate::telemetry::Raw<$reading>,
            )+
        }

        // No constant of its own stands here: what the declaration names are the product's, whatever they are called.
        impl $crate::telemetry::Report for $Report {
            const SCHEMA: $crate::telemetry::ReportSchema = $crate::telemetry::ReportSchema {
                number: $number,
                name: $name,
                version: $version,
                about: concat!($($about),+),
                class: $class,
                fields: &[$($crate::telemetry::Field {
                    name: stringify!($field),
                    about: concat!($($field_about),+),
                    reading: stringify!($reading),
                    purpose: $purpose,
                    retention: $retention,
                    recipient: $recipient,
                    effect: <$Treatment>::effect(&$treatment),
                }),+],
            };
            type Buffer = [u8; <$Report as $crate::telemetry::Report>::SCHEMA.max_bytes()];

            fn buffer() -> Self::Buffer {
                [0; <$Report as $crate::telemetry::Report>::SCHEMA.max_bytes()]
            }

            fn treat<R: $crate::telemetry::TryCryptoRng + ?Sized>(
                self,
                treating: &mut $crate::telemetry::Treating<'_, R>,
            ) -> ::core::result::Result<(), $crate::telemetry::Refused> {
                $(treating.field::<$reading, $Treatment>(
                    const { $purpose.number },
                    const { &$treatment },
                    self.$field,
                )?;)+
                ::core::result::Result::Ok(())
            }
        }

        const _: () = <$Report as $crate::telemetry::Report>::SCHEMA.check($bytes);
    };
    ($($other:tt)*) => {
        ::core::compile_error!(
            "a report has a description, a number, a name, a version, a class, a greatest length, and for each field a description, a purpose, a treatment, a retention and a recipient, in this order"
        );
    };
}

/// Declares all that a product tells: its consent classes, purposes and reports. Makes a type for [`Gate`](crate::telemetry::Gate), and for
/// the dictionary.
///
/// ```
/// # use bydesign::telemetry::{Clamped, ConsentClass, Purpose, Recipient, Retention};
/// # const FAULTS: ConsentClass = ConsentClass::new(2, "faults");
/// # const REPAIR: Purpose = Purpose::new(2, "repair", "To mend what breaks.", &FAULTS);
/// # const MAKER: Recipient = Recipient { name: "Example Heating Ltd", role: "maker" };
/// # bydesign::report! {
/// #     /// Faults of a day.
/// #     pub struct Faults {
/// #         report: 2, "faults", version 1;
/// #         class: FAULTS;
/// #         bytes: 16;
/// #         /// The last error.
/// #         error: u16 {
/// #             purpose: REPAIR,
/// #             treatment: Clamped = Clamped::between(0, 99),
/// #             retention: Retention::Days(30),
/// #             recipient: MAKER,
/// #         }
/// #     }
/// # }
/// bydesign::declaration! {
///     /// What the thermostat tells its maker.
///     pub struct Thermostat: "Example thermostat", version 3 {
///         classes: [FAULTS],
///         purposes: [REPAIR],
///         reports: [Faults],
///     }
/// }
/// ```
///
/// Two classes, purposes or reports of one number, and a purpose or class that is used and not named, do not compile.
#[macro_export]
macro_rules! declaration {
    (
        $(#[doc = $about:literal])+
        $visibility:vis struct $Product:ident: $name:literal, version $version:literal {
            classes: [$($class:expr),+ $(,)?],
            purposes: [$($purpose:expr),+ $(,)?],
            reports: [$($Report:ty),+ $(,)?] $(,)?
        }
    ) => {
        $(#[doc = $about])+
        $visibility enum $Product {}

        impl $crate::telemetry::Declaration for $Product {
            const NAME: &'static str = $name;
            const VERSION: u16 = $version;
            const CLASSES: &'static [$crate::telemetry::ConsentClass] = &[$($class),+];
            const PURPOSES: &'static [$crate::telemetry::Purpose] = &[$($purpose),+];
            const REPORTS: &'static [$crate::telemetry::ReportSchema] =
                &[$(<$Report as $crate::telemetry::Report>::SCHEMA),+];
            const RULES: &'static [$crate::telemetry::ClassRules] =
                &$crate::telemetry::rules_of(&[$($class),+]);
            const TERMS: &'static [$crate::telemetry::Terms] = &$crate::telemetry::terms_of(
                &[$($purpose),+],
                <$Product as $crate::telemetry::Declaration>::REPORTS,
            );
        }

        const _: () = $crate::telemetry::check_declaration(
            <$Product as $crate::telemetry::Declaration>::CLASSES,
            <$Product as $crate::telemetry::Declaration>::PURPOSES,
            <$Product as $crate::telemetry::Declaration>::REPORTS,
        );

        $(impl $crate::telemetry::PartOf<$Product> for $Report {})+
    };
    ($($other:tt)*) => {
        ::core::compile_error!(
            "a declaration has a description, a name and a version, and names its classes, purposes and reports, in this order"
        );
    };
}

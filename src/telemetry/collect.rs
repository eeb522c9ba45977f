//! The collector's side: sums that merge in any order, and what can be said of the devices together.
//!
//! ```text
//!  your storage and engine
//!  collect   (this file; on hosts, feature `collector`)     decode
//!    release · estimate · cbor
//!    sum
//!    parameters
//!  noise
//! ```
//!
//! A [`PartialSum`] counts the answers to one field of one report. Workers make one each and send it as CBOR; merging is adding whole numbers, so that
//! neither the order nor the grouping matters. Only at the end do the counts become estimates, corrected by the probabilities as they are implemented,
//! each with an interval. A sum of other parameters, or of another version of the report, is refused by name.
//!
//! ```
//! use bydesign::telemetry::collect::{Confidence, PartialSum, Source, Threshold};
//! use bydesign::telemetry::noise::{Mechanism, Response};
//!
//! const MODE: Response<3> = Response::with_epsilon::<2, 1>();
//! let source = Source::new("thermostat", 1, "mode")?;
//!
//! // Two workers, each with the answers of some devices. Nine in ten heat, one in ten is off.
//! let mut workers = [PartialSum::new(&source, &MODE), PartialSum::new(&source, &MODE)];
//! for device in 0..20_000_usize {
//!     let answer = MODE.randomise(u8::from(device % 10 == 0), &mut getrandom::SysRng)?;
//!     workers[device % 2].add(answer)?;
//! }
//!
//! // One reads the other's bytes.
//! let mut sum = PartialSum::decode(&workers[0].encode())?;
//! sum.merge(&workers[1])?;
//! assert_eq!(sum.reports(), 20_000);
//!
//! let frequencies = Threshold::new(500)?.frequencies(&sum, Confidence::Percent99)?;
//! let heating = frequencies[0].expect("more than five hundred");
//! assert!((heating.value() - 0.9).abs() < 0.05);
//! assert!(frequencies[2].is_none(), "nobody cools: noise alone is not shown");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Where reports come as bytes, the decoder gives what is counted:
//!
//! ```
//! use bydesign::telemetry::collect::{Answer, Confidence, PartialSum, Source};
//! use bydesign::telemetry::noise::BinaryResponse;
//! use bydesign::telemetry::{Report, schema_of};
//! # use bydesign::telemetry::{Budget, ConsentClass, Noisy, Purpose, Recipient, Retention};
//! # const CLASS: ConsentClass = ConsentClass::new(1, "comfort").spending(Budget::new(2_000_000, 500_000, 86_400));
//! # const HABITS: Purpose = Purpose::new(1, "habits", "To know how many are at home.", &CLASS);
//! # const MAKER: Recipient = Recipient { name: "Example Heating Ltd", role: "maker" };
//!
//! // With the declaration, which device and collector share.
//! const AT_HOME: BinaryResponse = BinaryResponse::with_epsilon::<1, 2>();
//! # bydesign::report! {
//! #     /// Of a day.
//! #     pub struct Day {
//! #         report: 1, "day", version 1;
//! #         class: CLASS;
//! #         bytes: 8;
//! #         /// Whether somebody was at home at noon.
//! #         at_home: bool {
//! #             purpose: HABITS,
//! #             treatment: Noisy<BinaryResponse> = Noisy::fresh(AT_HOME),
//! #             retention: Retention::UntilAggregated(30),
//! #             recipient: MAKER,
//! #         }
//! #     }
//! # }
//! # bydesign::declaration! {
//! #     /// A house.
//! #     pub struct House: "House", version 1 {
//! #         classes: [CLASS],
//! #         purposes: [HABITS],
//! #         reports: [Day],
//! #     }
//! # }
//!
//! # let received = (0..1000_u32).map(|device| [0x83, 1, 1, 0xa1, 0, 0xf4 | u8::from(device % 8 < 5)]);
//! let field = Day::SCHEMA.fields.iter().find(|field| field.name == "at_home").ok_or("declared")?;
//! let mut sum = PartialSum::new(&Source::of(&Day::SCHEMA, field)?, &AT_HOME);
//! for report in received {
//!     let mut counted = Ok(());
//!     schema_of::<House>(&report)?.decode(&report, |field, value| {
//!         if field.name == "at_home" {
//!             counted = Answer::try_from(value).and_then(|answer| sum.add(answer));
//!         }
//!     })?;
//!     counted?;
//! }
//! let at_home = &sum.frequencies(Confidence::Percent95)?[1];
//! assert!((at_home.value() - 1.0).abs() < 0.1, "as five in eight say so");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Security
//!
//! Estimates are made of what was private before: they cost no epsilon. Sums and estimates are as honest as the devices: one that lies, or sends twice,
//! is counted. The intervals are of chance alone. Serves CoP 8; [`CLAIMS`] has the provisions of EN 303 645.

mod cbor;
mod claims;
mod estimate;
mod parameters;
mod release;
mod sum;

pub use cbor::{DecodeError, Reason};
pub use claims::CLAIMS;
pub use estimate::{Confidence, Estimate, EstimateError};
pub use parameters::Parameters;
pub use release::{ReleaseError, Threshold};
pub use sum::{Answer, AnswerError, MergeError, PartialSum, Source, SourceError};

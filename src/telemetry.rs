//! Telemetry that gives away less: what is not declared and treated cannot leave.
//!
//! ```
//! use bydesign::telemetry::{
//!     Basis, Buckets, ConsentClass, Gate, GateError, Purpose, Raw, Recipient, Retention, Rounded, Tally, Time,
//! };
//! # use bydesign::flash::Overwritable;
//! # use bydesign::flash::simulator::{Rule, Simulator};
//! # use bydesign::secret::RootKey;
//! # use bydesign::store::{Ram, Store};
//!
//! const COMFORT: ConsentClass = ConsentClass::new(1, "comfort");
//! const HEATING: Purpose = Purpose::new(1, "heating", "To find out how well the heating curve fits.", &COMFORT);
//! const MAKER: Recipient = Recipient { name: "Example Heating Ltd", role: "maker of the device, Leeds, UK" };
//!
//! bydesign::report! {
//!     /// How the heating was used on one day.
//!     pub struct Climate {
//!         report: 1, "climate", version 1;
//!         class: COMFORT;
//!         bytes: 16;
//!
//!         /// Mean temperature of the room, in thousandths of a degree.
//!         temperature: i32 {
//!             purpose: HEATING,
//!             treatment: Rounded = Rounded::to(500).between(5_000, 35_000),
//!             retention: Retention::Days(90),
//!             recipient: MAKER,
//!         }
//!         /// How often the burner was started.
//!         starts: Tally {
//!             purpose: HEATING,
//!             treatment: Buckets<3> = Buckets::from(&[1, 10, 50]),
//!             retention: Retention::Days(90),
//!             recipient: MAKER,
//!         }
//!     }
//! }
//! bydesign::declaration! {
//!     /// What the thermostat tells its maker.
//!     pub struct Thermostat: "Example thermostat", version 1 {
//!         classes: [COMFORT],
//!         purposes: [HEATING],
//!         reports: [Climate],
//!     }
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let fuses = *b"\x8e\x1f\x02\xd9\x44\xa7\x39\x5b\xc0\x6d\x7e\x13\xfa\x98\x21\x5c\x3b\xe6\x70\x0a\xb5\x4f\xd2\x87\x19\xcc\x63\xae\x05\x7b\xf1\x30";
//! # let root_key = RootKey::new(fuses)?;
//! # let mut random = getrandom::SysRng;
//! # let mut flash = Simulator::<4, 4096>::new(64 * 1024, Rule::Multiwrite);
//! # let mut store = Store::format(Overwritable::new(&mut flash), Ram::<32, 512>::new(), &root_key, "device", &mut random)?;
//! let gate = Gate::<Thermostat>::new();
//! let now = Time::of(1_790_000_000);
//! let mut starts = Tally::new();
//! starts.add(7);
//! let today = |starts: &mut Tally| Climate { temperature: Raw::new(21_530), starts: Raw::new(starts.take()) };
//!
//! // Nothing leaves before the user has agreed.
//! assert_eq!(gate.submit(&mut store, today(&mut starts), now, &mut random), Err(GateError::NoConsent));
//! assert_eq!(gate.question(&mut store)?, Some(HEATING.number));
//! gate.grant(&mut store, HEATING.number, now, &mut random)?;
//!
//! // What would be sent, byte by byte; then it is queued.
//! let preview = gate.prepare(&mut store, today(&mut starts), now, &mut random)?;
//! assert_eq!(preview.bytes(), b"\x83\x01\x01\xa2\x00\x18\x21\x01\x00"); // 21.5 °C, no starts since
//! gate.release(&mut store, preview, now, &mut random)?;
//!
//! // Later, when its time has come: sent, and acknowledged.
//! let (mut out, later) = ([0; 64], Time::of(now.seconds + 3600));
//! let waiting = gate.next(&mut store, later, &mut out, &mut random)?.ok_or("it is due")?;
//! assert_eq!(waiting.len(), 9);
//! gate.acknowledge(&mut store, waiting, &mut random)?;
//!
//! // The user changes their mind: queue, pseudonym and remembered answers are erased from the flash.
//! gate.withdraw(&mut store, HEATING.number, later, &mut random)?;
//! # Ok(())
//! # }
//! ```
//!
//! # Power loss
//!
//! Power may go at any instant. A report is queued or it is not; where it is queued, its noise was paid for before. A withdrawal that was begun is
//! completed by the next call of the gate, before anything else.
//!
//! # Security
//!
//! Against C, who runs the collector, and R, who reads on the way: a report says what its declaration says and no more, and two reports of
//! different epochs share no name. Against D, who reads the flash with the root key: what was withdrawn, and what held for an earlier epoch,
//! is gone. Not against firmware that sends readings without asking the gate, nor against what the network shows: addresses, certificates,
//! times of sending beyond the jitter. A *whole* earlier image of the flash brings an earlier budget back, unless debits are held against a
//! counter ([`Gate::release_anchored`]); [`Status::freshness`] says which it is.
//!
//! Serves CoP 8 and 10. [`CLAIMS`] names the provisions of EN 303 645, how far each is served and by which requirements.
//!
//! ```text
//!  dictionary                on hosts, feature `collector`: what is declared, for people
//!  decode                    reports read again, strictly
//!  collect                   on hosts, feature `collector`: sums and estimates
//!  signals · anomaly         security events, counted; a rate that is unusual
//!  gate                      consent, budget, queue: the only way out
//!  report · encode           declarations as macros; from readings to bytes
//!  schema · shape            what is declared         complaint   what the compiler says of it
//!  treatment                 what is done to a reading            noise   randomised answers with an exact epsilon
//!  queue · budget · consent · epoch                                what lies in the store
//!  raw · steady              readings; arithmetic in constant time
//! ```

mod anomaly;
mod budget;
mod claims;
#[cfg(feature = "collector")]
pub mod collect;
mod complaint;
mod consent;
mod decode;
#[cfg(feature = "collector")]
pub mod dictionary;
mod encode;
mod epoch;
mod gate;
pub mod noise;
mod queue;
mod raw;
mod report;
mod schema;
mod shape;
pub mod signals;
mod steady;
mod treatment;

pub use anomaly::{Baseline, Rate};
pub use budget::Budget;
pub use claims::CLAIMS;
pub use consent::{Answer, Consent, MOST_PURPOSES};
pub use decode::{DecodeError, Reason, Value, schema_of};
pub use epoch::MOST_ANSWERS;
pub use gate::{Gate, GateError, Prepared, Status, Waiting};
pub use raw::{Extremes, Histogram, Number, Place, Raw, Tally, ThisDevice, Time};
pub use report::LeftOut;
pub use schema::{
    Basis, ClassRules, ConsentClass, Declaration, Field, MOST_FIELDS, PartOf, Purpose, Queueing, Recipient,
    Report, ReportSchema, Retention, Terms,
};
pub use shape::Shape;
pub use treatment::{
    AtLeast, Buckets, Clamped, CoarseTime, Counts, Dropped, Effect, Geohash, Grid, How, Keeping, Noisy,
    OneOf, PSEUDONYM_LEN, Pseudonym, Range, Rounded, RoundedTo, Sampled, Treatment,
};

// What the macros name.
#[doc(hidden)]
pub use rand_core::TryCryptoRng;
#[doc(hidden)]
pub use report::{Refused, Treating};
#[doc(hidden)]
pub use schema::{check_declaration, rules_of, terms_of};

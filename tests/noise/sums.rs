//! Sums of the collector: what is counted, what merges, and what bytes are taken for a sum.

use bydesign::telemetry::collect::{
    Answer, AnswerError, DecodeError, MergeError, Parameters, PartialSum, Source, SourceError,
};
use bydesign::telemetry::noise::{
    BinaryResponse, DiscreteLaplace, Mechanism, OneBitMean, Response, Sampling, Unary,
};
use chacha20::ChaCha20Rng;
use chacha20::rand_core::SeedableRng;
use minicbor::Encoder;
use proptest::prelude::*;

pub(crate) const MODE: Response<3> = Response::with_epsilon::<2, 1>();
pub(crate) const PROGRAMME: Unary<5> = Unary::with_epsilon::<1, 1>();
const ROOM: OneBitMean = OneBitMean::with_epsilon::<50, 350, 1, 1>();
static OPENINGS: DiscreteLaplace<20> = DiscreteLaplace::with_epsilon::<-5, 2, 1>();
const WINDOW: BinaryResponse = BinaryResponse::with_epsilon::<1, 1>();

pub(crate) fn source() -> Source {
    Source::new("thermostat", 1, "mode").expect("short names")
}

/// A sum with these counts, however many: as bytes, which is the way in.
pub(crate) fn with_counts(
    parameters: impl Into<Parameters>,
    reports: u64,
    counts: &[u64],
) -> Result<PartialSum, DecodeError> {
    PartialSum::decode(&bytes_of(parameters, reports, counts))
}

pub(crate) fn bytes_of(parameters: impl Into<Parameters>, reports: u64, counts: &[u64]) -> Vec<u8> {
    let bytes = PartialSum::new(&source(), parameters).encode();
    // An empty sum ends with no reports, the number of counts, and a zero for each.
    let empty = Encoder::new(Vec::new())
        .array(counts.len() as u64)
        .expect("written")
        .writer()
        .len();
    let mut to = Encoder::new(bytes[..bytes.len() - counts.len() - empty - 1].to_vec());
    to.u64(reports).expect("written");
    to.array(counts.len() as u64).expect("written");
    for count in counts {
        to.u64(*count).expect("written");
    }
    to.into_writer()
}

/// One of each treatment, with answers.
pub(crate) fn filled() -> Vec<PartialSum> {
    let random = &mut ChaCha20Rng::seed_from_u64(1);
    let sampled = Parameters::sampled(&Sampling::with_probability::<1, 4>(), 3).expect("three");
    let mut sums = vec![
        PartialSum::new(&source(), &MODE),
        PartialSum::new(&source(), &PROGRAMME),
        PartialSum::new(&source(), &ROOM),
        PartialSum::new(&source(), &OPENINGS),
        PartialSum::new(&source(), &WINDOW),
        PartialSum::new(&source(), sampled),
    ];
    for device in 0..500_u16 {
        let category = (device % 3) as u8;
        let Ok(mode) = MODE.randomise(category, random);
        let Ok(programme) = PROGRAMME.randomise(category, random);
        let Ok(room) = ROOM.randomise(i32::from(device), random);
        let Ok(openings) = OPENINGS.randomise(3, random);
        let Ok(window) = WINDOW.randomise(true, random);
        let answers: [Answer; 6] = [
            mode.into(),
            programme.into(),
            room.into(),
            openings.into(),
            window.into(),
            category.into(),
        ];
        for (sum, answer) in sums.iter_mut().zip(answers) {
            sum.add(answer).expect("counted");
        }
    }
    sums
}

#[test]
fn every_answer_is_counted_once() {
    for sum in filled() {
        assert_eq!(sum.reports(), 500);
    }
    let sums = filled();
    for at in [0, 2, 3, 4, 5] {
        assert_eq!(sums[at].counts().iter().sum::<u64>(), 500);
    }
    assert_eq!(sums[5].counts(), [167, 167, 166]);
    let mut bits = PartialSum::new(&source(), &PROGRAMME);
    bits.add(0b10110_u64).expect("counted");
    bits.add(0b00100_u64).expect("counted");
    assert_eq!((bits.reports(), bits.counts()), (2, &[0, 1, 2, 0, 1][..]));
}

#[test]
fn many_answers_at_once_are_those_answers() {
    let (mut one_by_one, mut at_once) = (
        PartialSum::new(&source(), &PROGRAMME),
        PartialSum::new(&source(), &PROGRAMME),
    );
    for _ in 0..7 {
        one_by_one.add(0b10110_u64).expect("counted");
    }
    at_once.add_times(0b10110_u64, 7).expect("counted");
    assert_eq!(at_once, one_by_one);
    assert_eq!(at_once.add_times(1_u64, u64::MAX - 6), Err(AnswerError::Full));
    assert_eq!(at_once, one_by_one, "nothing was counted");
    assert_eq!(at_once.add_times(1_u64, u64::MAX - 7), Ok(()));
}

#[test]
fn an_answer_that_the_treatment_does_not_give_is_not_counted() {
    let sums = filled();
    let flaws: [(usize, Answer, AnswerError); 11] = [
        (0, Answer::Category(3), AnswerError::Range),
        (0, Answer::Bits(1), AnswerError::Kind),
        (0, Answer::Bit(true), AnswerError::Kind),
        (1, Answer::Bits(1 << 5), AnswerError::Range),
        (1, Answer::Category(1), AnswerError::Kind),
        (2, Answer::Reading(214), AnswerError::Kind),
        (3, Answer::Reading(-6), AnswerError::Range),
        (3, Answer::Reading(16), AnswerError::Range),
        (3, Answer::Reading(i32::MIN), AnswerError::Range),
        (4, Answer::Category(2), AnswerError::Range),
        (5, Answer::Category(3), AnswerError::Range),
    ];
    for (at, answer, error) in flaws {
        let mut sum = sums[at].clone();
        assert_eq!(sum.add(answer), Err(error), "{answer:?}");
        assert_eq!(sum, sums[at]);
    }
    let mut full = with_counts(&WINDOW, u64::MAX, &[u64::MAX, 0]).expect("a sum");
    assert_eq!(full.add(true), Err(AnswerError::Full));
    // A whole word of bits is no reason to shift by it.
    let mut wide = PartialSum::new(&source(), &Unary::<64>::with_epsilon::<1, 1>());
    wide.add(u64::MAX).expect("counted");
    assert!(wide.counts().iter().all(|count| *count == 1));
}

#[test]
fn sums_of_different_things_are_not_merged() {
    //= compliance/requirements.md#tele-35
    //= type=test
    //# Sums of different parameters, reports, versions or fields MUST NOT be merged.
    let sums = filled();
    let of =
        |report, version, field| PartialSum::new(&Source::new(report, version, field).expect("names"), &MODE);
    for other in [
        of("camera", 1, "mode"),
        of("thermostat", 2, "mode"),
        of("thermostat", 1, "room"),
    ] {
        let mut sum = sums[0].clone();
        assert_eq!(sum.merge(&other), Err(MergeError::Source));
        assert_eq!(sum, sums[0], "as it was");
    }
    for (at, sum) in sums.iter().enumerate() {
        for (other, others) in sums.iter().enumerate() {
            let merged = sum.clone().merge(others);
            let expected = if at == other {
                Ok(())
            } else {
                Err(MergeError::Parameters)
            };
            assert_eq!(merged, expected, "{at} and {other}");
        }
    }
    // The same treatment a little more private, the same range one further, another share of devices.
    let close: [(Parameters, Parameters); 4] = [
        (
            (&MODE).into(),
            (&Response::<3>::with_epsilon::<1_999_999, 1_000_000>()).into(),
        ),
        (
            (&ROOM).into(),
            (&OneBitMean::with_epsilon::<51, 351, 1, 1>()).into(),
        ),
        (
            (&OPENINGS).into(),
            (&DiscreteLaplace::<20>::with_epsilon::<-4, 2, 1>()).into(),
        ),
        (
            Parameters::sampled(&Sampling::with_probability::<1, 4>(), 3).expect("three"),
            Parameters::sampled(&Sampling::with_probability::<1, 5>(), 3).expect("three"),
        ),
    ];
    for (one, other) in close {
        let (mut one, other) = (PartialSum::new(&source(), one), PartialSum::new(&source(), other));
        assert_eq!(one.merge(&other), Err(MergeError::Parameters));
    }
    let half = with_counts(&WINDOW, 1 << 63, &[1 << 62, 1 << 62]).expect("a sum");
    let mut sum = half.clone();
    assert_eq!(sum.merge(&half), Err(MergeError::Full));
    assert_eq!(sum, half, "as it was");
}

#[test]
fn names_that_are_empty_or_too_long_are_refused() {
    let long = "a".repeat(65);
    for (report, field) in [("", "a"), ("a", ""), (long.as_str(), "a"), ("a", long.as_str())] {
        assert_eq!(Source::new(report, 1, field), Err(SourceError));
    }
    assert!(Source::new(&long[1..], 1, "a").is_ok());
    assert_eq!(
        Parameters::sampled(&Sampling::with_probability::<1, 2>(), 0),
        None
    );
    assert_eq!(
        Parameters::sampled(&Sampling::with_probability::<1, 2>(), 1026),
        None
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// Answers on workers at random, merged in pairs at random until one is left.
    #[test]
    fn whatever_the_order_and_the_grouping_the_merged_sum_is_the_same(
        answers in proptest::collection::vec((0_i32..=20, 0_usize..7), 1..200),
        picks in proptest::collection::vec((any::<usize>(), any::<usize>()), 6),
    ) {
        //= compliance/requirements.md#tele-36
        //= type=test
        //# A merged sum MUST NOT depend on the order or the grouping in which its parts were merged.
        let mut whole = PartialSum::new(&source(), &OPENINGS);
        let mut workers = vec![whole.clone(); 7];
        for (answer, worker) in &answers {
            whole.add(answer - 5).expect("counted");
            workers[*worker].add(answer - 5).expect("counted");
        }
        for (one, other) in picks {
            let mut taken = workers.swap_remove(one % workers.len());
            let at = other % workers.len();
            // Each time one of them goes over the wire.
            let read = PartialSum::decode(&workers[at].encode()).expect("a sum");
            taken.merge(&read).expect("alike");
            workers[at] = taken;
        }
        prop_assert_eq!(workers.len(), 1);
        prop_assert_eq!(&workers[0], &whole);
        prop_assert_eq!(workers[0].encode(), whole.encode());
    }

    #[test]
    fn arbitrary_bytes_are_refused_or_are_the_one_encoding(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
        if let Ok(sum) = PartialSum::decode(&bytes) {
            prop_assert_eq!(sum.encode(), bytes);
        }
    }
}

#[test]
fn the_bytes_are_those_of_the_page() {
    let mut sum = PartialSum::new(&source(), &MODE);
    for answer in [0_u8, 0, 2] {
        sum.add(answer).expect("counted");
    }
    let hex: Vec<String> = sum.encode().iter().map(|byte| format!("{byte:02x}")).collect();
    let hex = hex.concat();
    let page = include_str!("../../docs/telemetry-sums.md");
    assert!(page.contains(&hex), "docs/telemetry-sums.md: {hex}");
}

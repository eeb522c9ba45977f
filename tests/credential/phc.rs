//! PHC strings: those of the reference implementation, and one named case for each flaw.

use bydesign::credential::limiter::{Limiter, Policy, Verdict};
use bydesign::credential::{Block, Cost, LONGEST_PHC, PhcError, Verifier, VerifierError};

use crate::rig::{AWAKE, Board, COUNTING, Kind, Over};

/// The strings of the reference implementation's own tests, with the password of each.
const REFERENCE: [(&str, &str); 6] = [
    (
        "password",
        "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
    ),
    (
        "password",
        "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
    ),
    (
        "password",
        "$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc",
    ),
    (
        "password",
        "$argon2id$v=19$m=65536,t=1,p=1$c29tZXNhbHQ$9qWtwbpyPd3vm1rB1GThgPzZ3/ydHL92zKL+15XZypg",
    ),
    (
        "differentpassword",
        "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$C4TWUs9rDEvq7w3+J4umqA32aWKB1+DSiRuBfYxFj94",
    ),
    (
        "password",
        "$argon2id$v=19$m=65536,t=2,p=1$ZGlmZnNhbHQ$vfMrBczELrFdWP0ZsfhWsRPaHppYdP3MVEMIVlqoFBw",
    ),
];

/// A check behind a limiter of its own; `None` if the memory is not enough.
fn is_right(verifier: &Verifier, password: &[u8], blocks: &mut [Block]) -> Option<bool> {
    let board = Board::<Over>::new(COUNTING);
    let (mut store, mut random) = (board.store(), getrandom::SysRng);
    let area = Over::wrap(board.area.clone());
    let mut limiter = Limiter::mount(area, &mut store, "owner", Policy::new(), AWAKE).expect("mounts");
    let ready = verifier.ready(blocks).ok()?;
    let permit = limiter.attempt(&mut store, AWAKE, &mut random).expect("a permit");
    Some(match ready.check(password, permit) {
        Verdict::Right(right) => right.settle().is_ok(),
        Verdict::Wrong => false,
    })
}

fn read(text: &str) -> Verifier {
    Verifier::from_phc(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn written(verifier: &Verifier) -> String {
    let mut out = [0; LONGEST_PHC];
    verifier.write_phc(&mut out).expect("room").to_owned()
}

//= compliance/requirements.md#cred-1
//= type=test
//# A password MUST be compared as its Argon2id hash, in constant time, and neither the password nor the hash's memory MUST remain afterwards.
#[test]
fn the_strings_of_the_reference_implementation_are_read_checked_and_written_alike() {
    let mut blocks = vec![Block::new(); 65536];
    for (password, text) in REFERENCE {
        let verifier = read(text);
        assert_eq!(written(&verifier), text);
        assert_eq!(
            is_right(&verifier, password.as_bytes(), &mut blocks),
            Some(true),
            "{text}"
        );
        assert!(
            blocks
                .iter()
                .all(|block| block.as_ref().iter().all(|word| *word == 0)),
            "wiped"
        );
    }
    let verifier = read(REFERENCE[1].1);
    for wrong in ["passwore", "Password", "passwor", "password\0", ""] {
        assert_eq!(
            is_right(&verifier, wrong.as_bytes(), &mut blocks),
            Some(false),
            "{wrong:?}"
        );
    }
}

#[test]
fn a_verifier_that_another_library_wrote_is_checked() {
    // argon2-cffi 25.1: PasswordHasher(time_cost=3, memory_cost=64, parallelism=4).hash("plum fjord vexes gnat")
    let text =
        "$argon2id$v=19$m=64,t=3,p=4$w2QF0m2UXimuKxm52MBfVQ$FApITKli25v9Wc+8MQJzRI0N1zV2IlWYWTrH3HwdBy4";
    let mut blocks = vec![Block::new(); 64];
    assert_eq!(
        is_right(&read(text), b"plum fjord vexes gnat", &mut blocks),
        Some(true)
    );
    assert_eq!(
        is_right(&read(text), b"plum fjord vexes gnu", &mut blocks),
        Some(false)
    );
}

const SALT: &str = "c29tZXNhbHQ";
const HASH: &str = "nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";

/// With a salt and a hash behind.
fn with(head: &str) -> String {
    format!("{head}${SALT}${HASH}")
}

/// A flaw, a string that has it, and what it is refused for.
type Case = (&'static str, String, PhcError);

fn refused(cases: &[Case]) {
    for (flaw, text, expected) in cases {
        assert_eq!(Verifier::from_phc(text).err(), Some(*expected), "{flaw}: {text}");
    }
    let sound = with("$argon2id$v=19$m=256,t=2,p=1");
    assert_eq!(written(&read(&sound)), sound);
}

//= compliance/requirements.md#cred-2
//= type=test
//# A PHC string that is not the one form of its verifier, or whose cost is out of bounds, MUST be refused.
#[test]
fn each_flaw_of_the_form_is_refused_by_name() {
    refused(&[
        ("empty", String::new(), PhcError::Form),
        (
            "no dollar before",
            with("argon2id$v=19$m=256,t=2,p=1"),
            PhcError::Form,
        ),
        (
            "something before",
            with("x$argon2id$v=19$m=256,t=2,p=1"),
            PhcError::Form,
        ),
        (
            "a field too many",
            with("$argon2id$v=19$m=256,t=2,p=1$x"),
            PhcError::Form,
        ),
        (
            "a field too few",
            format!("$argon2id$v=19$m=256,t=2,p=1${SALT}"),
            PhcError::Form,
        ),
        (
            "a dollar behind",
            with("$argon2id$v=19$m=256,t=2,p=1") + "$",
            PhcError::Form,
        ),
        (
            "no version",
            format!("$argon2id$m=256,t=2,p=1${SALT}${HASH}"),
            PhcError::Form,
        ),
        (
            "another algorithm",
            with("$argon2i$v=19$m=256,t=2,p=1"),
            PhcError::Algorithm,
        ),
        (
            "upper case",
            with("$Argon2id$v=19$m=256,t=2,p=1"),
            PhcError::Algorithm,
        ),
        (
            "the first version",
            with("$argon2id$v=16$m=256,t=2,p=1"),
            PhcError::Version,
        ),
        (
            "a version in hexadecimal",
            with("$argon2id$v=0x13$m=256,t=2,p=1"),
            PhcError::Version,
        ),
        (
            "another order",
            with("$argon2id$v=19$t=2,m=256,p=1"),
            PhcError::Parameters,
        ),
        (
            "a parameter missing",
            with("$argon2id$v=19$m=256,t=2"),
            PhcError::Parameters,
        ),
        (
            "a parameter twice",
            with("$argon2id$v=19$m=256,m=256,p=1"),
            PhcError::Parameters,
        ),
        (
            "a key id",
            with("$argon2id$v=19$m=256,t=2,p=1,keyid=AAAA"),
            PhcError::Parameters,
        ),
        (
            "associated data",
            with("$argon2id$v=19$m=256,t=2,p=1,data=AAAA"),
            PhcError::Parameters,
        ),
    ]);
}

#[test]
fn each_flaw_of_the_cost_is_refused_by_name() {
    refused(&[
        ("no number", with("$argon2id$v=19$m=,t=2,p=1"), PhcError::Number),
        ("a sign", with("$argon2id$v=19$m=+256,t=2,p=1"), PhcError::Number),
        ("a minus", with("$argon2id$v=19$m=-256,t=2,p=1"), PhcError::Number),
        (
            "a leading zero",
            with("$argon2id$v=19$m=0256,t=2,p=1"),
            PhcError::Number,
        ),
        ("zero", with("$argon2id$v=19$m=0,t=2,p=1"), PhcError::Number),
        ("a space", with("$argon2id$v=19$m= 256,t=2,p=1"), PhcError::Number),
        (
            "digits of another script",
            with("$argon2id$v=19$m=٢٥٦,t=2,p=1"),
            PhcError::Number,
        ),
        (
            "more than 32 bits",
            with("$argon2id$v=19$m=4294967296,t=2,p=1"),
            PhcError::Number,
        ),
        (
            "too little memory",
            with("$argon2id$v=19$m=7,t=2,p=1"),
            PhcError::Cost,
        ),
        (
            "too little memory for its lanes",
            with("$argon2id$v=19$m=31,t=2,p=4"),
            PhcError::Cost,
        ),
        (
            "more memory than anybody has",
            with("$argon2id$v=19$m=4294967295,t=2,p=1"),
            PhcError::Cost,
        ),
        (
            "passes without end",
            with("$argon2id$v=19$m=256,t=4294967295,p=1"),
            PhcError::Cost,
        ),
        (
            "lanes without end",
            with("$argon2id$v=19$m=4194304,t=2,p=17"),
            PhcError::Cost,
        ),
    ]);
}

#[test]
fn each_flaw_of_salt_and_hash_is_refused_by_name() {
    refused(&[
        (
            "no salt",
            format!("$argon2id$v=19$m=256,t=2,p=1$${HASH}"),
            PhcError::Salt,
        ),
        (
            "a salt that is too short",
            format!("$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbA${HASH}"),
            PhcError::Salt,
        ),
        (
            "a salt that is too long",
            format!("$argon2id$v=19$m=256,t=2,p=1${}${HASH}", "A".repeat(66)),
            PhcError::Salt,
        ),
        (
            "padding",
            format!("$argon2id$v=19$m=256,t=2,p=1${SALT}=${HASH}"),
            PhcError::Salt,
        ),
        (
            "stray bits in the salt",
            format!("$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHR${HASH}"),
            PhcError::Salt,
        ),
        (
            "the alphabet for names",
            format!("$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbH_${HASH}"),
            PhcError::Salt,
        ),
        (
            "a salt in plain text",
            format!("$argon2id$v=19$m=256,t=2,p=1$some.salt${HASH}"),
            PhcError::Salt,
        ),
        (
            "no hash",
            format!("$argon2id$v=19$m=256,t=2,p=1${SALT}$"),
            PhcError::Hash,
        ),
        (
            "a hash that a guess may hit",
            format!("$argon2id$v=19$m=256,t=2,p=1${SALT}$AAAAAAAAAAAAAAAAAAAA"),
            PhcError::Hash,
        ),
        (
            "a hash that is too long",
            format!("$argon2id$v=19$m=256,t=2,p=1${SALT}${}", "A".repeat(87)),
            PhcError::Hash,
        ),
        (
            "stray bits in the hash",
            with("$argon2id$v=19$m=256,t=2,p=1").replace("Gi/4", "Gi/5"),
            PhcError::Hash,
        ),
        (
            "a line break",
            with("$argon2id$v=19$m=256,t=2,p=1") + "\n",
            PhcError::Hash,
        ),
        ("too long", with(&"x".repeat(LONGEST_PHC)), PhcError::TooLong),
    ]);
}

#[test]
fn the_longest_string_is_read_and_written_and_one_that_does_not_fit_leaves_nothing() {
    let text = format!(
        "$argon2id$v=19$m=4194304,t=255,p=16${}${}",
        "A".repeat(64),
        format_args!("{}A", "_".replace('_', &"/".repeat(84)) + "/")
    );
    assert!(text.len() <= LONGEST_PHC);
    let verifier = read(&text);
    assert_eq!(written(&verifier), text);
    let mut small = vec![7; text.len() - 1];
    assert!(verifier.write_phc(&mut small).is_err());
    assert!(small.iter().all(|byte| *byte == 0));
}

#[test]
fn memory_that_is_not_enough_is_refused_before_an_attempt_is_spent() {
    let verifier = read(REFERENCE[1].1);
    let mut blocks = vec![Block::new(); 255];
    assert_eq!(
        verifier.ready(&mut blocks).err(),
        Some(VerifierError::Memory(256))
    );
    let short = Verifier::of_issued(b"73914628", [7; 16], Cost::KIB_256, &mut blocks);
    assert_eq!(short.err(), Some(VerifierError::Memory(256)));
}

#[test]
fn each_preset_makes_a_verifier_that_is_right_for_its_secret_alone() {
    let mut blocks = vec![Block::new(); 19 * 1024];
    for cost in [Cost::KIB_32, Cost::KIB_64, Cost::KIB_256, Cost::MIB_19] {
        let verifier = Verifier::of_issued(b"73914628", [7; 16], cost, &mut blocks).expect("enough memory");
        assert_eq!((verifier.cost(), read(&written(&verifier)).cost()), (cost, cost));
        assert_eq!(is_right(&verifier, b"73914628", &mut blocks), Some(true));
        assert_eq!(is_right(&verifier, b"73914629", &mut blocks), Some(false));
        let salted = Verifier::of_issued(b"73914628", [8; 16], cost, &mut blocks).expect("enough memory");
        assert_ne!(written(&verifier), written(&salted), "another salt, another hash");
    }
}

#[test]
fn a_verifier_is_hashed_anew_when_memory_or_work_rises() {
    let mut blocks = vec![Block::new(); 64];
    let verifier = Verifier::of_issued(b"73914628", [7; 16], Cost::KIB_64, &mut blocks).expect("enough");
    assert!(!verifier.needs_rehash(Cost::KIB_64) && !verifier.needs_rehash(Cost::KIB_32));
    assert!(verifier.needs_rehash(Cost::KIB_256));
    assert!(verifier.needs_rehash(Cost::new(64, 13).expect("bounds")));
    assert!(
        verifier.needs_rehash(Cost::new(128, 1).expect("bounds")),
        "more memory, less work"
    );
}

#[test]
fn secrets_of_no_length_or_too_much_are_no_secrets() {
    let mut blocks = vec![Block::new(); 32];
    for secret in [&[][..], &[b'a'; 257]] {
        let refused = Verifier::of_issued(secret, [7; 16], Cost::KIB_32, &mut blocks);
        assert_eq!(refused.err(), Some(VerifierError::Length));
    }
    assert!(Verifier::of_issued(&[b'a'; 256], [7; 16], Cost::KIB_32, &mut blocks).is_ok());
}

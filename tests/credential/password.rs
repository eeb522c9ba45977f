//! What an owner may choose, and what the list of common passwords refuses.

use bydesign::credential::{Blocklist, PasswordPolicy, Refusal};
use chacha20::ChaCha20Rng;
use chacha20::rand_core::{Rng, SeedableRng};

const ABOUT_IT: [&str; 4] = [
    "CAM-2026-000123",
    "a1:b2:c3:d4:e5:f6",
    "Acme Doorbell",
    "Zoë Ångström",
];

fn refusal(password: &str) -> Option<Refusal> {
    PasswordPolicy::only_factor(&ABOUT_IT).check(password).err()
}

fn refusal_beside_another(password: &str) -> Option<Refusal> {
    PasswordPolicy::one_of_two_factors(&ABOUT_IT)
        .check(password)
        .err()
}

//= compliance/requirements.md#cred-8
//= type=test
//# An owner's password MUST be refused if it is too short, common, a repetition or sequence, or made of what is known of the device.
#[test]
fn each_kind_of_bad_password_is_refused_for_what_it_is() {
    let cases = [
        ("", Refusal::TooShort { shortest: 15, has: 0 }),
        (
            "plum fjord vex",
            Refusal::TooShort {
                shortest: 15,
                has: 14,
            },
        ),
        // the serial number, as it is, without separators, in lower case, backwards, in part
        ("CAM-2026-000123", Refusal::Identifier),
        ("cam2026000123!!", Refusal::Identifier),
        ("321000-6202-MAC", Refusal::Identifier),
        ("x2026-000123 x y", Refusal::Identifier),
        // the MAC address
        ("A1B2C3D4E5F6-me", Refusal::Identifier),
        ("f6e5d4c3b2a1 + 1", Refusal::Identifier),
        // the product, spelt with digits, backwards
        ("Acme_D00rb3ll_7", Refusal::Identifier),
        ("llebrooD emcA 99", Refusal::Identifier),
        // the owner
        ("zoë-ångström-12", Refusal::Identifier),
        // repetitions and sequences
        ("aaaaaaaaaaaaaaaaaaaa", Refusal::Predictable),
        ("abcabcabcabcabcabc", Refusal::Predictable),
        ("kiwikiwikiwikiwi", Refusal::Predictable),
        ("12345678901234567890", Refusal::Predictable),
        ("zyxwvutsrqponmlk", Refusal::Predictable),
        ("qwertyuiopasdfghjkl", Refusal::Predictable),
        ("mnbvcxzlkjhgfdsa", Refusal::Predictable),
        ("aaaaabbbbbcccccddddd", Refusal::Predictable),
        // common ones
        ("passwordmonkey123", Refusal::Common),
        ("123-Dragon-Sunshine!", Refusal::Common),
        ("correcthorsebatterystaple", Refusal::Common),
        ("correct horse battery staple", Refusal::Common),
        ("Administrator2026", Refusal::Common),
        (
            "rotartsinimdA",
            Refusal::TooShort {
                shortest: 15,
                has: 13,
            },
        ),
        ("99rotartsinimdA99", Refusal::Common),
        // what is no password
        ("plum fjord\tvexes gnat", Refusal::Control),
        ("plum fjord vexes gnat\n", Refusal::Control),
        ("caf\u{65}\u{301} fjord vexes gnat", Refusal::Combining),
    ];
    for (password, expected) in cases {
        assert_eq!(refusal(password), Some(expected), "{password}");
    }
    assert_eq!(refusal(&"fjord vexes gnat ".repeat(16)), Some(Refusal::TooLong));
}

#[test]
fn good_passwords_pass_in_any_script_and_up_to_64_characters() {
    for password in [
        "plum fjord vexes gnat",
        "vier Äpfel & ein Bär",
        "пять слонов едят рис",
        "五匹の象が米を食べている夜の庭園",
        "X9$kq!Lm2@vR7#zWt",
        "café fjord vexes gnat",
    ] {
        assert_eq!(refusal(password), None, "{password}");
    }
    let mut random = ChaCha20Rng::seed_from_u64(64);
    for symbols in [
        "abcdefghijklmnopqrstuvwxyz",
        "あいうえおかきくけこさしすせそたちつてと",
        "😀🐘🌵🚲🎈🧭🪁🧶🥝🦔",
    ] {
        let symbols: Vec<char> = symbols.chars().collect();
        let password: String = (0..64)
            .map(|_| symbols[random.next_u32() as usize % symbols.len()])
            .collect();
        assert_eq!(refusal(&password), None, "{password}");
    }
}

#[test]
fn beside_another_factor_eight_characters_are_enough_and_the_other_rules_stand() {
    assert_eq!(refusal_beside_another("gnatvexe"), None);
    for (password, expected) in [
        ("gnatvex", Refusal::TooShort { shortest: 8, has: 7 }),
        ("p@ssw0rd", Refusal::Common),
        ("P4SSW0RD!", Refusal::Common),
        ("letmein123", Refusal::Common),
        ("12345678", Refusal::Predictable),
        ("qwertyuiop", Refusal::Predictable),
        ("doorbell", Refusal::Identifier),
        ("drowssap1", Refusal::Common),
        ("monkeydog", Refusal::Common),
    ] {
        assert_eq!(refusal_beside_another(password), Some(expected), "{password}");
    }
    let longer = PasswordPolicy::one_of_two_factors(&[]).at_least(12);
    assert_eq!(
        longer.check("gnatvexe").err(),
        Some(Refusal::TooShort { shortest: 12, has: 8 })
    );
}

#[test]
fn a_refusal_says_what_to_do() {
    for refusal in [
        Refusal::TooShort { shortest: 15, has: 9 },
        Refusal::TooLong,
        Refusal::Control,
        Refusal::Combining,
        Refusal::Identifier,
        Refusal::Predictable,
        Refusal::Common,
    ] {
        let words = refusal.to_string();
        let verbs = ["Use ", "Leave out", "Type ", "Do not", "Choose"];
        assert!(verbs.iter().any(|verb| words.contains(verb)), "{words}");
    }
    assert!(
        Refusal::TooShort { shortest: 15, has: 9 }
            .to_string()
            .starts_with("Use at least 15 characters; this has 9")
    );
}

#[test]
fn every_common_word_is_in_the_list_that_comes_with_the_crate_and_it_keeps_its_budget() {
    let words = include_str!("../../xtask/common_words.txt");
    let list = Blocklist::built_in();
    let mut seen = 0;
    for word in words
        .lines()
        .filter(|line| !line.starts_with('#'))
        .flat_map(str::split_whitespace)
    {
        assert!(word.chars().count() < 3 || list.contains(word), "{word}");
        seen += 1;
    }
    assert!(seen > 1000);
    assert!(include_bytes!("../../src/credential/blocklist.bin").len() <= 16 * 1024);
}

/// One in 15,000 of 15 random letters and digits was measured over two million; here over fewer.
#[test]
fn the_list_refuses_very_few_random_passwords() {
    let list = Blocklist::built_in();
    let mut random = ChaCha20Rng::seed_from_u64(15);
    let refused = (0..100_000)
        .filter(|_| {
            let symbol =
                |number: u32| char::from(b"abcdefghijklmnopqrstuvwxyz0123456789"[number as usize % 36]);
            let password: String = (0..15).map(|_| symbol(random.next_u32())).collect();
            list.contains(&password)
        })
        .count();
    assert!(refused < 30, "{refused} of 100,000");
}

#[test]
fn an_empty_list_refuses_nothing_and_one_of_ones_own_what_it_was_given() {
    assert!(!Blocklist::new(&[]).contains("password"));
    let mut filter = [0; 96];
    for word in ["acme4ever", "roadrunner"] {
        Blocklist::add(&mut filter, word);
    }
    let about_it: [&str; 0] = [];
    let policy = PasswordPolicy::only_factor(&about_it).with_blocklist(Blocklist::new(&filter));
    assert_eq!(policy.check("Acme4ever-Roadrunner").err(), Some(Refusal::Common));
    assert!(policy.check("Dragon of the password").is_ok());
}

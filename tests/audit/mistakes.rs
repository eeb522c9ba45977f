//! The known ways in which "unique" passwords went wrong, made anew for 1000 devices, each caught under the right prohibition.
//!
//! The numbers are those of the list of mistakes in docs/audit.md.

use bydesign::credential::audit::{Kind, Prohibition, Report, Settings, Verdict};
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256};

use crate::make::{
    BASE_62, CLEAR, Dice, colons, full, hexadecimal, in_base, quick, report, table, with_checksum,
};

const DEVICES: u64 = 1000;

fn caught(report: &Report, prohibition: Prohibition, kind: Kind) {
    let found: Vec<String> = report
        .findings
        .iter()
        .map(|finding| {
            format!(
                "({}) {}: {}",
                finding.prohibition.letter(),
                finding.kind,
                finding.evidence
            )
        })
        .collect();
    assert!(
        report.has(prohibition, kind),
        "({}) {kind} is not among {found:#?}",
        prohibition.letter()
    );
    assert_eq!(report.verdict(), Verdict::Fail);
}

fn of_rows(header: &str, row: impl FnMut(u64) -> String, settings: &Settings) -> Report {
    report(&table(header, (0..DEVICES).map(row)), settings)
}

// ---- 1 to 6: derived from identifiers ----

//= compliance/requirements.md#cred-44
//= type=test
//# Passwords that are computed from identifiers without a secret key MUST be found for the forms, functions and notations that docs/audit.md lists.
#[test]
fn mistake_1_key_and_network_name_from_one_digest_of_the_serial() {
    let mut dice = Dice::new(101);
    let found = of_rows(
        "serial,ssid,password",
        |_| {
            let (year, week, rest) = (
                5 + dice.below(7),
                1 + dice.below(52),
                dice.text("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", 3),
            );
            let digest = hexadecimal(&Sha1::digest(format!(
                "CP{year:02}{week:02}{}",
                hexadecimal(rest.as_bytes()).to_uppercase()
            )));
            // The label has two letters of the factory in the middle.
            format!(
                "CP{year:02}{week:02}JT{rest},SpeedTouch{},{}",
                digest[34..].to_uppercase(),
                digest[..10].to_uppercase()
            )
        },
        &full(),
    );
    caught(&found, Prohibition::Identifier, Kind::Derived);
    caught(&found, Prohibition::Guessable, Kind::SmallSpace);
}

#[test]
fn mistake_1_a_digest_of_serial_and_address_in_another_case() {
    let found = of_rows(
        "serial,mac,password",
        |at| {
            let serial = format!("SN{at:06}");
            let address = 0x44aa_5000_0000 + at * 7919;
            let digest = hexadecimal(&Sha1::digest(format!("{serial}{address:012x}")));
            format!("{serial},{},{}", colons(address), &digest[..16])
        },
        &full(),
    );
    caught(&found, Prohibition::Identifier, Kind::Derived);
}

#[test]
fn mistake_2_two_hashes_with_constants_between_them() {
    let mut dice = Dice::new(102);
    let found = of_rows(
        "Serial;SSID;Password",
        |_| {
            let serial = format!("SAAP{:08}", dice.below(100_000_000));
            let first = Md5::digest(serial.as_bytes());
            let mut text = String::new();
            for half in first.chunks(8) {
                let word = |at: usize| u32::from(u16::from_le_bytes([half[2 * at], half[2 * at + 1]]));
                let quotient = ((u64::from(word(3)) * 0xb216_42c9) >> 40) as u32;
                let factor =
                    (word(3).wrapping_sub(quotient.wrapping_mul(9999)).wrapping_add(1)).wrapping_mul(11);
                text += &format!(
                    "{:08X}",
                    factor.wrapping_mul(word(1) * 100 + word(2) * 10 + word(0))
                );
            }
            let letters: Vec<char> = "ABCDEFGHJKMNPQRSTUVWXYZ".chars().collect();
            let password: String = Md5::digest(text.as_bytes())[..8]
                .iter()
                .map(|byte| letters[usize::from(byte & 31) % 23])
                .collect();
            format!("{serial};UPC{:07};{password}", dice.below(10_000_000))
        },
        &full(),
    );
    caught(&found, Prohibition::Identifier, Kind::Derived);
    caught(&found, Prohibition::Guessable, Kind::SmallSpace);
}

#[test]
fn mistake_2_a_hash_of_the_digits_of_a_hash() {
    let mut dice = Dice::new(103);
    let found = of_rows(
        "serial,password",
        |_| {
            let serial = format!("SN{:09}", dice.below(1_000_000_000));
            let digest = Sha256::digest(hexadecimal(&Md5::digest(serial.as_bytes())).as_bytes());
            format!("{serial},{}", &hexadecimal(&digest)[7..23])
        },
        &full(),
    );
    caught(&found, Prohibition::Identifier, Kind::Derived);
}

#[test]
fn mistake_3_a_hash_of_an_address_near_by_and_a_filter_that_replaces_letters() {
    let mut dice = Dice::new(104);
    let found = of_rows(
        "mac,password",
        |_| {
            let address = 0x647c_3400_0000 + dice.below(1 << 24);
            let digest = Md5::digest(colons(address + 3).as_bytes());
            let password: String = digest[..12]
                .iter()
                .map(|byte| char::from(b'A' + byte % 26))
                .collect();
            // What reads like a word is mended in place of being drawn again.
            format!(
                "{},{}",
                colons(address),
                password.replace("AS", "QX").replace("FU", "KZ")
            )
        },
        &full(),
    );
    caught(&found, Prohibition::Public, Kind::Derived);
    caught(&found, Prohibition::Identifier, Kind::Derived);
}

//= compliance/requirements.md#cred-45
//= type=test
//# A position of the password that follows from one or two positions of identifiers MUST be found, whatever the table or sum between them.
#[test]
fn mistake_4_nibbles_of_the_address_through_a_table() {
    let mut dice = Dice::new(105);
    let symbols: Vec<char> = "kq7zr2m9wd4xh8pc".chars().collect();
    let found = of_rows(
        "mac,password",
        |_| {
            let address = 0x9444_5200_0000 + dice.below(1 << 24);
            let digits: Vec<usize> = format!("{:012x}", address + 2)
                .chars()
                .filter_map(|digit| digit.to_digit(16))
                .map(|digit| digit as usize)
                .collect();
            let password: String = [9, 6, 11, 7, 10, 8, 9, 7]
                .iter()
                .map(|at| symbols[digits[*at]])
                .collect();
            format!("{},{password}", colons(address))
        },
        &quick(),
    );
    caught(&found, Prohibition::Public, Kind::Dependent);
    caught(&found, Prohibition::Identifier, Kind::Dependent);
}

#[test]
fn mistake_4_sums_of_two_digits_of_the_serial_in_an_alphabet_of_the_vendors_own() {
    let mut dice = Dice::new(106);
    let symbols: Vec<char> = "ywnkzqhgbt".chars().collect();
    let found = of_rows(
        "serial,password",
        |_| {
            let serial = format!("{:010}", dice.below(10_000_000_000));
            let digit = |at: usize| usize::from(serial.as_bytes()[at] - b'0');
            let sums: String = (0..5)
                .map(|at| symbols[(3 * digit(at) + digit(at + 5)) % 10])
                .collect();
            format!("{serial},{sums}{}", dice.text(CLEAR, 8))
        },
        &quick(),
    );
    caught(&found, Prohibition::Identifier, Kind::Dependent);
}

#[test]
fn mistake_5_the_last_bytes_of_the_address_in_decimal_with_a_checksum() {
    let mut dice = Dice::new(107);
    let found = of_rows(
        "mac,pin",
        |_| {
            let address = 0xc83a_3500_0000 + dice.below(1 << 24);
            format!(
                "{},{}",
                colons(address),
                with_checksum((address & 0xff_ffff) % 10_000_000)
            )
        },
        &quick(),
    );
    caught(&found, Prohibition::Public, Kind::Derived);
}

#[test]
fn mistake_5_the_address_multiplied_and_shifted_by_constants_that_nobody_knows() {
    let mut dice = Dice::new(108);
    let found = of_rows(
        "imei,password",
        |_| {
            let imei = 350_000_000_000_000 + dice.below(10_u64.pow(12));
            format!(
                "{imei},{:010}",
                (imei % 10_u64.pow(10) * 7919 + 4_242_424) % 10_u64.pow(10)
            )
        },
        &quick(),
    );
    caught(&found, Prohibition::Identifier, Kind::Derived);
}

#[test]
fn mistake_6_a_fixed_suffix_behind_the_end_of_the_address() {
    let mut dice = Dice::new(109);
    let found = of_rows(
        "mac,password",
        |_| {
            let address = 0x0013_3300_0000 + dice.below(1 << 24);
            format!("{},{:04X}airocon", colons(address), address & 0xffff)
        },
        &quick(),
    );
    caught(&found, Prohibition::Public, Kind::Contained);
    caught(&found, Prohibition::Public, Kind::Derived);
}

#[test]
fn mistake_6_a_piece_of_the_serial_in_the_middle_of_a_random_password() {
    let mut dice = Dice::new(110);
    let found = of_rows(
        "serial,password",
        |_| {
            let serial = dice.text("ABCDEFGHJKLMNPQRSTUVWXYZ23456789", 12);
            let piece: String = serial[5..10].chars().rev().collect();
            let (before, behind) = (dice.below(4) as usize, dice.below(4) as usize);
            format!(
                "{serial},{}{}{}",
                dice.text(BASE_62, 4 + before),
                piece.to_lowercase(),
                dice.text(BASE_62, 4 + behind)
            )
        },
        &quick(),
    );
    caught(&found, Prohibition::Identifier, Kind::Contained);
}

#[test]
fn each_usual_function_of_each_usual_form_is_found() {
    let functions: [(&str, fn(&[u8]) -> String); 3] = [
        ("MD5", |of| hexadecimal(&Md5::digest(of))),
        ("SHA-1", |of| hexadecimal(&Sha1::digest(of))),
        ("SHA-256", |of| hexadecimal(&Sha256::digest(of))),
    ];
    let forms: [(&str, fn(&str, u64) -> String); 6] = [
        ("serial", |serial, _| serial.to_owned()),
        ("serial with a line feed", |serial, _| format!("{serial}\n")),
        ("serial in lower case and address", |serial, address| {
            format!("{}{}", serial.to_lowercase(), colons(address).to_lowercase())
        }),
        ("address without colons", |_, address| format!("{address:012x}")),
        ("last bytes of the address", |_, address| {
            format!("{:06X}", address & 0xff_ffff)
        }),
        ("admin and serial", |serial, _| format!("admin{serial}")),
    ];
    let mut missed = Vec::new();
    for (number, (function, digest)) in functions.iter().enumerate() {
        for (name, form) in &forms {
            let mut dice = Dice::new(111);
            let rows = (0..200).map(|_| {
                let (serial, address) = (
                    format!("TX{:07}", dice.below(10_000_000)),
                    0x2c9e_5f00_0000 + dice.below(1 << 24),
                );
                format!(
                    "{serial},{},{}",
                    colons(address),
                    &digest(form(&serial, address).as_bytes())[number * 3..number * 3 + 14]
                )
            });
            let settings = if *name == "admin and serial" {
                full()
            } else {
                quick()
            };
            let found = report(&table("serial,mac,password", rows), &settings);
            if !found.findings.iter().any(|finding| finding.kind == Kind::Derived) {
                missed.push(format!("{function} of {name}"));
            }
        }
    }
    assert_eq!(missed, Vec::<String>::new());
}

// ---- 7 and 8: counters, and one for all ----

//= compliance/requirements.md#cred-43
//= type=test
//# Passwords that count in the order of the file or of an identifier MUST be found, whatever their base, their symbols' order and their stride.
#[test]
fn mistake_7_counters_in_every_base_order_and_stride() {
    let shuffled = "mqzk4wr9xh2tdp7bcfgjnsvy";
    let mut missed = Vec::new();
    for (name, alphabet, stride, is_backwards) in [
        ("decimal", "0123456789", 1, false),
        ("decimal with a stride", "0123456789", 7919, false),
        ("decimal backwards", "0123456789", 13, true),
        ("hexadecimal", "0123456789ABCDEF", 1, false),
        ("base 36", "0123456789abcdefghijklmnopqrstuvwxyz", 104_729, false),
        ("base 62", BASE_62, 3, false),
        ("base 62 backwards", BASE_62, 1_000_003, true),
        ("an order of its own", shuffled, 1, false),
        ("an order of its own with a stride", shuffled, 331, false),
    ] {
        let mut dice = Dice::new(112);
        let start = dice.below(1 << 40);
        let mut rows: Vec<String> = (0..DEVICES)
            .map(|at| {
                let mut count = in_base(start + at * stride, alphabet, 9);
                if is_backwards {
                    count = count.chars().rev().collect();
                }
                format!("CAM{:06},pw-{count}X", 4711 + 3 * at)
            })
            .collect();
        // The file is in no order; the serials are.
        rows.sort_by_key(|row| {
            row.bytes().rev().fold(0_u64, |sum, byte| {
                sum.wrapping_mul(31).wrapping_add(u64::from(byte))
            })
        });
        let found = report(&table("serial,password", rows.iter()), &quick());
        // In an order that nobody knows the step shows in single positions only.
        let is_found = if alphabet == shuffled {
            found.against(Prohibition::Counter).next().is_some()
        } else {
            found.has(Prohibition::Counter, Kind::Counter)
        };
        if !is_found {
            missed.push(name);
        }
    }
    assert_eq!(missed, Vec::<&str>::new());
}

#[test]
fn mistake_7_a_counter_with_gaps_beside_random_symbols() {
    let mut dice = Dice::new(113);
    let mut count = 20_000_000;
    let found = of_rows(
        "serial,password",
        |at| {
            count += 1 + dice.below(40);
            format!("D{at:05},{}{count}", dice.text(CLEAR, 6))
        },
        &quick(),
    );
    assert!(
        found.against(Prohibition::Counter).next().is_some(),
        "{:?}",
        found.findings
    );
}

#[test]
fn mistake_7_sequential_devices_with_two_passwords() {
    let mut dice = Dice::new(114);
    let found = of_rows(
        "serial,password",
        |at| format!("CAM{at:06},{}", dice.one_of(&["123", "888888"])),
        &quick(),
    );
    caught(&found, Prohibition::Guessable, Kind::Repeated);
    caught(&found, Prohibition::Public, Kind::Published);
    caught(&found, Prohibition::Guessable, Kind::SmallSpace);
}

//= compliance/requirements.md#cred-42
//= type=test
//# Passwords that several devices share MUST be found, and pairing codes that do only where they are more than the space they are drawn from makes likely.
#[test]
fn mistake_8_one_password_for_all_or_for_a_few() {
    let same = of_rows("serial,password", |at| format!("A{at:05},tR7vQ2mK9xLp"), &quick());
    caught(&same, Prohibition::Guessable, Kind::Repeated);
    let mut dice = Dice::new(115);
    let twice = dice.text(BASE_62, 14);
    let few = of_rows(
        "serial,password",
        |at| {
            format!(
                "A{at:05},{}",
                if at % 500 == 7 {
                    twice.clone()
                } else {
                    dice.text(BASE_62, 14)
                }
            )
        },
        &quick(),
    );
    caught(&few, Prohibition::Guessable, Kind::Repeated);
    assert_eq!((few.findings.len(), few.findings[0].devices), (1, 2));
    // A tool that was given one passcode for a part of the run.
    let codes = of_rows(
        "serial,pin",
        |at| {
            format!(
                "A{at:05},{:08}",
                if at < 60 {
                    40_718_253
                } else {
                    1 + dice.below(99_999_998)
                }
            )
        },
        &quick(),
    );
    caught(&codes, Prohibition::Guessable, Kind::Repeated);
    let same = of_rows("serial,pin", |at| format!("A{at:05},40718253"), &quick());
    caught(&same, Prohibition::Guessable, Kind::Repeated);
}

#[test]
fn mistake_8_half_of_each_password_from_a_short_list() {
    let mut dice = Dice::new(116);
    let list: Vec<String> = (0..200).map(|_| dice.text(CLEAR, 7)).collect();
    let found = of_rows(
        "serial,password",
        |at| {
            format!(
                "A{at:05},{}{}",
                list[dice.below(200) as usize],
                dice.text(CLEAR, 7)
            )
        },
        &quick(),
    );
    caught(&found, Prohibition::Guessable, Kind::RepeatedPart);
}

// ---- 9: generators ----

/// `rand` of Microsoft's C library.
fn microsoft(state: &mut u32) -> u32 {
    *state = state.wrapping_mul(214_013).wrapping_add(2_531_011);
    *state >> 16 & 0x7fff
}

//= compliance/requirements.md#cred-51
//= type=test
//# Passwords from the generators that docs/audit.md lists MUST be found for small seeds, for times in the window that is given, and for seeds that are an identifier's number.
#[test]
fn mistake_9_a_generator_seeded_once() {
    let letters: Vec<char> = "abcdefghijklmnopqrstuvwxyz0123456789".chars().collect();
    for seed in [77, 1_764_321_987] {
        let mut state = seed;
        let found = of_rows(
            "serial,password",
            |at| {
                format!(
                    "Z{at:05},{}",
                    (0..12)
                        .map(|_| letters[microsoft(&mut state) as usize % 36])
                        .collect::<String>()
                )
            },
            &quick(),
        );
        caught(&found, Prohibition::Guessable, Kind::WeakGenerator);
    }
}

#[test]
fn mistake_9_a_generator_seeded_with_the_time_for_each_device() {
    seeded_with_the_time_from(
        1_764_000_000,
        &Settings {
            window: Some(1_763_999_000..=1_764_004_000),
            ..quick()
        },
    );
}

/// Who audits a batch of somebody else's knows when its file was written, or that the times are from an example.
#[test]
fn mistake_9_a_generator_seeded_with_a_time_that_nobody_names() {
    seeded_with_the_time_from(
        1_764_001_000,
        &Settings {
            made_about: Some(1_764_004_000),
            ..full()
        },
    );
    seeded_with_the_time_from(1_700_000_000, &full());
}

fn seeded_with_the_time_from(mut time: u32, settings: &Settings) {
    let letters: Vec<char> = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789".chars().collect();
    let mut dice = Dice::new(117);
    let row = |at: u64| {
        time += 1 + dice.below(5) as u32;
        let mut state = time;
        format!(
            "Z{at:05},{}",
            (0..12)
                .map(|_| letters[microsoft(&mut state) as usize % 32])
                .collect::<String>()
        )
    };
    let found = of_rows("serial,password", row, settings);
    caught(&found, Prohibition::Guessable, Kind::WeakGenerator);
}

/// MT19937 as Python seeds it with a small number.
struct Python {
    words: [u32; 624],
    at: usize,
}

impl Python {
    fn new(seed: u32) -> Self {
        let mut words = [0; 624];
        words[0] = 19_650_218_u32;
        for at in 1..624 {
            words[at] = 1_812_433_253_u32
                .wrapping_mul(words[at - 1] ^ words[at - 1] >> 30)
                .wrapping_add(at as u32);
        }
        let mut at = 1;
        for round in 0..624 + 623 {
            let mixed = words[at - 1] ^ words[at - 1] >> 30;
            words[at] = if round < 624 {
                (words[at] ^ mixed.wrapping_mul(1_664_525)).wrapping_add(seed)
            } else {
                (words[at] ^ mixed.wrapping_mul(1_566_083_941)).wrapping_sub(at as u32)
            };
            at += 1;
            if at == 624 {
                words[0] = words[623];
                at = 1;
            }
        }
        words[0] = 0x8000_0000;
        Self { words, at: 624 }
    }

    fn bits(&mut self, number: u32) -> u32 {
        if self.at == 624 {
            for at in 0..624 {
                let joined = self.words[at] & 0x8000_0000 | self.words[(at + 1) % 624] & 0x7fff_ffff;
                self.words[at] = self.words[(at + 397) % 624] ^ (joined >> 1) ^ ((joined & 1) * 0x9908_b0df);
            }
            self.at = 0;
        }
        let mut word = self.words[self.at];
        self.at += 1;
        word ^= word >> 11;
        word ^= word << 7 & 0x9d2c_5680;
        word ^= word << 15 & 0xefc6_0000;
        (word ^ word >> 18) >> (32 - number)
    }

    fn below(&mut self, limit: u32) -> u32 {
        loop {
            let drawn = self.bits(32 - limit.leading_zeros());
            if drawn < limit {
                return drawn;
            }
        }
    }
}

#[test]
fn mistake_9_pythons_generator_as_a_factory_tool_uses_it() {
    let mut python = Python::new(1234);
    let found = of_rows(
        "serial,pin",
        |at| format!("Z{at:05},{:08}", 1 + python.below(99_999_998)),
        &quick(),
    );
    caught(&found, Prohibition::Guessable, Kind::WeakGenerator);
    // A discriminator is drawn after each passcode.
    let mut python = Python::new(7);
    let row = |at| {
        let code = 1 + python.below(99_999_998);
        python.below(4096);
        format!("Z{at:05},{code:08}")
    };
    caught(
        &of_rows("serial,pin", row, &quick()),
        Prohibition::Guessable,
        Kind::WeakGenerator,
    );
    // An alphabet in an order that the audit cannot know.
    let letters: Vec<char> = "zq3k7xw2mh9rd5tbp8n4c6vgyjfs".chars().collect();
    let mut python = Python::new(20_260_314);
    let found = of_rows(
        "serial,password",
        |at| {
            format!(
                "Z{at:05},{}",
                (0..14)
                    .map(|_| letters[python.below(28) as usize])
                    .collect::<String>()
            )
        },
        &full(),
    );
    caught(&found, Prohibition::Guessable, Kind::WeakGenerator);
}

#[test]
fn mistake_9_a_generator_seeded_with_the_serial() {
    let mut dice = Dice::new(118);
    let letters: Vec<char> = BASE_62.chars().collect();
    let found = of_rows(
        "serial,password",
        |_| {
            let serial = 10_000_000 + dice.below(10_000_000);
            let mut python = Python::new(serial as u32);
            format!(
                "{serial},{}",
                (0..12)
                    .map(|_| letters[python.below(62) as usize])
                    .collect::<String>()
            )
        },
        &quick(),
    );
    caught(&found, Prohibition::Identifier, Kind::WeakGenerator);
}

#[test]
fn mistake_9_glibcs_rand_with_a_seed_that_nobody_knows() {
    let mut words: Vec<u32> = vec![1_999_888_777];
    for at in 1..31 {
        words.push((16807 * u64::from(words[at - 1]) % 0x7fff_ffff) as u32);
    }
    (31..34).for_each(|at| words.push(words[at - 31]));
    let mut next = || {
        let word = words[words.len() - 31].wrapping_add(words[words.len() - 3]);
        words.push(word);
        word >> 1
    };
    (0..310).for_each(|_| {
        next();
    });
    let letters: Vec<char> = CLEAR.chars().take(30).collect();
    let found = of_rows(
        "serial,password",
        |at| {
            format!(
                "Z{at:05},{}",
                (0..12).map(|_| letters[next() as usize % 30]).collect::<String>()
            )
        },
        &quick(),
    );
    caught(&found, Prohibition::Guessable, Kind::WeakGenerator);
}

#[test]
fn mistake_9_a_dead_random_source() {
    let found = of_rows(
        "serial,password",
        |at| format!("Z{at:05},0000000000000000"),
        &quick(),
    );
    caught(&found, Prohibition::Guessable, Kind::Repeated);
    caught(&found, Prohibition::Guessable, Kind::Common);
}

// ---- 10: published ----

//= compliance/requirements.md#cred-48
//= type=test
//# Passwords that are published defaults, or words, dates and rows of keys that people try first, MUST be found where they are more than chance makes.
#[test]
fn mistake_10_published_defaults_and_what_people_try_first() {
    let mut dice = Dice::new(119);
    for default in ["xc3511", "Admin123", "7ujMko0vizxv", "smcadmin"] {
        let found = of_rows(
            "serial,password",
            |at| {
                format!(
                    "Z{at:05},{}",
                    if at == 500 {
                        default.into()
                    } else {
                        dice.text(BASE_62, 14)
                    }
                )
            },
            &quick(),
        );
        caught(&found, Prohibition::Public, Kind::Published);
    }
    for common in ["qwertyuiop", "abcabcabcabc", "Purple-Tiger-77", "aaaaaaaaaa"] {
        let found = of_rows(
            "serial,password",
            |at| {
                format!(
                    "Z{at:05},{}",
                    if at == 500 {
                        common.into()
                    } else {
                        dice.text(BASE_62, 14)
                    }
                )
            },
            &quick(),
        );
        caught(&found, Prohibition::Guessable, Kind::Common);
    }
    let row = |at| {
        format!(
            "Z{at:05},{:02}{:02}20{:02}",
            1 + dice.below(28),
            1 + dice.below(12),
            dice.below(27)
        )
    };
    caught(
        &of_rows("serial,password", row, &quick()),
        Prohibition::Guessable,
        Kind::Common,
    );
}

//= compliance/requirements.md#cred-50
//= type=test
//# Pairing codes that Matter or HomeKit forbid, and published test codes, MUST be found, each one of them.
#[test]
fn mistake_10_codes_that_a_scheme_forbids_or_publishes() {
    let mut dice = Dice::new(120);
    for code in ["20202021", "11111111", "12345678", "876-54-321", "00000000"] {
        let found = of_rows(
            "serial,pin",
            |at| {
                format!(
                    "Z{at:05},{}",
                    if at == 3 {
                        code.into()
                    } else {
                        format!("{:08}", 1 + dice.below(99_999_998))
                    }
                )
            },
            &quick(),
        );
        caught(&found, Prohibition::Guessable, Kind::Forbidden);
        caught(&found, Prohibition::Public, Kind::Forbidden);
    }
}

#[test]
fn a_password_with_the_name_of_the_product_is_found() {
    let mut dice = Dice::new(121);
    let row = |at: u64| {
        format!(
            "Z{at:05},Lumina 2,{}{}{}",
            dice.text(CLEAR, 5),
            if at.is_multiple_of(9) { "lumina2" } else { "" },
            dice.text(CLEAR, 9)
        )
    };
    caught(
        &of_rows("serial,model,password", row, &quick()),
        Prohibition::Public,
        Kind::Name,
    );
}

// ---- 11 and 12: verifiers and salts ----

//= compliance/requirements.md#cred-49
//= type=test
//# Salts and verifiers that devices share or that are published, verifiers that are not those of the passwords beside them, and too few iterations, MUST be found where the batch gives them.
#[test]
fn mistakes_11_and_12_verifiers_and_salts() {
    const DEFAULT: &str = "uWFwqugDNGiEck/po7KHwwMwwqZgN10XuyBajPGuyzUEV/iree4lOrao5GuwnlQ65CJzbeUB49s31EH+NEkg0JVI5MGCQGMMT/SRPFNRODm3wH/MBiehuFc6FJ/NH6Rmzw==";
    let header = "serial,pin,salt,iterations,verifier";
    let mut dice = Dice::new(122);
    let mut row = |at: u64, salt: Option<&str>, iterations: u64, verifier: Option<&str>| {
        let mut random = |length| (0..length).map(|_| dice.byte()).collect::<Vec<u8>>();
        let (own_salt, own_verifier) = (hexadecimal(&random(16)), hexadecimal(&random(97)));
        let code = 1 + dice.below(99_999_998);
        format!(
            "Z{at:05},{code:08},{},{iterations},{}",
            salt.unwrap_or(&own_salt),
            verifier.unwrap_or(&own_verifier)
        )
    };
    let found = of_rows(header, |at| row(at, None, 2000, None), &quick());
    assert_eq!(found.findings, []);
    // The verifier of the test code stayed when the codes were changed.
    let found = of_rows(
        header,
        |at| row(at, None, 2000, (at == 9).then_some(DEFAULT)),
        &quick(),
    );
    caught(&found, Prohibition::Guessable, Kind::Verifier);
    let found = of_rows(
        header,
        |at| row(at, Some("00c0ffee00c0ffee00c0ffee00c0ffee"), 2000, None),
        &quick(),
    );
    caught(&found, Prohibition::Guessable, Kind::Salt);
    let found = of_rows(
        header,
        |at| row(at, (at == 9).then_some("U1BBS0UyUCBLZXkgU2FsdA=="), 2000, None),
        &quick(),
    );
    caught(&found, Prohibition::Guessable, Kind::Salt);
    let found = of_rows(
        header,
        |at| row(at, (at == 9).then_some("0badc0de"), 2000, None),
        &quick(),
    );
    caught(&found, Prohibition::Guessable, Kind::Salt);
    for iterations in [10, 1_000_000] {
        let found = of_rows(header, |at| row(at, None, iterations, None), &quick());
        caught(&found, Prohibition::Guessable, Kind::Iterations);
    }
}

// ---- 13 and 14: bias and space ----

//= compliance/requirements.md#cred-46
//= type=test
//# Symbols that come more often than others, by the remainder of a division or for another cause, MUST be found where the batch is large enough to show it.
#[test]
fn mistake_13_remainders_and_mended_draws() {
    let mut dice = Dice::new(123);
    let letters: Vec<char> = BASE_62.chars().collect();
    let found = of_rows(
        "serial,password",
        |at| {
            format!(
                "Z{at:05},{}",
                (0..12)
                    .map(|_| letters[usize::from(dice.byte() % 62)])
                    .collect::<String>()
            )
        },
        &quick(),
    );
    caught(&found, Prohibition::Guessable, Kind::Biased);
    let found = of_rows(
        "serial,pin",
        |at| {
            format!(
                "Z{at:05},{}",
                (0..8)
                    .map(|_| char::from(b'0' + (dice.byte() & 15) % 10))
                    .collect::<String>()
            )
        },
        &quick(),
    );
    caught(&found, Prohibition::Guessable, Kind::Biased);
    // What is divisible by three counts as invalid, and one is subtracted.
    let found = of_rows(
        "serial,pin",
        |at| {
            let drawn = dice.below(100_000_000);
            format!(
                "Z{at:05},{:08}",
                if drawn.is_multiple_of(3) {
                    drawn.saturating_sub(1)
                } else {
                    drawn
                }
            )
        },
        &quick(),
    );
    caught(&found, Prohibition::Guessable, Kind::Biased);
}

#[test]
fn mistake_13_positions_that_never_vary_or_leave_symbols_out() {
    let mut dice = Dice::new(124);
    let found = of_rows(
        "serial,password",
        |at| format!("Z{at:05},{}K{}", dice.text(BASE_62, 6), dice.text(BASE_62, 7)),
        &quick(),
    );
    caught(&found, Prohibition::Guessable, Kind::Constant);
    let without: String = BASE_62
        .chars()
        .filter(|letter| !"357".contains(*letter))
        .collect();
    let found = of_rows(
        "serial,password",
        |at| format!("Z{at:05},{}{}", dice.text(BASE_62, 11), dice.text(&without, 1)),
        &quick(),
    );
    caught(&found, Prohibition::Guessable, Kind::MissingSymbols);
    let found = of_rows(
        "serial,password",
        |at| {
            let half = dice.text(CLEAR, 8);
            format!("Z{at:05},{half}{}", half.chars().rev().collect::<String>())
        },
        &quick(),
    );
    caught(&found, Prohibition::Guessable, Kind::Patterned);
}

//= compliance/requirements.md#cred-47
//= type=test
//# A space of fewer than 80 bits MUST be found where passwords can be tried without the device, and one of fewer than 30 where a limiter stands before them.
#[test]
fn mistake_14_too_few_passwords_for_their_use() {
    let mut dice = Dice::new(125);
    let mut digits = |header: &str, length, settings: &Settings| {
        let with_network = header.contains("ssid");
        of_rows(
            header,
            |at| {
                format!(
                    "Z{at:05},{}{}",
                    if with_network { "home," } else { "" },
                    dice.text("0123456789abcdef", length)
                )
            },
            settings,
        )
    };
    let offline = Settings {
        offline: true,
        ..quick()
    };
    caught(
        &digits("serial,ssid,password", 8, &quick()),
        Prohibition::Guessable,
        Kind::SmallSpace,
    );
    caught(
        &digits("serial,password", 16, &offline),
        Prohibition::Guessable,
        Kind::SmallSpace,
    );
    caught(
        &digits("serial,password", 6, &quick()),
        Prohibition::Guessable,
        Kind::SmallSpace,
    );
    assert_eq!(digits("serial,password", 20, &offline).findings, []);
    assert_eq!(digits("serial,password", 10, &quick()).findings, []);
}

// ---- found missing by whoever had not written the tests above ----

#[test]
fn mistake_1_a_keyed_hash_whose_key_is_another_identifier() {
    use hmac::{Hmac, KeyInit, Mac};
    let found = of_rows(
        "serial,mac,password",
        |at| {
            let (serial, address) = (format!("AC24W{at:06}"), 0x0418_d600_0000 + at * 7919);
            let mut code = Hmac::<Sha256>::new_from_slice(serial.as_bytes()).expect("a key");
            code.update(format!("{address:012x}").as_bytes());
            let digest = hexadecimal(&code.finalize().into_bytes());
            format!("{serial},{},{}", colons(address), &digest[..20])
        },
        &full(),
    );
    caught(&found, Prohibition::Identifier, Kind::Derived);
}

#[test]
fn mistake_9_hexadecimal_digits_of_one_long_number_of_pythons_generator() {
    for (bits, width) in [(80, 20), (64, 16), (128, 32)] {
        let mut twister = Python::new(20_251_107);
        let found = of_rows(
            "serial,password",
            |at| {
                // Words from the lowest on; the last gives its upper bits.
                let mut number = 0_u128;
                let mut place = 0;
                while place < bits {
                    number |= u128::from(twister.bits((bits - place).min(32))) << place;
                    place += 32;
                }
                format!("SN{at:06},{number:0width$x}")
            },
            &full(),
        );
        caught(&found, Prohibition::Guessable, Kind::WeakGenerator);
    }
}

#[test]
fn mistake_9_a_generator_seeded_with_the_milliseconds_of_each_device() {
    let mut time = 1_762_531_187_345_u64;
    let mut dice = Dice::new(909);
    let settings = Settings {
        window: Some(1_762_531_000..=1_762_531_600),
        ..full()
    };
    let found = of_rows(
        "serial,password",
        |at| {
            time += 40 + dice.below(400);
            let mut state = (time ^ 0x5_deec_e66d) & ((1 << 48) - 1);
            let letters: Vec<char> = BASE_62.chars().collect();
            let password: String = (0..16)
                .map(|_| {
                    loop {
                        state = (state.wrapping_mul(0x5_deec_e66d) + 11) & ((1 << 48) - 1);
                        let bits = state >> 17;
                        if bits < (1 << 31) / 62 * 62 {
                            break letters[(bits % 62) as usize];
                        }
                    }
                })
                .collect();
            format!("SN{at:06},{password}")
        },
        &settings,
    );
    caught(&found, Prohibition::Guessable, Kind::WeakGenerator);
}

#[test]
fn mistake_10_a_published_manual_code_among_passcodes() {
    let mut dice = Dice::new(910);
    for published in ["34970112332", "3497-011-2332", "MT:Y.K9042C00KA0648G00"] {
        let found = of_rows(
            "serial,pin",
            |at| {
                let code = dice.text("0123456789", 8);
                format!("SN{at:06},{}", if at == 77 { published } else { code.as_str() })
            },
            &quick(),
        );
        caught(&found, Prohibition::Guessable, Kind::Forbidden);
    }
}

#[test]
fn mistake_12_salts_that_count_or_hardly_vary() {
    let mut dice = Dice::new(912);
    for salt in [
        |at: u64, _: &mut Dice| format!("{:032x}", at + 1),
        |at: u64, _: &mut Dice| format!("{:016x}{:016x}", at * 7919, 0xdead_beef_u64),
        |_: u64, dice: &mut Dice| format!("a1b2c3d4e5f60718293a4b5c{:08x}", dice.below(1 << 32)),
    ] {
        let found = of_rows(
            "serial,pin,salt,iterations",
            |at| {
                let code = dice.text("0123456789", 8);
                format!("SN{at:06},{code},{},10000", salt(at, &mut dice))
            },
            &quick(),
        );
        caught(&found, Prohibition::Guessable, Kind::Salt);
    }
}

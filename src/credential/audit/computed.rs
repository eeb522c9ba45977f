//! Verifiers that are computed anew from the passwords beside them: one that belongs to another secret is a label that opens nothing, or a default that stayed.
//!
//! ```text
//!  audit
//!  audit::verifiers
//!  audit::computed (this file)
//!  credential::verifier · crypto::factory
//! ```
//!
//! Two forms say by themselves what they are: PHC strings of Argon2id, and Matter's w0 and L of 97 bytes with a salt and iterations in columns of their own.

use std::format;
use std::string::String;
use std::vec;
use std::vec::Vec;

use base64ct::{Base64, Encoding};

use super::batch::{Role, bare};
use super::case::{Case, Notes};
use super::report::{Kind, Prohibition};
use super::settings::Depth;
use crate::credential::hexadecimal::bytes_of;
use crate::credential::matter::PUBLISHED;
use crate::credential::{Block, Verifier};
use crate::crypto::factory::spake2p_verifier;

/// What a computation came to.
enum Answer {
    Belongs,
    Other,
    /// That of a published code.
    Published,
    /// No form that is known, or one that costs too much.
    Unknown,
}

//= compliance/requirements.md#cred-49
//# Salts and verifiers that devices share or that are published, verifiers that are not those of the passwords beside them, and too few iterations, MUST be found where the batch gives them.
pub(super) fn search(case: &Case, notes: &mut Notes) {
    let columns = || case.batch.columns.iter();
    let column = |role| columns().find(|column| column.role == role);
    let Some(verifiers) = column(Role::Verifier) else {
        return;
    };
    // Of two columns of passwords nobody says to which the verifiers belong.
    if columns().filter(|column| column.role.is_secret()).count() > 1 {
        case.cannot(notes, TEST, "there are several columns of passwords");
        return;
    }
    let text = |role, device: usize| {
        let column = column(role)?;
        column.values.get(device).map(String::as_str)
    };
    let full: Vec<usize> = (0..verifiers.values.len())
        .filter(|device| {
            let has = |values: &[String]| values.get(*device).is_some_and(|value| !value.is_empty());
            has(&verifiers.values) && has(case.values)
        })
        .collect();
    let most = match case.settings.depth {
        Depth::Quick => MOST_STEPS / 20,
        Depth::Full => MOST_STEPS,
    };
    let mut blocks = Vec::new();
    let (mut looked, mut others, mut steps) = (0, Vec::new(), 0);
    // A PHC string says of itself what it is. Bytes do not: as long as none is seen to be a verifier of this form, none is held against the batch.
    let (mut is_known_form, mut of_matter_only) = (false, Vec::new());
    // From all over the batch: the first of each tenth, then the second, and so on.
    let apart = full.len().div_ceil(10).max(1);
    let spread = (0..apart).flat_map(|start| full.iter().skip(start).step_by(apart));
    for device in spread.copied() {
        let Some(verifier) = verifiers.values.get(device) else {
            continue;
        };
        let secret = case.values.get(device).map_or("", String::as_str);
        let matter = text(Role::Salt, device).zip(text(Role::Iterations, device));
        let (answer, cost) = if verifier.starts_with('$') {
            of_phc(verifier, secret, &mut blocks)
        } else {
            matter.map_or((Answer::Unknown, 1), |beside| {
                of_matter(
                    verifier,
                    secret,
                    beside,
                    !is_known_form && of_matter_only.len() < 2,
                )
            })
        };
        steps += cost;
        match answer {
            Answer::Belongs => {
                looked += 1;
                is_known_form = true;
            }
            Answer::Published => {
                looked += 1;
                is_known_form = true;
                others.push(device);
            }
            Answer::Other if verifier.starts_with('$') => {
                looked += 1;
                others.push(device);
            }
            Answer::Other => of_matter_only.push(device),
            Answer::Unknown => {}
        }
        if steps >= most {
            break;
        }
    }
    if is_known_form {
        looked += of_matter_only.len();
        others.append(&mut of_matter_only);
    } else if !of_matter_only.is_empty() {
        let why = format!(
            "none of {} that were computed is that of its password: they are in another form, or all of them are wrong",
            of_matter_only.len()
        );
        case.cannot(notes, TEST, why);
    }
    if of_matter_only.is_empty() && looked < full.len() {
        let why = format!(
            "computed for {looked} of {}: the others cost too much, or are in no form that is known",
            full.len()
        );
        case.cannot(notes, TEST, why);
    }
    if others.is_empty() {
        return;
    }
    let evidence = format!(
        "{} of {looked} verifiers that were computed anew are not those of the passwords beside them",
        others.len()
    );
    let numbers = (others.len(), looked);
    case.find(
        notes,
        (&[Prohibition::Guessable], Kind::Verifier),
        numbers,
        &others,
        &evidence,
    );
}

fn of_phc(verifier: &str, secret: &str, blocks: &mut Vec<Block>) -> (Answer, u64) {
    let Ok(verifier) = Verifier::from_phc(verifier) else {
        return (Answer::Unknown, 1);
    };
    let cost = verifier.cost();
    let (memory, passes) = (cost.memory_kib(), cost.passes());
    let steps = u64::from(memory).saturating_mul(u64::from(passes)) * STEPS_OF_A_BLOCK;
    let Some(memory) = usize::try_from(memory).ok().filter(|_| steps <= MOST_STEPS) else {
        return (Answer::Unknown, 1);
    };
    if blocks.len() < memory {
        *blocks = vec![Block::new(); memory];
    }
    // As it is printed, and without hyphens.
    let bare = bare(secret);
    let forms = [secret, bare.as_str()];
    let matches = |form: &&str| verifier.matches(form.as_bytes(), blocks) == Ok(true);
    let answer = if forms.iter().any(matches) {
        Answer::Belongs
    } else {
        Answer::Other
    };
    (answer, steps * 2)
}

fn of_matter(
    verifier: &str,
    secret: &str,
    (salt, iterations): (&str, &str),
    asks_published: bool,
) -> (Answer, u64) {
    let unknown = (Answer::Unknown, 1);
    let passcode = secret.parse::<u32>().ok().filter(|_| secret.len() == 8);
    let iterations = iterations.parse::<u32>().ok();
    let iterations = iterations.filter(|number| (1..=MOST_ITERATIONS).contains(number));
    let parts = (bytes(verifier), bytes(salt));
    let (Some(passcode), Some(iterations), (Some(verifier), Some(salt))) = (passcode, iterations, parts)
    else {
        return unknown;
    };
    let Some((w0, l)) = verifier.split_at_checked(32).filter(|(_, l)| l.len() == 65) else {
        return unknown;
    };
    let is_of = |code| {
        spake2p_verifier(code, &salt, iterations)
            .is_ok_and(|computed| computed.0.expose() == w0 && computed.1.expose() == l)
    };
    let mut cost = u64::from(iterations);
    if is_of(passcode) {
        return (Answer::Belongs, cost);
    }
    if !asks_published {
        return (Answer::Other, cost);
    }
    // The codes that whole batches are left with.
    cost *= 1 + PUBLISHED.len() as u64;
    let answer = if PUBLISHED.into_iter().any(is_of) {
        Answer::Published
    } else {
        Answer::Other
    };
    (answer, cost)
}

/// Of hexadecimal digits or Base64.
fn bytes(text: &str) -> Option<Vec<u8>> {
    bytes_of(text).or_else(|| {
        let mut out = vec![0; text.len()];
        let len = Base64::decode(text, &mut out).ok()?.len();
        out.truncate(len);
        Some(out)
    })
}

const TEST: &str = "whether verifiers are those of the passwords";
/// What is computed at most, in iterations of PBKDF2: some seconds.
const MOST_STEPS: u64 = 4_000_000;
/// Filling a block of Argon2id once, in the same.
const STEPS_OF_A_BLOCK: u64 = 2;
/// Iterations of one verifier; Matter allows as many.
const MOST_ITERATIONS: u32 = 100_000;

#[cfg(test)]
mod tests {
    use std::string::ToString;

    use super::super::{Batch, Columns, Report, Settings, audit};
    use super::*;
    use crate::credential::Cost;
    use crate::credential::hexadecimal::digits_of;

    fn audited(header: &str, rows: impl Iterator<Item = String>) -> Report {
        let table = rows.fold(format!("{header}\n"), |table, row| table + &row + "\n");
        let batch = Batch::read(table.as_bytes(), &Columns::default()).expect("a batch");
        audit(
            &batch,
            &Settings {
                depth: Depth::Quick,
                ..Settings::default()
            },
            &|_| (),
        )
    }

    fn others(report: &Report) -> Option<(usize, usize)> {
        let is_ours = |finding: &&super::super::Finding| finding.evidence.contains("computed anew");
        let found = report.findings.iter().find(is_ours);
        found.map(|found| (found.devices, found.of))
    }

    /// Numbers that look random, from a place.
    fn mixed(at: u64) -> u64 {
        let mut hash = std::hash::DefaultHasher::new();
        std::hash::Hasher::write_u64(&mut hash, at);
        std::hash::Hasher::finish(&hash)
    }

    fn phc(secret: &str, at: u64) -> String {
        let mut salt = [0; 16];
        salt[..8].copy_from_slice(&mixed(at + 1000).to_le_bytes());
        salt[8..].copy_from_slice(&mixed(at + 2000).to_le_bytes());
        let mut blocks = vec![Block::new(); 32];
        let verifier = Verifier::of_issued(secret.as_bytes(), salt, Cost::KIB_32, &mut blocks).expect("made");
        let mut out = [0; crate::credential::LONGEST_PHC];
        verifier.write_phc(&mut out).expect("fits").to_string()
    }

    //= compliance/requirements.md#cred-49
    //= type=test
    //# Salts and verifiers that devices share or that are published, verifiers that are not those of the passwords beside them, and too few iterations, MUST be found where the batch gives them.
    #[test]
    fn mistake_11_a_phc_string_of_another_password_is_found() {
        let row = |stale: u64| {
            move |at: u64| {
                let password = format!("{:016x}", mixed(at));
                let hashed = if at % 20 == stale {
                    "factory-default".into()
                } else {
                    password.clone()
                };
                // A comma stands in the string.
                format!("SN{at:05},{password},\"{}\"", phc(&hashed, at))
            }
        };
        let header = "serial,password,verifier";
        assert_eq!(others(&audited(header, (0..60).map(row(7)))), Some((3, 60)));
        assert_eq!(others(&audited(header, (0..60).map(row(99)))), None);
    }

    #[test]
    fn mistake_11_a_setup_verifier_of_another_passcode_is_found_in_either_notation() {
        const ALL: u64 = 1000;
        for in_base_64 in [false, true] {
            for stale in [3, 99, ALL] {
                let row = |at: u64| {
                    let passcode = u32::try_from(1 + mixed(at) % 99_999_998).expect("small");
                    let hashed = if at % 10 == stale || stale == ALL {
                        20_202_021
                    } else {
                        passcode
                    };
                    let salt: Vec<u8> = (0..4)
                        .flat_map(|part| mixed(at + 500 * (part + 1)).to_le_bytes())
                        .collect();
                    let (w0, l) = spake2p_verifier(hashed, &salt, 1000).expect("derived");
                    let whole = [&w0.expose()[..], &l.expose()[..]].concat();
                    let text = |bytes: &[u8]| {
                        if in_base_64 {
                            let mut out = [0; 200];
                            Base64::encode(bytes, &mut out).expect("fits").to_string()
                        } else {
                            digits_of(bytes)
                        }
                    };
                    format!("SN{at:05},{passcode:08},{},1000,{}", text(&salt), text(&whole))
                };
                let report = audited("serial,pin,salt,iterations,verifier", (0..40).map(row));
                let expected = [(3, (4, 40)), (ALL, (40, 40))];
                let expected = expected
                    .iter()
                    .find(|(which, _)| *which == stale)
                    .map(|(_, found)| *found);
                assert_eq!(others(&report), expected, "{stale} {in_base_64}");
            }
        }
    }

    #[test]
    fn bytes_of_which_none_is_a_verifier_are_said_to_be_another_form_and_are_no_finding() {
        let bytes = |at: u64| {
            (0..13)
                .map(move |part| mixed(at * 13 + part))
                .flat_map(u64::to_le_bytes)
        };
        let row = |at: u64| {
            let (salt, whole): (Vec<u8>, Vec<u8>) =
                (bytes(at).take(16).collect(), bytes(at + 100).take(97).collect());
            let passcode = 1 + mixed(at) % 99_999_998;
            format!(
                "SN{at:05},{passcode:08},{},1000,{}",
                digits_of(&salt),
                digits_of(&whole)
            )
        };
        let report = audited("serial,pin,salt,iterations,verifier", (0..40).map(row));
        assert_eq!(others(&report), None);
        assert!(
            report
                .undecided
                .iter()
                .any(|undecided| undecided.test == TEST && undecided.why.contains("none of 40"))
        );
    }

    #[test]
    fn what_cannot_be_computed_is_said_and_is_no_finding() {
        let row = |at: u64| format!("SN{at:05},{:016x},{:064x}", mixed(at), u128::from(mixed(at + 9)));
        let report = audited("serial,password,verifier", (0..40).map(row));
        assert_eq!(others(&report), None);
        assert!(
            report
                .undecided
                .iter()
                .any(|undecided| undecided.test == TEST && undecided.why.contains("0 of 40"))
        );
        // A cost that would take hours.
        let row = |at: u64| {
            format!(
                "SN{at:05},{:016x},\"$argon2id$v=19$m=1048576,t=16,p=1$c29tZXNhbHRzb21lc2FsdA$aGFzaGhhc2hoYXNoaGFzaGhhc2hoYXNoaGFzaGhhc2g\"",
                mixed(at)
            )
        };
        let report = audited("serial,password,verifier", (0..40).map(row));
        assert_eq!(others(&report), None);
    }
}

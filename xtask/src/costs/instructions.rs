//! What an instruction does to the stack and whom it calls, for Thumb (Cortex-M) and RISC-V, as `llvm-objdump` prints it.
//!
//! ```text
//!  costs
//!    frames
//!    instructions  (this file)
//! ```

use std::collections::BTreeMap;

/// Whom an instruction calls, or goes on with.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Calls {
    Nobody,
    Name(String),
    /// A place within a function: its own, or something is wrong.
    Within(String),
    Address(u64),
    /// Through a pointer that came from elsewhere.
    Unknown,
}

/// What an instruction does.
pub(super) struct Step {
    /// Bytes that it takes of the stack.
    pub(super) grows: u64,
    pub(super) calls: Calls,
}

/// Reads the instructions of one function after the other, and knows the numbers that registers were given.
pub(super) struct Reader {
    /// Words of literal pools, by their addresses.
    words: BTreeMap<u64, u32>,
    registers: BTreeMap<String, u32>,
}

/// Instructions whose first operand is not what they write.
const READS: [&str; 8] = ["str", "cmp", "cmn", "tst", "stm", "push", "cb", "b"];

impl Reader {
    pub(super) fn new(disassembly: &str) -> Self {
        let words = disassembly.lines().filter_map(|line| {
            let (address, rest) = line.trim_start().split_once(':')?;
            let word = rest.split_once(".word")?.1.trim().strip_prefix("0x")?;
            let address = u64::from_str_radix(address, 16).ok()?;
            Some((address, u32::from_str_radix(word, 16).ok()?))
        });
        Self {
            words: words.collect(),
            registers: BTreeMap::new(),
        }
    }

    /// What registers hold is not known any more.
    pub(super) fn begin_function(&mut self) {
        self.registers.clear();
    }

    pub(super) fn read(&mut self, line: &str) -> Result<Step, String> {
        let nothing = Step {
            grows: 0,
            calls: Calls::Nobody,
        };
        let Some((_, instruction)) = line.split_once(':') else {
            return Ok(nothing);
        };
        let instruction = instruction.trim();
        let (what, with) = instruction
            .split_once(char::is_whitespace)
            .unwrap_or((instruction, ""));
        if instruction.contains(".word") || instruction.contains(".short") || instruction.contains(".byte") {
            return Ok(nothing);
        }
        // What fills the gaps between functions reads as a short conditional branch, and no call is one: its reach is 256 bytes.
        if what.len() == 3 && what.starts_with('b') && !["b.w", "blx", "bic"].contains(&what) {
            return Ok(nothing);
        }
        let (with, remark) = with.split_once('@').unwrap_or((with, ""));
        let (what, with) = (what.trim_end_matches(".w"), with.trim());
        let step = Step {
            grows: self.grows(what, with)?,
            calls: self.calls(what, with),
        };
        self.keep(what, with, remark.trim());
        Ok(step)
    }

    fn grows(&self, what: &str, with: &str) -> Result<u64, String> {
        let size = if what.starts_with("vpush") || what.starts_with("vstmdb") {
            8
        } else {
            4
        };
        if what.contains("push") || what.contains("stmdb") && with.starts_with("sp!") {
            return Ok(size * listed(with)?);
        }
        if what.starts_with("str") && with.contains("[sp, #-") && with.ends_with('!') {
            return number(with.rsplit_once('#').map_or("", |(_, number)| number)).map(u64::from);
        }
        let Some(operands) = with.strip_prefix("sp, ") else {
            return Ok(0);
        };
        let operands = operands.strip_prefix("sp, ").unwrap_or(operands);
        let amount = operands.trim_start_matches('#');
        let is_number = amount.starts_with(|c: char| c.is_ascii_digit() || c == '-');
        let known = if is_number {
            Some(number(amount)?.cast_signed() * if amount.starts_with('-') { -1 } else { 1 })
        } else {
            self.registers.get(amount).map(|value| value.cast_signed())
        };
        let by = match what {
            "sub" | "subw" => known.map(|known| -known),
            "add" | "addw" | "addi" => known,
            // Rounded down, for values of so many bytes.
            "andi" if amount.starts_with('-') => return number(amount).map(u64::from),
            // Where a frame ends that another register has held, or the program begins; and what begins there and leaves it.
            "mov" | "mv" | "auipc" | "stm" | "ldm" | "cmp" => return Ok(0),
            _ => return Err(format!("{what} changes the stack pointer")),
        };
        match by {
            Some(by) if by < 0 => Ok(u64::from(by.unsigned_abs())),
            Some(_) => Ok(0),
            // `addi sp, s0, -16`: where a frame ends that another register has held.
            None if what == "addi" => Ok(0),
            None => Err("a frame of a size that only the running program knows".to_owned()),
        }
    }

    fn calls(&self, what: &str, with: &str) -> Calls {
        let jumps = ["bl", "blx", "b", "bx", "jal", "jalr", "j", "jr", "tail", "call"].contains(&what)
            || what.len() == 3 && what.starts_with('b');
        if !jumps {
            return Calls::Nobody;
        }
        if let Some((_, name)) = with.split_once('<') {
            let name = name.strip_suffix('>').unwrap_or(name);
            return match name.rsplit_once("+0x") {
                None => Calls::Name(name.to_owned()),
                Some((name, _)) => Calls::Within(name.to_owned()),
            };
        }
        match what {
            "blx" | "bx" if with != "lr" => match self.registers.get(with) {
                Some(address) => Calls::Address(u64::from(address & !1)),
                None => Calls::Unknown,
            },
            "jalr" => Calls::Unknown,
            _ => Calls::Nobody,
        }
    }

    /// Keeps the numbers that registers are given, and forgets those of registers that are given something else.
    fn keep(&mut self, what: &str, with: &str, remark: &str) {
        let (register, rest) = with.split_once(", ").unwrap_or((with, ""));
        let before = self.registers.get(register).copied();
        let value = match what {
            "ldr" if rest.starts_with("[pc") => remark
                .strip_prefix("0x")
                .and_then(|remark| u64::from_str_radix(remark.split(' ').next()?, 16).ok())
                .and_then(|address| self.words.get(&address).copied()),
            "movw" | "li" => signed(rest),
            "movt" => before
                .zip(signed(rest))
                .map(|(low, high)| low & 0xffff | high << 16),
            "lui" => signed(rest).map(|high| high << 12),
            "slli" => rest.split_once(", ").and_then(|(from, by)| {
                let from = self.registers.get(from)?;
                from.checked_shl(signed(by)?)
            }),
            "addi" => rest.split_once(", ").and_then(|(from, more)| {
                let from = self.registers.get(from)?;
                Some(from.wrapping_add(signed(more)?))
            }),
            _ if READS.iter().any(|reads| what.starts_with(reads)) && what != "bic" => return,
            _ => None,
        };
        match value {
            Some(value) => self.registers.insert(register.to_owned(), value),
            None => self.registers.remove(register),
        };
    }
}

/// How many registers a list names: `{r4, r5, r6-r8, lr}`.
fn listed(with: &str) -> Result<u64, String> {
    let inner = with.split(['{', '}']).nth(1).unwrap_or_default();
    let number = |name: &str| match name {
        "sp" => Ok(13),
        "lr" => Ok(14),
        "pc" => Ok(15),
        name => name
            .trim_start_matches(['r', 'd', 's'])
            .parse::<u64>()
            .map_err(|_| format!("{name:?} is no register")),
    };
    let mut count = 0;
    for part in inner.split(',').map(str::trim) {
        count += match part.split_once('-') {
            Some((first, last)) => number(last)? + 1 - number(first)?,
            None => number(part).map(|_| 1)?,
        };
    }
    Ok(count)
}

/// A number without its sign, and whatever stands behind it.
fn number(text: &str) -> Result<u32, String> {
    let text = text.trim_start_matches('-');
    let text = text.split([']', ' ', ',', '!']).next().unwrap_or_default();
    let parsed = match text.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16),
        None => text.parse(),
    };
    parsed.map_err(|_| format!("{text:?} is no number"))
}

/// A number of either sign, as a register holds it.
fn signed(text: &str) -> Option<u32> {
    let text = text.trim_start_matches('#');
    let value = number(text).ok()?;
    Some(if text.starts_with('-') {
        value.wrapping_neg()
    } else {
        value
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What all instructions of a function take of the stack together, and whom they call.
    fn reads(lines: &[&str]) -> Result<(u64, Vec<Calls>), String> {
        let lines: Vec<String> = lines
            .iter()
            .map(|line| format!("   20000:      \t{}", line.replacen(' ', "\t", 1)))
            .collect();
        let mut reader = Reader::new("   20114: 01 03 02 00  \t.word\t0xfffffe08\n");
        let (mut grows, mut calls) = (0, Vec::new());
        for line in &lines {
            let step = reader.read(line)?;
            grows += step.grows;
            if step.calls != Calls::Nobody {
                calls.push(step.calls);
            }
        }
        Ok((grows, calls))
    }

    #[test]
    fn every_way_to_take_of_the_stack_is_counted() {
        for (lines, grows) in [
            (&["push {r4, r6, lr}"][..], 12),
            (&["push.w {r4-r11, lr}"], 36),
            (&["vpush {d8, d9, d10}"], 24),
            (&["stmdb sp!, {r4, r5}"], 8),
            (&["sub sp, #0x1fc"], 508),
            (&["sub.w sp, sp, #0x400"], 1024),
            (&["subw sp, sp, #1028"], 1028),
            (&["str lr, [sp, #-8]!"], 8),
            (&["strd r4, r5, [sp, #-16]!"], 16),
            (
                &["ldr r6, [pc, #0x2c]        @ 0x20114 <a+0x4>", "add sp, r6"],
                504,
            ),
            (&["addi sp, sp, -0x70"], 112),
            (&["li a0, 0x17", "slli a0, a0, 0x8", "sub sp, sp, a0"], 0x1700),
            (&["lui t0, 0x1", "addi t0, t0, -0x10", "sub sp, sp, t0"], 4080),
            (
                &[
                    "add sp, #8",
                    "add.w sp, sp, #8",
                    "addi sp, sp, 0x70",
                    "mov sp, r7",
                    "addi sp, s0, -16",
                ],
                0,
            ),
            (&["add r0, sp, #8", "ldr r0, [sp, #4]", "pop {r4, pc}"], 0),
        ] {
            assert_eq!(reads(lines).map(|(grows, _)| grows), Ok(grows), "{lines:?}");
        }
        for lines in [
            &["sub sp, r4"][..],
            &["bic sp, r4"],
            &["ldr r6, [r0]", "add sp, r6"],
            &["push {x}"],
        ] {
            assert!(reads(lines).is_err(), "{lines:?}");
        }
    }

    #[test]
    fn every_way_to_call_is_seen() {
        let name = |name: &str| vec![Calls::Name(name.to_owned())];
        for (lines, calls) in [
            (&["bl 0x3579c <memcmp>        @ imm = #0x10"][..], name("memcmp")),
            (&["b.w 0x3579c <a::b<c>::d>  @ imm = #0x10"], name("a::b<c>::d")),
            (&["beq.w 0x3579c <a>  @ imm = #0x10"], name("a")),
            (
                &[
                    "bmi 0x3579c <a+0x10>  @ imm = #0x10",
                    "bmi 0x3579c <a>  @ imm = #0x10",
                ],
                vec![],
            ),
            (
                &["b 0x3579c <a+0x10>  @ imm = #0x10"],
                vec![Calls::Within("a".to_owned())],
            ),
            (&["jalr -0x1f4(ra) <a::settle>"], name("a::settle")),
            (&["j 0x15ee6 <a>"], name("a")),
            (
                &["movw r4, #0x301", "movt r4, #0x2", "blx r4"],
                vec![Calls::Address(0x20300)],
            ),
            (
                &["movw r4, #0x301", "ldr r4, [r0]", "blx r4"],
                vec![Calls::Unknown],
            ),
            (&["blx r12"], vec![Calls::Unknown]),
            (&["jalr a0"], vec![Calls::Unknown]),
            (
                &[
                    "bx lr",
                    "ret",
                    "cbz r0, 0x10 <a>",
                    "ldr r0, [pc, #0x2c] @ 0x20b34 <a+0x4>",
                ],
                vec![],
            ),
        ] {
            assert_eq!(reads(lines).map(|(_, calls)| calls), Ok(calls), "{lines:?}");
        }
    }
}

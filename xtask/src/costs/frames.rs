//! The stack that calls take, by the frames in an image: what no run shows, because the rarest way to a depth takes a part that fails just then.
//!
//! ```text
//!  costs
//!    frames   (this file)
//!    sizes    what images there are
//! ```
//!
//! Calls through a pointer are not followed. In these images they are closures of a few words, which say what becomes of a class key.

use std::collections::BTreeMap;

/// Names that only the linker's symbols have.
const RUNS_APART: &str = "stack::apart";
const WIPES: &str = "stack::wipe";

/// A panic comes back to nobody; which there are is for `tests/linked` to say.
const PANICS: &str = "core::panicking";

/// HMAC hashes a key that is longer than a block of 64 bytes. Of ours none is longer than 32.
const NEVER: [(&str, &str); 1] = [("hmac..Hmac", "digest..Digest$GT$::digest")];

/// A function of an image: bytes of its frame, and what it calls, in the order of its instructions.
#[derive(Default)]
struct Function {
    frame: u64,
    calls: Vec<String>,
}

/// The functions of an image.
pub(super) struct Frames(BTreeMap<String, Function>);

/// A wiped stack: who asked for it, how deep its frames go, and how much is wiped.
pub(super) struct Room {
    pub(super) of: String,
    pub(super) frames: u64,
    pub(super) wiped: u64,
    /// With what is wiped within it by itself.
    pub(super) deepest: u64,
}

impl Frames {
    /// Of what `llvm-objdump --disassemble` says of an image for a Cortex-M with 32-bit Thumb.
    pub(super) fn read(disassembly: &str) -> Result<Self, String> {
        let mut functions = BTreeMap::<String, Function>::new();
        let mut name = String::new();
        for line in disassembly.lines() {
            if let Some(begun) = line.strip_suffix(">:").and_then(|line| line.split_once(" <")) {
                begun.1.clone_into(&mut name);
                functions.entry(name.clone()).or_default();
                continue;
            }
            let Some((_, instruction)) = line.split_once(":\t").or_else(|| line.split_once(": ")) else {
                continue;
            };
            let instruction = instruction.trim();
            let (what, with) = instruction
                .split_once(char::is_whitespace)
                .unwrap_or((instruction, ""));
            let function = functions.entry(name.clone()).or_default();
            function.frame += grows(what, with.trim()).map_err(|why| format!("{name}: {line}: {why}"))?;
            if let Some(target) = target(what, with).filter(|target| *target != name) {
                function.calls.push(target);
            }
        }
        if functions.is_empty() {
            return Err("no function in the disassembly".to_owned());
        }
        Ok(Self(functions))
    }

    /// The deepest chain of calls below whoever calls the library, wipes included; of an image that wipes nothing, all that it calls.
    pub(super) fn deepest_of_library(&self) -> Result<u64, String> {
        let mut deepest = 0;
        for name in self.0.keys() {
            if name.contains(RUNS_APART) || name.contains(WIPES) {
                deepest = deepest.max(self.deepest_from(name)?);
            }
        }
        if deepest == 0 {
            self.deepest_from("begin")
        } else {
            Ok(deepest)
        }
    }

    /// The deepest chain of calls from a function on, itself included.
    fn deepest_from(&self, name: &str) -> Result<u64, String> {
        self.deepest(name, false, &mut Vec::new(), &mut BTreeMap::new())
    }

    /// Each place that runs something on a stack that it wipes: the frames of that, without what is wiped within it by itself, and the wipe.
    pub(super) fn rooms(&self) -> Result<Vec<Room>, String> {
        let mut rooms = Vec::new();
        for (name, function) in &self.0 {
            for (at, call) in function.calls.iter().enumerate() {
                if !call.contains(RUNS_APART) {
                    continue;
                }
                let wipe = function.calls.iter().skip(at).find(|call| call.contains(WIPES));
                let wiped = wipe
                    .and_then(|wipe| self.0.get(wipe))
                    .map_or(0, |wipe| wipe.frame);
                let frames = self.deepest(call, true, &mut Vec::new(), &mut BTreeMap::new())?;
                rooms.push(Room {
                    of: name.clone(),
                    frames,
                    wiped,
                    deepest: self.deepest_from(call)?,
                });
            }
        }
        Ok(rooms)
    }

    fn deepest<'a>(
        &'a self,
        name: &'a str,
        is_unwiped: bool,
        above: &mut Vec<&'a str>,
        known: &mut BTreeMap<&'a str, u64>,
    ) -> Result<u64, String> {
        if let Some(depth) = known.get(name) {
            return Ok(*depth);
        }
        if above.contains(&name) {
            return Err(format!("{name} calls itself: {}", above.join(" > ")));
        }
        let Some(function) = self.0.get(name) else {
            return Ok(0);
        };
        above.push(name);
        let mut below = 0;
        for call in &function.calls {
            let wipes_itself = call.contains(RUNS_APART) || call.contains(WIPES);
            let never = NEVER
                .iter()
                .any(|(from, to)| name.contains(from) && call.contains(to));
            if !(is_unwiped && wipes_itself || never || call.contains(PANICS)) {
                below = below.max(self.deepest(call, is_unwiped, above, known)?);
            }
        }
        above.pop();
        known.insert(name, function.frame + below);
        Ok(function.frame + below)
    }
}

/// Bytes that an instruction takes of the stack.
fn grows(what: &str, with: &str) -> Result<u64, String> {
    if what.starts_with("push") {
        return Ok(4 * registers(with)?);
    }
    if what.starts_with("vpush") {
        return Ok(8 * registers(with)?);
    }
    if what.starts_with("sub") && (with.starts_with("sp, #") || with.starts_with("sp, sp, #")) {
        return immediate(with);
    }
    if what.starts_with("str") && with.contains("[sp, #-") && with.ends_with('!') {
        return immediate(with);
    }
    let moves = with.starts_with("sp, ") && (what.starts_with("sub") || what.starts_with("mov"));
    // Registers are added to it where a frame ends that a frame pointer holds.
    if moves && what.starts_with("sub") {
        return Err("a frame of a size that only the running program knows".to_owned());
    }
    Ok(0)
}

/// How many registers a list names: `{r4, r5, r6-r8, lr}`.
fn registers(list: &str) -> Result<u64, String> {
    let inner = list.trim_start_matches('{').split('}').next().unwrap_or_default();
    let number = |name: &str| match name {
        "sp" => Ok(13),
        "lr" => Ok(14),
        "pc" => Ok(15),
        name => name
            .trim_start_matches(['r', 'd', 's'])
            .parse::<u64>()
            .map_err(|_| format!("{name} is no register")),
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

/// The number behind `#`, of either sign.
fn immediate(with: &str) -> Result<u64, String> {
    let number = with.split('#').nth(1).unwrap_or_default();
    let number = number.trim_start_matches('-');
    let number = number.split([']', ' ', ',', '!']).next().unwrap_or_default();
    let parsed = match number.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16),
        None => number.parse(),
    };
    parsed.map_err(|_| format!("{number:?} is no number"))
}

/// What is called or gone on with: `bl 0x1234 <name> @ imm = #0x12`. A jump within a function names the function and a distance.
fn target(what: &str, with: &str) -> Option<String> {
    let is_call = matches!(what, "bl" | "blx" | "b" | "b.w") || what.starts_with('b') && what.ends_with(".w");
    let name = with.split_once('<')?.1;
    let name = name.split_once("> @").map_or(name, |(name, _)| name);
    let name = name.strip_suffix('>').unwrap_or(name);
    let name = name.rsplit_once("+0x").map_or(name, |(name, _)| name);
    is_call.then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const IMAGE: &str = "
00020000 <begin>:
   20000: \tpush\t{r4, r5, r6, r7, lr}
   20002: \tsub.w\tsp, sp, #0x100
   20006: \tbl\t0x20100 <bydesign::stack::apart::h1> @ imm = #0x20
   2000a: \tbl\t0x20200 <bydesign::stack::wipe::h2> @ imm = #0x30
   2000e: \tb.w\t0x20010 <begin+0x10> @ imm = #0x2

00020100 <bydesign::stack::apart::h1>:
   20100: \tpush.w\t{r4, r5, r6, r7, r8-r11, lr}
   20104: \tvpush\t{d8, d9}
   20108: \tsub\tsp, #12
   2010a: \tbl\t0x20300 <seal> @ imm = #0x40
   2010e: \tb.w\t0x20400 <last> @ imm = #0x50

00020200 <bydesign::stack::wipe::h2>:
   20200: \tsub\tsp, #64

00020300 <seal>:
   20300: \tstr\tlr, [sp, #-8]!
   20302: \tbl\t0x20500 <bydesign::stack::apart::h3> @ imm = #0x40
   20306: \tbl\t0x20600 <bydesign::stack::wipe::h4> @ imm = #0x40

00020400 <last>:
   20400: \tbx\tlr

00020500 <bydesign::stack::apart::h3>:
   20500: \tsub.w\tsp, sp, #1000

00020600 <bydesign::stack::wipe::h4>:
   20600: \tsub.w\tsp, sp, #1024
";

    #[test]
    fn frames_are_added_along_the_deepest_chain() {
        let frames = Frames::read(IMAGE).unwrap();
        assert_eq!(frames.deepest_of_library(), Ok(36 + 16 + 12 + 8 + 1024));
        assert_eq!(frames.deepest_from("last"), Ok(0));
        assert_eq!(frames.deepest_from("seal"), Ok(8 + 1024));
        assert_eq!(
            frames.deepest_from("begin"),
            Ok(20 + 256 + 36 + 16 + 12 + 8 + 1024)
        );
    }

    #[test]
    fn a_room_holds_what_is_above_the_rooms_within() {
        let rooms = Frames::read(IMAGE).unwrap().rooms().unwrap();
        let found: Vec<_> = rooms
            .iter()
            .map(|room| (room.of.as_str(), room.frames, room.wiped, room.deepest))
            .collect();
        assert_eq!(found, [("begin", 72, 64, 72 + 1024), ("seal", 1000, 1024, 1000)]);
    }

    #[test]
    fn what_cannot_be_told_is_an_error() {
        let unknown = IMAGE.replace("sub\tsp, #64", "sub\tsp, sp, r4");
        assert!(Frames::read(&unknown).is_err());
        assert!(Frames::read("").is_err());
        let recursive = IMAGE
            .replace("bx\tlr", "bl\t0x20300 <seal> @ imm = #0x1")
            .replace("str\tlr, [sp, #-8]!", "bl\t0x20400 <last> @ imm = #0x1");
        assert!(Frames::read(&recursive).unwrap().deepest_from("begin").is_err());
    }
}

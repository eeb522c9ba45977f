//! The stack that calls take, by the frames in an image: what no run shows, because the rarest way to a depth takes a part that fails just then.
//!
//! ```text
//!  costs
//!    frames        (this file)   chains of calls, and wiped stacks
//!    instructions  what one of them does to the stack, and whom it calls
//! ```

use std::collections::BTreeMap;

use super::instructions::{Calls, Reader};

/// Names that only the linker's symbols have.
const RUNS_APART: &str = "stack::apart";
const WIPES: &str = "stack::wipe";

/// A panic comes back to nobody; which there are is for `tests/linked` to say.
const PANICS: &str = "core::panicking";

/// HMAC hashes a key that is longer than a block of 64 bytes. Of ours none is longer than 32.
const NEVER: [(&str, &str); 1] = [("hmac..Hmac", "digest..Digest$GT$::digest")];

/// What a call through a pointer counts as, because where it leads does not show: closures that say what becomes of a class key, and encoders of values. The
/// deepest that was found in these images is an encoder's, of 284 bytes.
const THROUGH_A_POINTER: u64 = 320;

/// Of what is wiped so many parts more than the frames take: compilers change, and drivers have frames of their own.
const MARGIN: u64 = 20;

/// A function of an image: bytes of its frame, and what it calls, in the order of its instructions.
#[derive(Default)]
struct Function {
    frame: u64,
    calls: Vec<String>,
    has_pointer: bool,
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

impl Room {
    pub(super) fn is_shallow(&self) -> bool {
        self.frames + self.frames / MARGIN > self.wiped
    }
}

impl Frames {
    /// Of what `llvm-objdump --disassemble` says of an image for a Cortex-M or a RISC-V.
    pub(super) fn read(disassembly: &str) -> Result<Self, String> {
        let addresses: BTreeMap<u64, String> = disassembly.lines().filter_map(begun).collect();
        if addresses.is_empty() {
            return Err("no function in the disassembly".to_owned());
        }
        let mut functions: BTreeMap<String, Function> = addresses
            .values()
            .map(|name| (name.clone(), Function::default()))
            .collect();
        let mut reader = Reader::new(disassembly);
        let mut name = String::new();
        for line in disassembly.lines() {
            if let Some((_, begins)) = begun(line) {
                name = begins;
                reader.begin_function();
                continue;
            }
            let Some(function) = functions.get_mut(&name) else {
                continue;
            };
            let told = |why| format!("{name}: {line}: {why}");
            let step = reader.read(line).map_err(told)?;
            function.frame += step.grows;
            let target = match step.calls {
                Calls::Nobody => continue,
                Calls::Name(target) => target,
                Calls::Within(target) if target == name => continue,
                Calls::Within(target) => return Err(told(format!("goes on within {target}"))),
                Calls::Address(address) => match addresses.get(&address) {
                    Some(target) => target.clone(),
                    None => return Err(told(format!("no function begins at {address:#x}"))),
                },
                Calls::Unknown => {
                    function.has_pointer = true;
                    continue;
                }
            };
            if target != name {
                function.calls.push(target);
            }
        }
        let unknown = functions
            .values()
            .flat_map(|function| &function.calls)
            .find(|call| !functions.contains_key(*call));
        match unknown {
            Some(call) => Err(format!("{call:?} is called, and is no function of the image")),
            None => Ok(Self(functions)),
        }
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

    /// Each place that runs something on a stack that it wipes: the frames of that, without what is wiped within it by itself, and the wipe, which
    /// stands behind it.
    pub(super) fn rooms(&self) -> Result<Vec<Room>, String> {
        let mut rooms = Vec::new();
        for (name, function) in &self.0 {
            let of_both = |call: &&String| call.contains(RUNS_APART) || call.contains(WIPES);
            let calls: Vec<&String> = function.calls.iter().filter(of_both).collect();
            for pair in calls.chunks(2) {
                let [call, wipe] = pair else {
                    return Err(format!("{name} wipes a stack that nothing ran on, or leaves one"));
                };
                if !call.contains(RUNS_APART) || !wipe.contains(WIPES) {
                    return Err(format!("{name} calls {call}, then {wipe}: which wipe is whose?"));
                }
                rooms.push(Room {
                    of: name.clone(),
                    frames: self.deepest(call, true, &mut Vec::new(), &mut BTreeMap::new())?,
                    wiped: self.0.get(*wipe).map_or(0, |wipe| wipe.frame),
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
            return Err(format!("no function is called {name}"));
        };
        above.push(name);
        let mut below = if function.has_pointer {
            THROUGH_A_POINTER
        } else {
            0
        };
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

/// `00020000 <name>:`
fn begun(line: &str) -> Option<(u64, String)> {
    let (address, name) = line.strip_suffix(">:")?.split_once(" <")?;
    Some((u64::from_str_radix(address, 16).ok()?, name.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const IMAGE: &str = "
00020000 <begin>:
   20000:      \tpush\t{r4, r5, r6, r7, lr}
   20002:      \tsub.w\tsp, sp, #0x100
   20006:      \tbl\t0x20100 <bydesign::stack::apart::h1> @ imm = #0x20
   2000a:      \tbl\t0x20200 <bydesign::stack::wipe::h2> @ imm = #0x30
   2000e:      \tb.w\t0x20010 <begin+0x10> @ imm = #0x2

00020100 <bydesign::stack::apart::h1>:
   20100:      \tpush.w\t{r4, r5, r6, r7, r8-r11, lr}
   20104:      \tvpush\t{d8, d9}
   20108:      \tsub\tsp, #12
   2010a:      \tldr\tr4, [pc, #0x8]         @ 0x20114 <bydesign::stack::apart::h1+0x14>
   2010c:      \tblx\tr4
   2010e:      \tb.w\t0x20400 <last>        @ imm = #0x50
   20114: 01 03 02 00  \t.word\t0x00020301

00020200 <bydesign::stack::wipe::h2>:
   20200:      \tsub\tsp, #64

00020300 <seal>:
   20300:      \tstr\tlr, [sp, #-8]!
   20302:      \tbl\t0x20500 <bydesign::stack::apart::h3> @ imm = #0x40
   20306:      \tbl\t0x20600 <bydesign::stack::wipe::h4> @ imm = #0x40

00020400 <last>:
   20400:      \tbx\tlr

00020500 <bydesign::stack::apart::h3>:
   20500:      \tsub.w\tsp, sp, #1000

00020600 <bydesign::stack::wipe::h4>:
   20600:      \tsub.w\tsp, sp, #1024
";

    fn rooms(image: &str) -> Result<Vec<(String, u64, u64, u64)>, String> {
        let rooms = Frames::read(image)?.rooms()?;
        let found = rooms
            .into_iter()
            .map(|room| (room.of, room.frames, room.wiped, room.deepest));
        Ok(found.collect())
    }

    #[test]
    fn frames_are_added_along_the_deepest_chain() {
        let frames = Frames::read(IMAGE).unwrap();
        assert_eq!(frames.deepest_from("last"), Ok(0));
        assert_eq!(frames.deepest_from("seal"), Ok(8 + 1024));
        assert_eq!(frames.deepest_of_library(), Ok(36 + 16 + 12 + 8 + 1024));
        assert_eq!(
            frames.deepest_from("begin"),
            Ok(20 + 256 + 36 + 16 + 12 + 8 + 1024)
        );
    }

    #[test]
    fn a_room_holds_what_is_above_the_rooms_within() {
        let found = rooms(IMAGE).unwrap();
        assert_eq!(
            found,
            [
                ("begin".to_owned(), 72, 64, 72 + 1024),
                ("seal".to_owned(), 1000, 1024, 1000)
            ]
        );
    }

    #[test]
    fn a_call_through_a_pointer_counts_as_what_is_called_so_at_most() {
        let pointer = IMAGE.replace(
            "ldr\tr4, [pc, #0x8]         @ 0x20114 <bydesign::stack::apart::h1+0x14>",
            "ldr\tr4, [r0]",
        );
        assert_eq!(rooms(&pointer).unwrap()[0].1, 36 + 16 + 12 + THROUGH_A_POINTER);
    }

    #[test]
    fn a_wipe_that_holds_its_frames_by_a_hair_is_shallow() {
        for (wiped, is_shallow) in [(1049, true), (1050, false)] {
            let room = Room {
                of: String::new(),
                frames: 1000,
                wiped,
                deepest: 0,
            };
            assert_eq!(room.is_shallow(), is_shallow);
        }
    }

    #[test]
    fn what_cannot_be_told_is_an_error() {
        assert!(Frames::read("").is_err());
        for (old, new, why) in [
            ("sub\tsp, #64", "sub\tsp, sp, r4", "a frame of unknown size"),
            ("<last>        @", "<lost>        @", "somebody who is not there"),
            ("0x00020301", "0x00020303", "an address within a function"),
        ] {
            assert_ne!(IMAGE.replace(old, new), IMAGE);
            assert!(Frames::read(&IMAGE.replace(old, new)).is_err(), "{why}");
        }
        let recursive = IMAGE.replace("bx\tlr", "bl\t0x20300 <seal> @ imm = #0x1");
        let recursive = recursive.replace("str\tlr, [sp, #-8]!", "bl\t0x20400 <last> @ imm = #0x1");
        assert!(Frames::read(&recursive).unwrap().deepest_from("begin").is_err());
        for (old, new) in [
            ("bl\t0x20200 <bydesign::stack::wipe::h2>", "bl\t0x20400 <last>"),
            (
                "bl\t0x20500 <bydesign::stack::apart::h3>",
                "bl\t0x20600 <bydesign::stack::wipe::h4>",
            ),
        ] {
            assert!(rooms(&IMAGE.replace(old, new)).is_err(), "{new}");
        }
    }
}

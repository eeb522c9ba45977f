//! One boot in the emulator, and its end.
//!
//! ```text
//!  firmware
//!    emulator (this file)
//!  QEMU
//! ```

use std::fs::File;
use std::io::{BufRead, BufReader, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use super::board::{BLANK, Board, Made};
use super::moment::Moment;

/// As `firmware/src/orders.rs` has it.
pub(super) struct Orders {
    pub(super) seed: u32,
    pub(super) boot: u32,
    pub(super) first: u32,
    pub(super) operations: u32,
    pub(super) root_key: [u8; 32],
    pub(super) code: String,
}

/// How a boot ends.
pub(super) enum End {
    /// The core resets itself after so many ticks, which is the same instruction each time.
    Reset { ticks: u32 },
    /// The board turns itself off at this one of these moments of its flash, or is ended from outside if that is too long in coming.
    Moment { moment: &'static Moment, count: u32 },
    /// The emulator is ended so long after the first line.
    FromOutside { milliseconds: u64 },
    /// When all is done.
    WhenDone,
}

/// How a boot did end.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// All was done.
    Done,
    /// The board's own end, as it was ordered.
    ByItself,
    FromOutside,
}

/// So long a chosen moment is waited for.
const MOMENT_MILLISECONDS: u64 = 1000;
/// A boot takes seconds at most; longer is a device that hangs.
const PATIENCE: Duration = Duration::from_secs(60);

impl Orders {
    fn bytes(&self, end: &End) -> Vec<u8> {
        let ticks = if let End::Reset { ticks } = end { *ticks } else { 0 };
        let mut bytes = b"ORD1".to_vec();
        let (moment, count) = match end {
            End::Moment { moment, count } => (moment.number, *count),
            _ => (0, 0),
        };
        let numbers = [
            self.seed,
            self.boot,
            self.first,
            self.operations,
            ticks,
            moment,
            count,
        ];
        bytes.extend(numbers.into_iter().flat_map(u32::to_le_bytes));
        bytes.extend(self.root_key);
        let mut code = self.code.clone().into_bytes();
        code.resize(32, 0);
        bytes.extend(code);
        bytes
    }
}

/// Runs one boot, and hands on each line of the journal.
pub(super) fn boot(
    board: &Board,
    made: &Made,
    orders: &Orders,
    end: &End,
    line: &mut dyn FnMut(&str) -> Result<(), String>,
) -> Result<Ended, String> {
    let mut qemu = emulator(board, made, orders, end);
    let mut machine = qemu
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| format!("{}: {error}", board.program))?;
    let Some(output) = machine.stdout.take() else {
        return Err("the emulator has no output".to_owned());
    };
    let (send, lines) = channel();
    let reader = thread::spawn(move || {
        let (mut output, mut line) = (BufReader::new(output), Vec::new());
        // A line that power cut short says nothing: what it is about had not begun, or is not known to be done.
        while output.read_until(b'\n', &mut line).is_ok() && line.pop() == Some(b'\n') {
            if send.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                break;
            }
            line.clear();
        }
    });

    let milliseconds = match end {
        End::FromOutside { milliseconds } => Some(*milliseconds),
        End::Moment { .. } => Some(MOMENT_MILLISECONDS),
        End::Reset { .. } | End::WhenDone => None,
    };
    let mut erasing = None;
    let begun = Instant::now();
    let (mut cut_at, mut came_to_its_end, mut was_ended, mut fault) = (None, false, false, None);
    loop {
        let wait_until = cut_at.unwrap_or(begun + PATIENCE);
        match lines.recv_timeout(wait_until.saturating_duration_since(Instant::now())) {
            Ok(text) => {
                if let (None, Some(milliseconds)) = (cut_at, milliseconds) {
                    cut_at = Some(Instant::now() + Duration::from_millis(milliseconds));
                }
                if let Some(unit) = text.strip_prefix("erasing ") {
                    erasing = unit.parse().ok();
                } else if text == "end" && !was_ended {
                    came_to_its_end = true;
                    cut_at = None;
                    was_ended = true;
                    turn_off(board, &mut machine)?;
                } else if fault.is_none() && text != "end" {
                    fault = line(&text).err();
                    if fault.is_some() && !was_ended {
                        was_ended = true;
                        turn_off(board, &mut machine)?;
                    }
                }
            }
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) if cut_at.is_some() && !was_ended => {
                was_ended = true;
                cut_at = None;
                turn_off(board, &mut machine)?;
            }
            Err(RecvTimeoutError::Timeout) => {
                let _ = machine.kill();
                let _ = machine.wait();
                return Err("the device neither ended nor went on".to_owned());
            }
        }
    }
    machine
        .wait()
        .map_err(|error| format!("{}: {error}", board.program))?;
    let _ = reader.join();
    if let (End::Moment { moment, .. }, Some(unit)) = (end, erasing)
        && let Some(half) = moment.erased
    {
        blank(&made.flash, half.of(unit, board.unit_bytes))?;
    }
    match fault {
        Some(fault) => Err(fault),
        None if came_to_its_end => Ok(Ended::Done),
        None if was_ended => Ok(Ended::FromOutside),
        None => Ok(Ended::ByItself),
    }
}

/// The board, with the device's flash in it and the orders in its memory.
fn emulator(board: &Board, made: &Made, orders: &Orders, end: &End) -> Command {
    let mut qemu = Command::new(board.program);
    qemu.args(board.machine);
    qemu.args([
        "-display",
        "none",
        "-monitor",
        "none",
        "-serial",
        "stdio",
        "-no-reboot",
    ]);
    qemu.arg("-drive")
        .arg(format!("{}{}", board.flash, made.flash.display()));
    qemu.arg(board.kernel).arg(&made.image);
    if let End::Reset { .. } = end {
        qemu.args(["-icount", "shift=0"]);
    }
    for (at, eight) in (board.orders..).step_by(8).zip(orders.bytes(end).chunks(8)) {
        let mut number = [0; 8];
        number[..eight.len()].copy_from_slice(eight);
        let number = u64::from_le_bytes(number);
        qemu.arg("-device")
            .arg(format!("loader,addr={at:#x},data={number:#x},data-len=8"));
    }
    qemu
}

/// An erase, as far as it has come.
fn blank(flash: &Path, bytes: Range<usize>) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("{}: {error}", flash.display());
    let mut file = File::options().write(true).open(flash).map_err(failed)?;
    file.seek(SeekFrom::Start(bytes.start as u64)).map_err(failed)?;
    file.write_all(&vec![BLANK; bytes.len()]).map_err(failed)
}

/// Ends the emulator at whatever it is doing.
fn turn_off(board: &Board, machine: &mut Child) -> Result<(), String> {
    let ended = if board.is_asked_to_end {
        let kill = Command::new("kill")
            .args(["-TERM", &machine.id().to_string()])
            .status();
        kill.map(drop)
    } else {
        machine.kill()
    };
    ended.map_err(|error| format!("ending the emulator: {error}"))
}

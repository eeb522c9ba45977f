//! What is open, from the tables of sockets that the Linux kernel shows: `/proc/net/tcp`, `tcp6`, `udp` and `udp6`.
//!
//! ```
//! use bydesign::paper::surface::linux::{Table, open_ports};
//!
//! // In a test on the device: std::fs::read_to_string("/proc/net/tcp")
//! let text = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n   \
//!    0: 00000000:01BB 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 17 1 0 100 0 0 10 0\n";
//! let open: Vec<_> = open_ports(Table::Tcp, text).collect::<Result<_, _>>()?;
//! assert_eq!((open[0].number, open.len()), (443, 1));
//! # Ok::<(), bydesign::paper::surface::linux::Unreadable>(())
//! ```
//!
//! Open is a TCP socket that listens, and a UDP socket that takes datagrams from anybody. One that talks to one peer is not.
//!
//! The tables are those of one network namespace, and addresses in them are in the byte order of the machine: read them where the device's services
//! run. A kernel without IPv6 has no tables for it.
//!
//! ```text
//!  linux    (this file)
//!  surface
//! ```

use core::iter::FusedIterator;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use core::num::NonZeroU32;
use core::str::SplitInclusive;

use super::{OpenPort, Transport};

/// One of the kernel's tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Table {
    /// `/proc/net/tcp`.
    Tcp,
    /// `/proc/net/tcp6`.
    Tcp6,
    /// `/proc/net/udp`.
    Udp,
    /// `/proc/net/udp6`.
    Udp6,
}

impl Table {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Tcp, Self::Tcp6, Self::Udp, Self::Udp6];

    /// Where it is.
    #[must_use]
    pub const fn path(self) -> &'static str {
        match self {
            Self::Tcp => "/proc/net/tcp",
            Self::Tcp6 => "/proc/net/tcp6",
            Self::Udp => "/proc/net/udp",
            Self::Udp6 => "/proc/net/udp6",
        }
    }

    const fn transport(self) -> Transport {
        match self {
            Self::Tcp | Self::Tcp6 => Transport::Tcp,
            Self::Udp | Self::Udp6 => Transport::Udp,
        }
    }

    const fn is_of_version_6(self) -> bool {
        matches!(self, Self::Tcp6 | Self::Udp6)
    }
}

/// Why a table is not read: nothing is known of what is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct Unreadable {
    /// The line, from 1.
    pub line: NonZeroU32,
    /// What is wrong with it.
    pub reason: Reason,
}

/// What is wrong with a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// The table is empty or has another head.
    #[error("not the head of this table")]
    Head,
    /// The line does not end: the table was cut.
    #[error("the line does not end, so the table was cut")]
    Cut,
    /// It has another form.
    #[error("not a row of this table")]
    Row,
    /// A state that sockets of this kind do not have.
    #[error("no state of a socket")]
    State,
}

/// The ports that a table shows as open, in its order. After an error there is nothing more.
///
/// # Errors
///
/// [`Unreadable`] for the first line that is not as the kernel writes it.
#[must_use]
pub fn open_ports(table: Table, text: &str) -> OpenPorts<'_> {
    OpenPorts {
        table,
        lines: text.split_inclusive('\n'),
        line: NonZeroU32::MIN,
        state: State::Head,
    }
}

/// The ports of a table, one after the other; made by [`open_ports`].
#[derive(Clone, Debug)]
pub struct OpenPorts<'a> {
    table: Table,
    lines: SplitInclusive<'a, char>,
    line: NonZeroU32,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Head,
    Rows,
    Done,
}

impl Iterator for OpenPorts<'_> {
    type Item = Result<OpenPort, Unreadable>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.state != State::Done {
            match self.step() {
                Ok(Some(open)) => return Some(Ok(open)),
                Ok(None) => {}
                Err(reason) => {
                    self.state = State::Done;
                    return Some(Err(Unreadable {
                        line: self.line,
                        reason,
                    }));
                }
            }
        }
        None
    }
}

impl FusedIterator for OpenPorts<'_> {}

impl OpenPorts<'_> {
    /// Takes a line.
    //= compliance/requirements.md#paper-7
    //# A table of sockets that is cut or not as the kernel writes it MUST be refused with its line, and MUST NOT pass for one in which nothing is open.
    fn step(&mut self) -> Result<Option<OpenPort>, Reason> {
        let Some(line) = self.lines.next() else {
            let is_whole = self.state == State::Rows;
            self.state = State::Done;
            return if is_whole { Ok(None) } else { Err(Reason::Head) };
        };
        let is_first = self.state == State::Head;
        if !is_first {
            self.line = self.line.saturating_add(1);
        }
        self.state = State::Rows;
        let line = line.strip_suffix('\n').ok_or(Reason::Cut)?;
        // Between its columns the kernel writes spaces and nothing else.
        let is_plain = line.bytes().all(|byte| matches!(byte, b' '..=b'~'));
        match is_first {
            true if is_plain && self.is_head(line) => Ok(None),
            true => Err(Reason::Head),
            false if is_plain => self.row(line),
            false => Err(Reason::Row),
        }
    }

    fn is_head(&self, line: &str) -> bool {
        let remote = if self.table.is_of_version_6() {
            "remote_address"
        } else {
            "rem_address"
        };
        let first = [
            "sl",
            "local_address",
            remote,
            "st",
            "tx_queue",
            "rx_queue",
            "tr",
            "tm->when",
            "retrnsmt",
            "uid",
            "timeout",
            "inode",
        ];
        let mut words = line.split_ascii_whitespace();
        first.into_iter().all(|name| words.next() == Some(name))
            && match self.table.transport() {
                Transport::Tcp => words.next().is_none(),
                Transport::Udp => words.eq(["ref", "pointer", "drops"]),
            }
    }

    fn row(&self, line: &str) -> Result<Option<OpenPort>, Reason> {
        let mut words = line.split_ascii_whitespace();
        let mut next = || words.next().ok_or(Reason::Row);
        let slot = next()?.strip_suffix(':').ok_or(Reason::Row)?;
        let (address, number) = self.socket(next()?).ok_or(Reason::Row)?;
        self.socket(next()?).ok_or(Reason::Row)?;
        let state = next()?;
        let (queues, timer, retransmits) = (next()?, next()?, next()?);
        let decimals = [slot, next()?, next()?, next()?, next()?];
        let is_row = is_pair(queues, 8, 8)
            && is_pair(timer, 2, 8)
            && is_hexadecimal(retransmits, 8)
            && decimals
                .iter()
                .all(|word| !word.is_empty() && word.bytes().all(|digit| digit.is_ascii_digit()))
            && words.next().is_some();
        if !is_row || !is_hexadecimal(state, 2) {
            return Err(Reason::Row);
        }
        let state = u8::from_str_radix(state, 16).map_err(|_| Reason::State)?;
        let is_open = match self.table.transport() {
            Transport::Tcp if (1..=LAST_STATE).contains(&state) => state == LISTEN,
            Transport::Udp if matches!(state, ESTABLISHED | CLOSE) => state == CLOSE,
            _ => return Err(Reason::State),
        };
        Ok(is_open.then_some(OpenPort {
            transport: self.table.transport(),
            address,
            number,
        }))
    }

    /// `0100007F:01BB`: words of the address in the machine's byte order, and the port's digits.
    fn socket(&self, text: &str) -> Option<(IpAddr, u16)> {
        let (address, number) = text.split_once(':')?;
        if !is_hexadecimal(number, 4) {
            return None;
        }
        let number = u16::from_str_radix(number, 16).ok()?;
        let word = |digits: &str| u32::from_str_radix(digits, 16).map(u32::to_ne_bytes).ok();
        let address = if self.table.is_of_version_6() {
            if !is_hexadecimal(address, 32) {
                return None;
            }
            let (high, low) = address.split_at_checked(16)?;
            let ((a, b), (c, d)) = (high.split_at_checked(8)?, low.split_at_checked(8)?);
            let mut bytes = [0; 16];
            for (place, digits) in bytes.chunks_exact_mut(4).zip([a, b, c, d]) {
                place.copy_from_slice(&word(digits)?);
            }
            IpAddr::V6(Ipv6Addr::from(bytes))
        } else {
            if !is_hexadecimal(address, 8) {
                return None;
            }
            IpAddr::V4(Ipv4Addr::from(word(address)?))
        };
        Some((address, number))
    }
}

fn is_hexadecimal(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|digit| digit.is_ascii_hexdigit())
}

fn is_pair(text: &str, first: usize, second: usize) -> bool {
    text.split_once(':')
        .is_some_and(|(one, other)| is_hexadecimal(one, first) && is_hexadecimal(other, second))
}

// States of sockets, as the kernel numbers them.
const ESTABLISHED: u8 = 1;
/// Of UDP: bound, and with no peer.
const CLOSE: u8 = 7;
const LISTEN: u8 = 10;
/// Bound and not listening, since Linux 6.6.
const LAST_STATE: u8 = 13;

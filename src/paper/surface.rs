//! What of a device is open, declared as a constant of its firmware, and compared with what is.
//!
//! ```
//! use bydesign::paper::surface::{DebugPort, DebugState, Interface, Observed, OpenPort, Port, Reach, Service, Surface, Use};
//!
//! const SURFACE: Surface<'_> = Surface {
//!     interfaces: &[
//!         Interface { name: "wlan0", used: Use::For("the owner's network") },
//!         Interface { name: "uart1", used: Use::Disabled },
//!     ],
//!     services: &[Service {
//!         name: "settings page",
//!         why: "the owner changes settings in a browser",
//!         ports: &[Port::tcp(443, Reach::Network)],
//!     }],
//!     debug: &[DebugPort { name: "SWD", state: DebugState::Disabled }],
//! }
//! .checked();
//!
//! // A test on the device found these, and one that nobody declared.
//! let open = [OpenPort::tcp(443, [0, 0, 0, 0]), OpenPort::tcp(23, [0, 0, 0, 0])];
//! let observed = Observed::new(&open).interfaces(&["wlan0"]).debug(&[("SWD", DebugState::Disabled)]);
//! let mut differences = Vec::new();
//! SURFACE.compare(&observed, |difference| differences.push(difference.to_string()));
//! assert_eq!(differences, ["TCP port 23 is open to the network (0.0.0.0), and not declared"]);
//! ```
//!
//! On Linux, [`linux`] reads what is open from the kernel's own tables; on other systems the test fills [`OpenPort`]s from what its network
//! stack knows, or from a scan from outside. A device with several states, such as one that is being set up, has a constant for each.
//!
//! # Security
//!
//! Against drift: a service that came with a library, a debug port that was left for a day. Not against firmware that lies to the test, and
//! no judgement whether what is declared is needed. Sockets that are neither TCP nor UDP are not looked at (raw and packet sockets, Bluetooth, Unix
//! sockets), nor is anything that the table of another network namespace holds.
//!
//! Serves CoP 6; EN 303 645 5.6-1, 5.6-4A, 5.6-5.
//!
//! ```text
//!  compare       declared and found
//!  linux         the kernel's tables of sockets
//!  surface       (this file)
//! ```

mod compare;
pub mod linux;

use core::fmt;
use core::net::{IpAddr, Ipv4Addr};

pub use compare::Difference;

/// What of a device is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Surface<'a> {
    /// Every interface that the hardware has, those that are not used included.
    pub interfaces: &'a [Interface<'a>],
    /// Every service that listens.
    pub services: &'a [Service<'a>],
    /// Every debug interface, closed ones included.
    pub debug: &'a [DebugPort<'a>],
}

/// A network, radio or physical interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interface<'a> {
    /// Its name in the system, as in `wlan0`.
    pub name: &'a str,
    /// What it is for.
    pub used: Use<'a>,
}

/// What an interface is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use<'a> {
    /// It is needed for this.
    For(&'a str),
    /// It is needed for nothing, and disabled.
    Disabled,
}

/// Software that others can reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Service<'a> {
    /// Its name.
    pub name: &'a str,
    /// Why the device needs it.
    pub why: &'a str,
    /// The ports that it opens.
    pub ports: &'a [Port],
}

/// A declared port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Port {
    /// The protocol.
    pub transport: Transport,
    /// The number.
    pub number: u16,
    /// From where it can be reached.
    pub reach: Reach,
}

impl Port {
    /// A port of TCP.
    #[must_use]
    pub const fn tcp(number: u16, reach: Reach) -> Self {
        Self {
            transport: Transport::Tcp,
            number,
            reach,
        }
    }

    /// A port of UDP.
    #[must_use]
    pub const fn udp(number: u16, reach: Reach) -> Self {
        Self {
            transport: Transport::Udp,
            number,
            reach,
        }
    }
}

/// A protocol with ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

/// From where a port can be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// From programs on the device itself.
    Itself,
    /// From a network.
    Network,
}

/// A debug interface: JTAG, SWD, a console.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DebugPort<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its state in the field.
    pub state: DebugState,
}

/// The state of a debug interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DebugState {
    /// It answers nobody.
    Disabled,
    /// It answers whoever authenticates.
    Authenticated,
    /// It answers everybody: for development, and a finding in the field.
    Open,
}

impl<'a> Surface<'a> {
    /// The same, looked at by the compiler: everything has a name and a reason, and nothing is there twice.
    ///
    /// # Panics
    ///
    /// If it is not so: in a constant, an error of the compiler.
    #[must_use]
    pub const fn checked(self) -> Self {
        let mut at = 0;
        while at < self.services.len() {
            let Some((service, _)) = rest_of(self.services, at) else {
                break;
            };
            assert!(!service.name.is_empty(), "a service has a name");
            assert!(!service.why.is_empty(), "a service has a reason to be there");
            assert!(
                !service.ports.is_empty(),
                "a service that opens no port is not reached"
            );
            let mut port = 0;
            while port < service.ports.len() {
                let Some((own, others)) = rest_of(service.ports, port) else {
                    break;
                };
                assert!(own.number != 0, "no port has the number 0");
                assert!(!holds(others, *own), "a port is declared once");
                let mut other = at + 1;
                while other < self.services.len() {
                    let Some((service, _)) = rest_of(self.services, other) else {
                        break;
                    };
                    assert!(!holds(service.ports, *own), "a port is declared once");
                    other += 1;
                }
                port += 1;
            }
            at += 1;
        }
        let mut at = 0;
        while at < self.interfaces.len() {
            let Some((interface, _)) = rest_of(self.interfaces, at) else {
                break;
            };
            assert!(!interface.name.is_empty(), "an interface has a name");
            if let Use::For(why) = interface.used {
                assert!(!why.is_empty(), "an interface has a use, or is disabled");
            }
            at += 1;
        }
        let mut at = 0;
        while at < self.debug.len() {
            let Some((debug, _)) = rest_of(self.debug, at) else {
                break;
            };
            assert!(!debug.name.is_empty(), "a debug interface has a name");
            at += 1;
        }
        self
    }

    /// Tells every difference between what is declared and what was found: ports by number, protocol and reach, and interfaces and debug
    /// interfaces by name, where the test looked at them. What it did not look at is told as well.
    pub fn compare(&self, observed: &Observed<'a>, found: impl FnMut(Difference<'a>)) {
        compare::compare(self, observed, found);
    }
}

/// What a test found.
#[derive(Clone, Copy, Debug)]
pub struct Observed<'a> {
    ports: &'a [OpenPort],
    interfaces: Option<&'a [&'a str]>,
    debug: Option<&'a [(&'a str, DebugState)]>,
}

impl<'a> Observed<'a> {
    /// The ports that are open, all of them.
    #[must_use]
    pub const fn new(ports: &'a [OpenPort]) -> Self {
        Self {
            ports,
            interfaces: None,
            debug: None,
        }
    }

    /// The names of the interfaces that are up, all of them.
    #[must_use]
    pub const fn interfaces(mut self, names: &'a [&'a str]) -> Self {
        self.interfaces = Some(names);
        self
    }

    /// The debug interfaces and the state that the part's registers or a probe say each is in.
    #[must_use]
    pub const fn debug(mut self, states: &'a [(&'a str, DebugState)]) -> Self {
        self.debug = Some(states);
        self
    }
}

/// A port that is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenPort {
    /// The protocol.
    pub transport: Transport,
    /// The address that it is bound to.
    pub address: IpAddr,
    /// The number.
    pub number: u16,
}

impl OpenPort {
    /// A port of TCP on an address of IPv4.
    #[must_use]
    pub const fn tcp(number: u16, address: [u8; 4]) -> Self {
        Self::on(Transport::Tcp, number, address)
    }

    /// A port of UDP on an address of IPv4.
    #[must_use]
    pub const fn udp(number: u16, address: [u8; 4]) -> Self {
        Self::on(Transport::Udp, number, address)
    }

    const fn on(transport: Transport, number: u16, [a, b, c, d]: [u8; 4]) -> Self {
        Self {
            transport,
            address: IpAddr::V4(Ipv4Addr::new(a, b, c, d)),
            number,
        }
    }

    /// From where it can be reached.
    #[must_use]
    pub fn reach(&self) -> Reach {
        if self.address.to_canonical().is_loopback() {
            Reach::Itself
        } else {
            Reach::Network
        }
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Tcp => "TCP",
            Self::Udp => "UDP",
        })
    }
}

impl fmt::Display for Reach {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Itself => "the device itself",
            Self::Network => "the network",
        })
    }
}

impl fmt::Display for DebugState {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Disabled => "disabled",
            Self::Authenticated => "open to whoever authenticates",
            Self::Open => "open to everybody",
        })
    }
}

/// One of a list, and those behind it; for constants, where there are no iterators.
const fn rest_of<T>(list: &[T], at: usize) -> Option<(&T, &[T])> {
    list.split_at(at).1.split_first()
}

const fn holds(ports: &[Port], port: Port) -> bool {
    let mut at = 0;
    while let Some((other, _)) = rest_of(ports, at) {
        let is_same = matches!(
            (other.transport, port.transport),
            (Transport::Tcp, Transport::Tcp) | (Transport::Udp, Transport::Udp)
        );
        if is_same && other.number == port.number {
            return true;
        }
        at += 1;
    }
    false
}

//! Declared and found.
//!
//! ```text
//!  compare  (this file)
//!  surface
//! ```

use core::fmt;

use super::{DebugState, Observed, OpenPort, Port, Reach, Surface, Use};

/// A difference between what is declared and what was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Difference<'a> {
    /// A port is open, and no service declares it.
    UndeclaredPort(OpenPort),
    /// A port is open to more than its service declares.
    WiderPort {
        /// The service.
        service: &'a str,
        /// What is open.
        found: OpenPort,
    },
    /// A declared port is not open, or to the device only where the network is declared.
    ClosedPort {
        /// The service.
        service: &'a str,
        /// What is declared.
        declared: Port,
    },
    /// An interface is up, and nobody declared it.
    UndeclaredInterface(&'a str),
    /// An interface is up that is declared as disabled.
    DisabledInterfaceUp(&'a str),
    /// An interface with a use is not up.
    InterfaceDown(&'a str),
    /// Interfaces are declared, and the test did not look at them.
    InterfacesUnseen,
    /// A debug interface that nobody declared.
    UndeclaredDebug(&'a str),
    /// A debug interface is in another state.
    DebugDiffers {
        /// Its name.
        name: &'a str,
        /// The declared state.
        declared: DebugState,
        /// The state that was found.
        found: DebugState,
    },
    /// A declared debug interface was not looked at.
    DebugUnseen(&'a str),
}

impl fmt::Display for Difference<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UndeclaredPort(found) => write!(
                formatter,
                "{} port {} is open to {} ({}), and not declared",
                found.transport,
                found.number,
                found.reach(),
                found.address
            ),
            Self::WiderPort { service, found } => write!(
                formatter,
                "{} port {} of \"{service}\" is open to {} ({}), and declared for {} only",
                found.transport,
                found.number,
                found.reach(),
                found.address,
                Reach::Itself
            ),
            Self::ClosedPort { service, declared } => write!(
                formatter,
                "{} port {} of \"{service}\" is declared, and not open to {}",
                declared.transport, declared.number, declared.reach
            ),
            Self::UndeclaredInterface(name) => write!(formatter, "interface {name} is up, and not declared"),
            Self::DisabledInterfaceUp(name) => {
                write!(formatter, "interface {name} is up, and declared as disabled")
            }
            Self::InterfaceDown(name) => write!(formatter, "interface {name} is declared, and not up"),
            Self::InterfacesUnseen => formatter.write_str("interfaces are declared, and were not looked at"),
            Self::UndeclaredDebug(name) => write!(formatter, "debug interface {name} is not declared"),
            Self::DebugDiffers {
                name,
                declared,
                found,
            } => write!(
                formatter,
                "debug interface {name} is {found}, and declared as {declared}"
            ),
            Self::DebugUnseen(name) => {
                write!(
                    formatter,
                    "debug interface {name} is declared, and was not looked at"
                )
            }
        }
    }
}

pub(super) fn compare<'a>(
    declared: &Surface<'a>,
    observed: &Observed<'a>,
    mut found: impl FnMut(Difference<'a>),
) {
    ports(declared, observed.ports, &mut found);
    interfaces(declared, observed.interfaces, &mut found);
    debug(declared, observed.debug, &mut found);
}

//= compliance/requirements.md#paper-6
//# Each port that is open and not declared, declared and not open, or open to more than is declared MUST be named.
fn ports<'a>(declared: &Surface<'a>, open: &[OpenPort], found: &mut impl FnMut(Difference<'a>)) {
    let is_same =
        |open: &OpenPort, port: &Port| (open.transport, open.number) == (port.transport, port.number);
    let declared = || {
        declared
            .services
            .iter()
            .flat_map(|service| service.ports.iter().map(|port| (service.name, *port)))
    };
    for (at, one) in open.iter().enumerate() {
        if open.iter().take(at).any(|before| before == one) {
            continue;
        }
        match declared().find(|(_, port)| is_same(one, port)) {
            None => found(Difference::UndeclaredPort(*one)),
            Some((service, port)) if one.reach() > port.reach => {
                found(Difference::WiderPort { service, found: *one });
            }
            Some(_) => {}
        }
    }
    for (service, port) in declared() {
        if !open
            .iter()
            .any(|one| is_same(one, &port) && one.reach() >= port.reach)
        {
            found(Difference::ClosedPort {
                service,
                declared: port,
            });
        }
    }
}

//= compliance/requirements.md#paper-8
//# Each interface and each debug interface that is not in the declared state MUST be named, and so MUST what was not looked at.
fn interfaces<'a>(declared: &Surface<'a>, up: Option<&'a [&'a str]>, found: &mut impl FnMut(Difference<'a>)) {
    let Some(up) = up else {
        if !declared.interfaces.is_empty() {
            found(Difference::InterfacesUnseen);
        }
        return;
    };
    for name in up {
        match declared.interfaces.iter().find(|each| each.name == *name) {
            None => found(Difference::UndeclaredInterface(name)),
            Some(each) if each.used == Use::Disabled => found(Difference::DisabledInterfaceUp(name)),
            Some(_) => {}
        }
    }
    for each in declared.interfaces {
        if each.used != Use::Disabled && !up.contains(&each.name) {
            found(Difference::InterfaceDown(each.name));
        }
    }
}

//= compliance/requirements.md#paper-8
//# Each interface and each debug interface that is not in the declared state MUST be named, and so MUST what was not looked at.
fn debug<'a>(
    declared: &Surface<'a>,
    states: Option<&'a [(&'a str, DebugState)]>,
    found: &mut impl FnMut(Difference<'a>),
) {
    let states = states.unwrap_or_default();
    for (name, state) in states {
        match declared.debug.iter().find(|each| each.name == *name) {
            None => found(Difference::UndeclaredDebug(name)),
            Some(each) if each.state != *state => found(Difference::DebugDiffers {
                name,
                declared: each.state,
                found: *state,
            }),
            Some(_) => {}
        }
    }
    for each in declared.debug {
        if !states.iter().any(|(name, _)| *name == each.name) {
            found(Difference::DebugUnseen(each.name));
        }
    }
}

//! Declared and found, for devices whose test fills in what it found.

use bydesign::paper::surface::{
    DebugPort, DebugState, Difference, Interface, Observed, OpenPort, Port, Reach, Service, Surface, Use,
};

const HTTPS: Port = Port::tcp(443, Reach::Network);
const CONTROL: Port = Port::tcp(9000, Reach::Itself);
const NAMES: Port = Port::udp(5353, Reach::Network);

const SURFACE: Surface<'_> = Surface {
    interfaces: &[
        Interface {
            name: "wlan0",
            used: Use::For("the owner's network"),
        },
        Interface {
            name: "uart1",
            used: Use::Disabled,
        },
    ],
    services: &[
        Service {
            name: "settings page",
            why: "the owner changes settings",
            ports: &[HTTPS, CONTROL],
        },
        Service {
            name: "discovery",
            why: "the application finds the device",
            ports: &[NAMES],
        },
    ],
    debug: &[
        DebugPort {
            name: "SWD",
            state: DebugState::Disabled,
        },
        DebugPort {
            name: "console",
            state: DebugState::Authenticated,
        },
    ],
}
.checked();

const AS_DECLARED: [OpenPort; 3] = [
    OpenPort::tcp(443, [0; 4]),
    OpenPort::tcp(9000, [127, 0, 0, 1]),
    OpenPort::udp(5353, [0; 4]),
];

fn differences<'a>(observed: &Observed<'a>) -> Vec<Difference<'a>> {
    let mut differences = Vec::new();
    SURFACE.compare(observed, |difference| differences.push(difference));
    differences
}

fn of_ports(open: &[OpenPort]) -> Vec<Difference<'_>> {
    let observed = Observed::new(open).interfaces(&["wlan0"]).debug(&[
        ("SWD", DebugState::Disabled),
        ("console", DebugState::Authenticated),
    ]);
    differences(&observed)
}

//= compliance/requirements.md#paper-6
//= type=test
//# Each port that is open and not declared, declared and not open, or open to more than is declared MUST be named.
#[test]
fn each_port_that_is_not_as_declared_is_named() {
    assert_eq!(of_ports(&AS_DECLARED), []);
    let [https, control, names] = AS_DECLARED;

    let telnet = OpenPort::tcp(23, [0; 4]);
    assert_eq!(
        of_ports(&[https, control, names, telnet]),
        [Difference::UndeclaredPort(telnet)]
    );
    // The same number in another protocol is another port.
    let other = OpenPort::udp(443, [192, 0, 2, 1]);
    assert_eq!(
        of_ports(&[https, control, names, other]),
        [Difference::UndeclaredPort(other)]
    );
    let local = OpenPort::tcp(23, [127, 0, 0, 1]);
    assert_eq!(
        of_ports(&[https, local, control, names, local]),
        [Difference::UndeclaredPort(local)]
    );

    assert_eq!(
        of_ports(&[https, control]),
        [Difference::ClosedPort {
            service: "discovery",
            declared: NAMES
        }]
    );
    assert_eq!(of_ports(&[]).len(), 3);

    let wide = OpenPort::tcp(9000, [0; 4]);
    assert_eq!(
        of_ports(&[https, wide, names]),
        [Difference::WiderPort {
            service: "settings page",
            found: wide
        }]
    );
    // The narrow one beside it does not hide it.
    assert_eq!(of_ports(&[https, control, wide, names]).len(), 1);
    let narrow = OpenPort::tcp(443, [127, 0, 0, 1]);
    assert_eq!(
        of_ports(&[narrow, control, names]),
        [Difference::ClosedPort {
            service: "settings page",
            declared: HTTPS
        }]
    );
}

//= compliance/requirements.md#paper-8
//= type=test
//# Each interface and each debug interface that is not in the declared state MUST be named, and so MUST what was not looked at.
#[test]
fn each_interface_that_is_not_as_declared_or_not_looked_at_is_named() {
    let swd = ("SWD", DebugState::Disabled);
    let console = ("console", DebugState::Authenticated);
    let observed = |interfaces: &'static [&'static str]| Observed::new(&AS_DECLARED).interfaces(interfaces);
    for (interfaces, expected) in [
        (&["wlan0"][..], None),
        (&["wlan0", "eth0"], Some(Difference::UndeclaredInterface("eth0"))),
        (
            &["wlan0", "uart1"],
            Some(Difference::DisabledInterfaceUp("uart1")),
        ),
        (&[], Some(Difference::InterfaceDown("wlan0"))),
    ] {
        let states = [swd, console];
        let found = differences(&observed(interfaces).debug(&states));
        assert_eq!(found, Vec::from_iter(expected));
    }
    for (states, expected) in [
        (
            &[swd, console, ("JTAG", DebugState::Disabled)][..],
            Difference::UndeclaredDebug("JTAG"),
        ),
        (&[swd], Difference::DebugUnseen("console")),
        (
            &[("SWD", DebugState::Open), console],
            Difference::DebugDiffers {
                name: "SWD",
                declared: DebugState::Disabled,
                found: DebugState::Open,
            },
        ),
    ] {
        assert_eq!(differences(&observed(&["wlan0"]).debug(states)), [expected]);
    }
    assert_eq!(
        differences(&Observed::new(&AS_DECLARED)),
        [
            Difference::InterfacesUnseen,
            Difference::DebugUnseen("SWD"),
            Difference::DebugUnseen("console")
        ]
    );
}

#[test]
fn every_difference_is_said_with_its_name() {
    let open = [OpenPort::tcp(23, [0; 4]), OpenPort::tcp(9000, [0; 4])];
    let observed = Observed::new(&open)
        .interfaces(&["eth0", "uart1"])
        .debug(&[("SWD", DebugState::Open), ("JTAG", DebugState::Open)]);
    let said: Vec<_> = differences(&observed).iter().map(ToString::to_string).collect();
    assert_eq!(
        said,
        [
            "TCP port 23 is open to the network (0.0.0.0), and not declared",
            "TCP port 9000 of \"settings page\" is open to the network (0.0.0.0), and declared for the device itself only",
            "TCP port 443 of \"settings page\" is declared, and not open to the network",
            "UDP port 5353 of \"discovery\" is declared, and not open to the network",
            "interface eth0 is up, and not declared",
            "interface uart1 is up, and declared as disabled",
            "interface wlan0 is declared, and not up",
            "debug interface SWD is open to everybody, and declared as disabled",
            "debug interface JTAG is not declared",
            "debug interface console is declared, and was not looked at",
        ]
    );
}

#[test]
fn a_declaration_without_reasons_or_with_a_port_twice_is_refused() {
    let [tcp, udp] = [Port::tcp(443, Reach::Network), Port::udp(443, Reach::Network)];
    let narrow = Port::tcp(443, Reach::Itself);
    let nothing = Port::tcp(0, Reach::Network);
    for (services, is_taken) in [
        (vec![("because", vec![tcp]), ("also", vec![NAMES])], true),
        (vec![("because", vec![tcp, udp])], true),
        (vec![("", vec![tcp])], false),
        (vec![("because", vec![])], false),
        (vec![("because", vec![nothing])], false),
        (vec![("because", vec![tcp, narrow])], false),
        (vec![("because", vec![tcp]), ("also", vec![NAMES, tcp])], false),
    ] {
        let services: Vec<_> = services
            .iter()
            .map(|(why, ports)| Service {
                name: "page",
                why,
                ports,
            })
            .collect();
        let surface = Surface {
            services: &services,
            ..SURFACE
        };
        let checked = std::panic::catch_unwind(|| surface.checked().services.len());
        assert_eq!(checked.is_ok(), is_taken, "{services:?}");
    }
}

//! The kernel's tables of sockets, as texts and as they are.

use std::fs;
use std::io::ErrorKind;
use std::net::{TcpListener, UdpSocket};

use bydesign::paper::surface::linux::{Reason, Table, Unreadable, open_ports};
use bydesign::paper::surface::{Difference, Observed, OpenPort, Port, Reach, Service, Surface};

const HEAD: &str =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";
const HEAD_UDP: &str = "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops\n";
const HEAD_6: &str = "  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";

fn row(local: &str, state: &str) -> String {
    let remote: String = local
        .chars()
        .map(|symbol| if symbol == ':' { ':' } else { '0' })
        .collect();
    format!(
        "   0: {local} {remote} {state} 00000000:00000000 00:00000000 00000000     0        0 20 1 0000000000000000 100 0 0 10 0\n"
    )
}

fn read(table: Table, text: &str) -> Result<Vec<OpenPort>, Unreadable> {
    open_ports(table, text).collect()
}

/// An address of version 4 as the kernel of this machine writes it.
fn written(address: [u8; 4], port: u16) -> String {
    format!("{:08X}:{port:04X}", u32::from_ne_bytes(address))
}

#[test]
fn sockets_that_listen_are_open_and_connections_are_not() {
    let own = written([127, 0, 0, 1], 631);
    let states: String = (1..=13).map(|state| row(&own, &format!("{state:02X}"))).collect();
    assert_eq!(
        read(Table::Tcp, &format!("{HEAD}{states}")),
        Ok(vec![OpenPort::tcp(631, [127, 0, 0, 1])])
    );
    let any = written([0; 4], 5353);
    let udp = format!("{HEAD_UDP}{}{}", row(&any, "07"), row(&own, "01"));
    assert_eq!(read(Table::Udp, &udp), Ok(vec![OpenPort::udp(5353, [0; 4])]));
    assert_eq!(read(Table::Udp, HEAD_UDP), Ok(vec![]));

    let loopback = u32::from_ne_bytes([0, 0, 0, 1]);
    let mapped = u32::from_ne_bytes([0, 0, 0xff, 0xff]);
    let v4 = u32::from_ne_bytes([127, 0, 0, 1]);
    let text = format!(
        "{HEAD_6}{}{}{}",
        row(&format!("000000000000000000000000{loopback:08X}:0050"), "0A"),
        row(&format!("0000000000000000{mapped:08X}{v4:08X}:0051"), "0A"),
        row("00000000000000000000000000000000:0052", "0A")
    );
    let open = read(Table::Tcp6, &text).unwrap();
    let shown: Vec<_> = open
        .iter()
        .map(|port| (port.address.to_string(), port.number, port.reach()))
        .collect();
    assert_eq!(
        shown,
        [
            ("::1".to_owned(), 80, Reach::Itself),
            ("::ffff:127.0.0.1".to_owned(), 81, Reach::Itself),
            ("::".to_owned(), 82, Reach::Network)
        ]
    );
}

//= compliance/requirements.md#paper-7
//= type=test
//# A table of sockets that is cut or not as the kernel writes it MUST be refused with its line, and MUST NOT pass for one in which nothing is open.
#[test]
fn a_table_that_is_not_as_the_kernel_writes_it_is_refused_with_its_line() {
    let good = row(&written([0; 4], 443), "0A");
    let whole = format!("{HEAD}{good}{good}");
    assert_eq!(read(Table::Tcp, &whole).map(|open| open.len()), Ok(2));
    let refusal =
        |table, text: &str| read(table, text).map_err(|refused| (refused.line.get(), refused.reason));
    for (table, text) in [
        (Table::Tcp, ""),
        (Table::Tcp, "\n"),
        (Table::Tcp, good.as_str()),
        (Table::Tcp6, whole.as_str()),
        (Table::Udp, whole.as_str()),
        (Table::Tcp, HEAD_UDP),
        (Table::Tcp, HEAD_6),
    ] {
        assert_eq!(refusal(table, text), Err((1, Reason::Head)), "{text}");
    }
    // Cut anywhere: either a whole number of lines is left, or it is seen.
    for end in 0..whole.len() {
        let result = refusal(Table::Tcp, &whole[..end]);
        assert_eq!(result.is_ok(), whole[..end].ends_with('\n'), "{end} bytes");
    }
    for (from, to, reason) in [
        ("0A", "0G", Reason::Row),
        ("0A", "A", Reason::Row),
        ("0A", "00", Reason::State),
        ("0A", "0E", Reason::State),
        (":01BB", ":1BB", Reason::Row),
        (":01BB", ":+1BB", Reason::Row),
        (":01BB", "01BB", Reason::Row),
        ("00000000:01BB", "000000000:01BB", Reason::Row),
        ("0:", "0", Reason::Row),
        ("0:", "-1:", Reason::Row),
        (" 100 0 0 10 0", "", Reason::Row),
        ("00:00000000 ", "", Reason::Row),
        (":01BB ", ":01BB\r", Reason::Row),
        (":01BB ", ":01BB\t", Reason::Row),
        (" 100 0", " \u{1} 0", Reason::Row),
        (" 100 0", " \u{e9} 0", Reason::Row),
    ] {
        let bad = good.replacen(from, to, 1);
        let bad = if to.is_empty() && from.starts_with(" 100") {
            bad.replace(" 1 0000000000000000", "")
        } else {
            bad
        };
        assert_ne!(bad, good);
        let text = format!("{HEAD}{good}{bad}{good}");
        assert_eq!(refusal(Table::Tcp, &text), Err((3, reason)), "{from} as {to}");
    }
    // TCP states that no UDP socket has.
    let text = format!("{HEAD_UDP}{}", row(&written([0; 4], 53), "0A"));
    assert_eq!(refusal(Table::Udp, &text), Err((2, Reason::State)));
}

/// What is open on this machine; `None` where it shows no such tables.
fn open_here() -> Option<Vec<OpenPort>> {
    let mut open = Vec::new();
    for table in Table::ALL {
        match fs::read_to_string(table.path()) {
            Ok(text) => {
                open.extend(read(table, &text).unwrap_or_else(|error| panic!("{}: {error}", table.path())));
            }
            Err(error) if error.kind() == ErrorKind::NotFound && table != Table::Tcp => {}
            Err(error) if error.kind() == ErrorKind::NotFound => return None,
            Err(error) => panic!("{}: {error}", table.path()),
        }
    }
    Some(open)
}

//= compliance/requirements.md#paper-6
//= type=test
//# Each port that is open and not declared, declared and not open, or open to more than is declared MUST be named.
#[test]
fn ports_that_this_test_opens_and_closes_are_named_on_linux() {
    if open_here().is_none() {
        // A system without such tables: the texts above are all that can be read there.
        assert_ne!(std::env::consts::OS, "linux", "no tables of sockets on Linux");
        return;
    }
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
    let ports = [
        Port::tcp(listener.local_addr().unwrap().port(), Reach::Itself),
        Port::udp(socket.local_addr().unwrap().port(), Reach::Network),
    ];
    // Others may open and close ports of this machine meanwhile: only these two are looked at.
    let differences = |declared: &[Port]| {
        let (open, mut named) = (open_here().unwrap(), Vec::new());
        let services = [Service {
            name: "this test",
            why: "to be found",
            ports: declared,
        }];
        let surface = Surface {
            interfaces: &[],
            services: &services,
            debug: &[],
        };
        surface.compare(&Observed::new(&open), |difference| match difference {
            Difference::UndeclaredPort(found) if !ports.iter().any(|port| is_of(&found, *port)) => {}
            other => named.push(other.to_string()),
        });
        named
    };
    let [tcp, udp] = ports;
    let (tcp_number, udp_number) = (tcp.number, udp.number);
    assert_eq!(differences(&ports), Vec::<String>::new());
    assert_eq!(
        differences(&[tcp]),
        [format!(
            "UDP port {udp_number} is open to the network (0.0.0.0), and not declared"
        )]
    );
    assert_eq!(
        differences(&[udp]),
        [format!(
            "TCP port {tcp_number} is open to the device itself (127.0.0.1), and not declared"
        )]
    );
    let narrow = Port::udp(udp_number, Reach::Itself);
    let wider = format!(
        "UDP port {udp_number} of \"this test\" is open to the network (0.0.0.0), and declared for the device itself only"
    );
    assert_eq!(differences(&[tcp, narrow]), [wider]);
    drop(listener);
    let closed =
        format!("TCP port {tcp_number} of \"this test\" is declared, and not open to the device itself");
    assert_eq!(differences(&ports), [closed]);
}

fn is_of(found: &OpenPort, port: Port) -> bool {
    (found.transport, found.number) == (port.transport, port.number)
}

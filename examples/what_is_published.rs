//! What a manufacturer publishes about a product, made and checked: `security.txt`, the support period, and whether what is open on
//! this machine is what is declared. On Linux it reads the kernel's tables.
//!
//! ```text
//!  cargo run --example what_is_published [FILE]     security.txt goes to the file, too
//! ```

use std::env;
use std::error::Error;
use std::fs;
use std::net::TcpListener;
use std::time::{SystemTime, UNIX_EPOCH};

use bydesign::paper::security_txt::{Asked, SecurityTxt, check};
use bydesign::paper::surface::linux::{Table, open_ports};
use bydesign::paper::surface::{
    Difference, Interface, Observed, OpenPort, Port, Reach, Service, Surface, Use,
};
use bydesign::paper::{Date, Standing, SupportPeriod, Timestamp};

/// On the device's own screen, and in the statement of compliance.
const SUPPORT: SupportPeriod<'_> =
    SupportPeriod::new("Example Lamp L1", Date::on(2026, 11, 1), Date::on(2031, 12, 31))
        .published_at("https://example.com/l1/support");

const PORT: u16 = 48_443;

/// In the firmware; each reason is one that a reviewer can ask about.
const SURFACE: Surface<'_> = Surface {
    interfaces: &[Interface {
        name: "wlan0",
        used: Use::For("the owner's network"),
    }],
    services: &[Service {
        name: "settings page",
        why: "the owner changes settings on a machine beside it",
        ports: &[Port::tcp(PORT, Reach::Itself)],
    }],
    debug: &[],
}
.checked();

fn main() -> Result<(), Box<dyn Error>> {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let now = Timestamp::from_unix(i64::try_from(seconds)?).ok_or("a clock that is out of range")?;

    println!("{SUPPORT}");
    match SUPPORT.standing(Date::on(2032, 1, 15)) {
        Standing::Supported { days_left } => println!("on 15 January 2032: {days_left} days left"),
        Standing::Ended { days_ago } => println!("on 15 January 2032: no updates since {days_ago} days"),
    }

    let in_half_a_year = Timestamp::from_unix(now.unix() + 180 * 86_400).ok_or("too late")?;
    let mut text = String::new();
    SecurityTxt::new(&["mailto:security@example.com"], in_half_a_year)
        .policy(&["https://example.com/disclosure"])
        .canonical(&["https://example.com/.well-known/security.txt"])
        .languages(&["en"])
        .write(&mut text, now)?;
    println!("\n{text}");
    if let Some(file) = env::args_os().nth(1) {
        fs::write(file, &text)?;
    }
    let outdated = text
        .replace("mailto:", "")
        .replace("https://example.com/d", "http://example.com/d");
    let flaws = check(outdated.as_bytes(), &Asked::at(now), |flaw| {
        println!("with two mistakes: {flaw}");
    });
    if flaws.flaws() != 2 {
        return Err("two mistakes were made".into());
    }

    // The device's service, with a mistake: it listens to the network, and not to the device alone.
    let _service = TcpListener::bind(("0.0.0.0", PORT))?;
    let mut open: Vec<OpenPort> = Vec::new();
    for table in Table::ALL {
        // A kernel without IPv6 has two of them.
        if let Ok(text) = fs::read_to_string(table.path()) {
            for port in open_ports(table, &text) {
                open.push(port?);
            }
        }
    }
    if open.is_empty() {
        println!("\nno tables of sockets: this is not Linux");
        return Ok(());
    }
    let mut is_found = false;
    println!();
    SURFACE.compare(&Observed::new(&open), |difference| {
        is_found |= matches!(difference, Difference::WiderPort { found, .. } if found.number == PORT);
        println!("{difference}");
    });
    if is_found {
        Ok(())
    } else {
        Err("the mistake was not found".into())
    }
}

//! A table of sockets that is to be the kernel's.
//!
//! What must hold: no panic; at most one port a row; a port that is read stands in its row; a table that is read whole is refused once its last
//! line is cut.
#![no_main]

use bydesign::paper::surface::OpenPort;
use bydesign::paper::surface::linux::{Table, Unreadable, open_ports};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    for table in Table::ALL {
        let rows = text.lines().count().saturating_sub(1);
        let read: Result<Vec<OpenPort>, Unreadable> = open_ports(table, text).collect();
        match read {
            Ok(open) => {
                assert!(open.len() <= rows && text.ends_with('\n'));
                let digits = text.to_ascii_uppercase();
                assert!(
                    open.iter()
                        .all(|port| digits.contains(&format!(":{:04X} ", port.number)))
                );
                let cut = open_ports(table, &text[..text.len() - 1]).last();
                assert!(matches!(cut, Some(Err(_))));
            }
            Err(refused) => assert!(refused.line.get() as usize <= rows + 1),
        }
    }
});

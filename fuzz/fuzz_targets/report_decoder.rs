//! Arbitrary bytes to the decoder of telemetry: no panic; whatever is taken is what another encoder makes of the values; nothing of what is
//! refused is shown.
#![no_main]

use bydesign::telemetry::{Declaration, schema_of};
use libfuzzer_sys::fuzz_target;

#[path = "../../tests/telemetry/again.rs"]
mod again;
#[allow(dead_code, unreachable_pub)]
#[path = "../../examples/thermostat/declaration.rs"]
mod thermostat;

fuzz_target!(|bytes: &[u8]| {
    let _ = schema_of::<thermostat::Thermostat>(bytes);
    for schema in thermostat::Thermostat::REPORTS {
        let mut values = Vec::new();
        match schema.decode(bytes, |field, value| values.push((field, value))) {
            Ok(()) => {
                assert_eq!(again::encoded(schema, &values), bytes);
                assert!(bytes.len() <= schema.max_bytes());
            }
            Err(error) => {
                assert!(values.is_empty());
                assert!(!error.to_string().is_empty());
            }
        }
    }
});

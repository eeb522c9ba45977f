//! The same data as it is sent today: untreated, with a serial number and the time.

use bydesign::telemetry::Time;
use minicbor::Encoder;

/// What a field says.
pub(crate) enum Item {
    Text(String),
    Number(i64),
    Truth(bool),
    Numbers(Vec<i64>),
}

/// Name and value of each field.
pub(crate) type Fields = Vec<(&'static str, Item)>;

/// The head that untreated data come with.
pub(crate) fn of_device(serial: String, now: Time) -> Fields {
    let seconds = i64::try_from(now.seconds).expect("small");
    vec![("serial", Item::Text(serial)), ("time", Item::Number(seconds))]
}

/// As compact as JSON goes.
pub(crate) fn json(fields: &Fields) -> String {
    let fields = fields.iter().map(|(name, item)| {
        let value = match item {
            Item::Text(text) => format!("\"{text}\""),
            Item::Number(number) => number.to_string(),
            Item::Truth(truth) => truth.to_string(),
            Item::Numbers(numbers) => format!("{numbers:?}").replace(' ', ""),
        };
        format!("\"{name}\":{value}")
    });
    format!("{{{}}}", fields.collect::<Vec<_>>().join(","))
}

/// As a serialiser makes it of a structure: a map with the names of the fields, or an array without them.
pub(crate) fn cbor(fields: &Fields, with_names: bool) -> Vec<u8> {
    encoded(fields, with_names).expect("a vector takes it all")
}

fn encoded(
    fields: &Fields,
    with_names: bool,
) -> Result<Vec<u8>, minicbor::encode::Error<core::convert::Infallible>> {
    let mut out = Encoder::new(Vec::new());
    let len = fields.len() as u64;
    if with_names {
        out.map(len)?
    } else {
        out.array(len)?
    };
    for (name, item) in fields {
        if with_names {
            out.str(name)?;
        }
        match item {
            Item::Text(text) => out.str(text)?,
            Item::Number(number) => out.i64(*number)?,
            Item::Truth(truth) => out.bool(*truth)?,
            Item::Numbers(numbers) => {
                out.array(numbers.len() as u64)?;
                for number in numbers {
                    out.i64(*number)?;
                }
                &mut out
            }
        };
    }
    Ok(out.into_writer())
}

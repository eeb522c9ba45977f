//! Decoded values encoded again, by an encoder that is not ours: what it gives must be the very bytes that were decoded.

use bydesign::telemetry::{Field, ReportSchema, Shape, Value};
use minicbor::Encoder;

/// A report that holds these values.
#[allow(unreachable_pub)] // the fuzz target has it, too
pub fn encoded(schema: &ReportSchema, values: &[(&'static Field, Value<'_>)]) -> Vec<u8> {
    let mut out = Encoder::new(Vec::new());
    let number_of = |field: &Field| {
        let found = schema.fields.iter().position(|other| other.name == field.name);
        u64::try_from(found.expect("declared")).expect("few")
    };
    out.array(3).expect("a vector");
    out.u16(schema.number).expect("a vector");
    out.u16(schema.version).expect("a vector");
    out.map(values.len() as u64).expect("a vector");
    for (field, value) in values {
        out.u64(number_of(field)).expect("a vector");
        write(&mut out, field.effect.shape, value);
    }
    out.into_writer()
}

fn write(out: &mut Encoder<Vec<u8>>, shape: Shape, value: &Value<'_>) {
    let steps = |value: i64| match shape {
        Shape::Steps { low, step, .. } | Shape::Pair { low, step, .. } => {
            u64::try_from((i128::from(value) - i128::from(low)) / i128::from(step))
                .expect("above the lower end")
        }
        other => panic!("{other:?}"),
    };
    let written = match value {
        Value::Truth(truth) => out.bool(*truth).map(|_| ()),
        Value::Number(number) => out.u64(steps(*number)).map(|_| ()),
        Value::Choice(number) => out.u32(*number).map(|_| ()),
        Value::Bits(bits) => out.u64(*bits).map(|_| ()),
        Value::Pair(first, second) => out
            .array(2)
            .and_then(|out| out.u64(steps(*first)))
            .and_then(|out| out.u64(steps(*second)))
            .map(|_| ()),
        Value::Counts(counts, buckets) => {
            let Shape::Counts { step, .. } = shape else {
                panic!("{shape:?}")
            };
            out.array(u64::from(*buckets)).expect("a vector");
            for count in &counts[..usize::from(*buckets)] {
                out.u64(u64::from(*count) / step).expect("a vector");
            }
            Ok(())
        }
        Value::Letters(letters) => out.str(letters).map(|_| ()),
        Value::Bytes(bytes) => out.bytes(bytes).map(|_| ()),
        other => panic!("{other:?}"),
    };
    written.expect("a vector");
}

//! Partial sums as an aggregate function of the engine: its partial states are the collector's bytes.

use std::sync::Arc;

use bydesign::telemetry::collect::{Answer, PartialSum};
use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::datatypes::{DataType, Int32Type, UInt8Type, UInt64Type};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{Accumulator, AggregateUDF, Volatility, create_udaf};
use datafusion::scalar::ScalarValue;

/// The aggregate function that counts the answers of one field: a column of `input` in, the sum's bytes out; on from an
/// empty sum, which says how.
pub fn function(name: &str, input: DataType, empty: PartialSum) -> AggregateUDF {
    create_udaf(
        name,
        vec![input],
        Arc::new(DataType::Binary),
        Volatility::Immutable,
        Arc::new(move |_| Ok(Box::new(Counting(empty.clone())) as Box<dyn Accumulator>)),
        Arc::new(vec![DataType::Binary]),
    )
}

#[derive(Debug)]
struct Counting(PartialSum);

fn failed(error: impl std::error::Error + Send + Sync + 'static) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}

impl Counting {
    fn add(&mut self, answers: impl Iterator<Item = impl Into<Answer>>) -> Result<()> {
        for answer in answers {
            self.0.add(answer).map_err(failed)?;
        }
        Ok(())
    }
}

impl Accumulator for Counting {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let Some(answers) = values.first() else {
            return Ok(());
        };
        match answers.data_type() {
            DataType::UInt8 => self.add(answers.as_primitive::<UInt8Type>().iter().flatten()),
            DataType::UInt64 => self.add(answers.as_primitive::<UInt64Type>().iter().flatten()),
            DataType::Int32 => self.add(answers.as_primitive::<Int32Type>().iter().flatten()),
            DataType::Boolean => self.add(answers.as_boolean().iter().flatten()),
            other => Err(DataFusionError::Execution(format!("no answers are {other}"))),
        }
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        for bytes in states
            .iter()
            .flat_map(|state| state.as_binary::<i32>().iter())
            .flatten()
        {
            let other = PartialSum::decode(bytes).map_err(failed)?;
            self.0.merge(&other).map_err(failed)?;
        }
        Ok(())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![self.evaluate()?])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(ScalarValue::Binary(Some(self.0.encode())))
    }

    fn size(&self) -> usize {
        size_of_val(self) + size_of_val(self.0.counts())
    }
}

//! Functions of SQL for sketches of distinct counts: `sketch_union`, which adds up what several have seen, and `sketch_count`.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, Int64Array};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue, exec_datafusion_err};
use datafusion::logical_expr::{Accumulator, AggregateUDF, Volatility, create_udaf};
use model::Sketch;

/// The sketch of all that the sketches of a group have seen; null where there is none.
pub(crate) fn union() -> AggregateUDF {
    create_udaf(
        "sketch_union",
        vec![DataType::Binary],
        Arc::new(DataType::Binary),
        Volatility::Immutable,
        Arc::new(|_| Ok(Box::new(Union::default()))),
        Arc::new(vec![DataType::Binary]),
    )
}

#[derive(Debug, Default)]
struct Union(Option<Sketch>);

impl Accumulator for Union {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        for octets in values[0].as_binary::<i32>().iter().flatten() {
            // what is left out here would make the count too low without a word
            let sketch = Sketch::from_octets(octets).map_err(|error| exec_datafusion_err!("sketch_union: {error}"))?;
            match &mut self.0 {
                Some(union) => union.merge(&sketch),
                none => *none = Some(sketch),
            }
        }
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(ScalarValue::Binary(self.0.as_ref().map(Sketch::to_octets)))
    }

    fn size(&self) -> usize {
        size_of::<Self>() + self.0.as_ref().map_or(0, Sketch::held)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![self.evaluate()?])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.update_batch(states)
    }
}

/// About how many different things a sketch has seen; null for octets that are none.
pub(crate) fn count(arguments: &[ArrayRef]) -> Result<ArrayRef> {
    let estimate = |octets: Option<&[u8]>| {
        let sketch = Sketch::from_octets(octets?).ok()?;
        i64::try_from(sketch.estimate()).ok()
    };
    let counts = arguments[0].as_binary::<i32>().iter().map(estimate);
    Ok(Arc::new(counts.collect::<Int64Array>()))
}

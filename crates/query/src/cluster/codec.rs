//! How a plan is written for its way to other machines: as DataFusion and Ballista write it, and our functions by name.

use std::collections::BTreeMap;
use std::sync::Arc;

use ballista_core::serde::BallistaPhysicalExtensionCodec;
use datafusion::common::{Result, plan_err};
use datafusion::execution::TaskContext;
use datafusion::logical_expr::ScalarUDF;
use datafusion::physical_plan::ExecutionPlan;
use datafusion_proto::physical_plan::{PhysicalExtensionCodec, PhysicalProtoConverterExtension};

use crate::functions::{self, OfLake};

/// A function of sources takes its words with it, so that a machine serves any lake. The form of a function is JSON: its words, or null.
#[derive(Debug, Default)]
pub(super) struct Codec(BallistaPhysicalExtensionCodec);

impl PhysicalExtensionCodec for Codec {
    fn try_decode(
        &self,
        octets: &[u8],
        inputs: &[Arc<dyn ExecutionPlan>],
        context: &TaskContext,
        converter: &dyn PhysicalProtoConverterExtension,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        self.0.try_decode(octets, inputs, context, converter)
    }

    fn try_encode(
        &self,
        node: Arc<dyn ExecutionPlan>,
        octets: &mut Vec<u8>,
        converter: &dyn PhysicalProtoConverterExtension,
    ) -> Result<()> {
        self.0.try_encode(node, octets, converter)
    }

    fn try_encode_udf(&self, function: &ScalarUDF, octets: &mut Vec<u8>) -> Result<()> {
        // functions of DataFusion are known everywhere by their names
        if let Some(function) = function.inner().downcast_ref::<OfLake>() {
            let words = function.words.as_deref();
            match serde_json::to_vec(&words) {
                Ok(text) => octets.extend(text),
                Err(error) => return plan_err!("cannot write the function {function:?}: {error}"),
            }
        }
        Ok(())
    }

    fn try_decode_udf(&self, name: &str, octets: &[u8]) -> Result<Arc<ScalarUDF>> {
        // without its form it was written by the name alone: right for a function that needs no words, and an error for others,
        // which would else give null in the place of an owner
        let words = match octets {
            [] => Ok(None),
            octets => serde_json::from_slice::<Option<BTreeMap<String, String>>>(octets),
        };
        match words.map(|words| functions::named(name, words.map(Arc::new))) {
            Ok(Some(function)) => Ok(Arc::new(function)),
            Ok(None) => plan_err!("no function `{name}` can be made of what came of it"),
            Err(error) => plan_err!("cannot read the function `{name}`: {error}"),
        }
    }
}

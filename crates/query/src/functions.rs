//! Functions of SQL for names, addresses, what passive DNS keeps of records, and distinct counts.
//!
//! Those in `FOR_PEOPLE` are for questions; the others make the columns of the views. All give null for what they cannot read.

use std::collections::BTreeMap;
use std::fmt::{self, Display};
use std::hash::{Hash, Hasher};
use std::str::FromStr;
use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, BooleanBuilder, Int32Array, ListBuilder, StringArray, StringBuilder,
};
use datafusion::arrow::datatypes::{DataType, Field, Int32Type};
use datafusion::common::{Result, ScalarValue, plan_datafusion_err};
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use domain::base::iana::{OptRcode, Rtype};
use lake::passive::Source;
use lake::passive::stored::{self, Value};
use model::{Name, Prefix, rdata_text};

use crate::sketches;

/// A function that people call, with its words for them.
#[derive(Debug, Clone, Copy)]
pub struct Function {
    /// How it is called, with the words of its arguments.
    pub call: &'static str,
    /// What it gives.
    pub about: &'static str,
}

/// The functions that are there beside those of DataFusion.
pub const FOR_PEOPLE: &[Function] = &[
    Function {
        call: "in_zone(name, zone)",
        about: "Whether the name is the zone or lies below it",
    },
    Function {
        call: "in_prefix(address, prefix)",
        about: "Whether the address is one of the prefix, as in '192.0.2.0/24'",
    },
    Function {
        call: "reverse_name(name)",
        about: "The name as `owner_order` has it: labels from the root down, each followed by a dot",
    },
    Function {
        call: "canonical_name(name)",
        about: "The name as the columns have it: lower-case A-labels, no final dot; takes U-labels as well",
    },
    Function {
        call: "sketch_union(sketch)",
        about: "Over the rows of a group: the sketch of what any of theirs has seen",
    },
    Function {
        call: "sketch_count(sketch)",
        about: "About how many different things a sketch has seen",
    },
];

/// What a function of ours is, so that a rule of the optimizer knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    InZone,
    InPrefix,
    ReverseName,
    CanonicalName,
    /// The name of a text in the order from the root down.
    Name,
    /// The name of a text in the order in which it is read.
    NameAsRead,
    /// The mnemonic of a type.
    Type,
    /// The mnemonic of an RCODE.
    Rcode,
    /// One record in presentation form: type and data.
    Record,
    /// All records of an RRset: type and data.
    Records,
    /// The name that a value is.
    Target,
    /// The address that a value is.
    Address,
    SketchCount,
    SourceOwner,
    SourceLicence,
    SourceTlp,
}

type Body = Arc<dyn Fn(&[ArrayRef]) -> Result<ArrayRef> + Send + Sync>;

/// What a function of sources says of each, by the word of the source.
pub(crate) type Words = Arc<BTreeMap<String, String>>;

/// A function of ours.
pub(crate) struct OfLake {
    pub kind: Kind,
    name: &'static str,
    signature: Signature,
    gives: DataType,
    body: Body,
    /// Of a function of sources: what its body gives. It has to travel with the function, since only the lake knows it.
    pub words: Option<Words>,
}

impl fmt::Debug for OfLake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl PartialEq for OfLake {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind && self.words == other.words
    }
}

impl Eq for OfLake {}

impl Hash for OfLake {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.kind.hash(state);
    }
}

impl ScalarUDFImpl for OfLake {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(self.gives.clone())
    }

    /// A bound that was typed wrongly is told before any file is read.
    fn simplify(&self, arguments: Vec<Expr>, _: &SimplifyContext) -> Result<ExprSimplifyResult> {
        if let [_, Expr::Literal(bound, _)] = arguments.as_slice()
            && let Some(text) = bound.try_as_str().flatten()
        {
            match self.kind {
                Kind::InZone => drop(bound_of::<Name>(text)?),
                Kind::InPrefix => drop(bound_of::<Prefix>(text)?),
                _ => {}
            }
        }
        Ok(ExprSimplifyResult::Original(arguments))
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let is_one = arguments
            .args
            .iter()
            .all(|value| matches!(value, ColumnarValue::Scalar(_)));
        let rows = if is_one { 1 } else { arguments.number_rows };
        let arrays = arguments.args.iter().map(|value| value.to_array(rows));
        let given = (self.body)(&arrays.collect::<Result<Vec<_>>>()?)?;
        Ok(match is_one {
            true => ColumnarValue::Scalar(ScalarValue::try_from_array(&given, 0)?),
            false => ColumnarValue::Array(given),
        })
    }
}

/// What a function says of a source.
type Word = fn(&Source) -> String;

/// The functions of sources: what each is, its name, and what it says.
const OF_SOURCES: [(Kind, &str, Word); 3] = [
    (Kind::SourceOwner, "source_owner", |source| source.owner.clone()),
    (Kind::SourceLicence, "source_licence", |source| source.licence.clone()),
    (Kind::SourceTlp, "source_tlp", |source| source.tlp.to_string()),
];

/// All functions, for a lake with these sources.
pub(crate) fn all(sources: &[Source]) -> Vec<ScalarUDF> {
    let words = |word: Word| -> Words {
        let words = sources.iter().map(|source| (source.id.clone(), word(source)));
        Arc::new(words.collect())
    };
    let of_sources = OF_SOURCES.map(|(kind, name, word)| of_sources(kind, name, words(word)));
    of_any_lake().into_iter().chain(of_sources).collect()
}

/// The function of one name: one that gives these words, or one that is the same for any lake. `None` where there is none such.
pub(crate) fn named(name: &str, words: Option<Words>) -> Option<ScalarUDF> {
    match words {
        Some(words) => {
            let (kind, name, _) = OF_SOURCES.into_iter().find(|(_, of_sources, _)| *of_sources == name)?;
            Some(of_sources(kind, name, words))
        }
        None => of_any_lake().into_iter().find(|function| function.name() == name),
    }
}

fn of_sources(kind: Kind, name: &'static str, words: Words) -> ScalarUDF {
    let said = words.clone();
    ScalarUDF::from(OfLake {
        kind,
        name,
        signature: Signature::exact(vec![DataType::Utf8], Volatility::Immutable),
        gives: DataType::Utf8,
        body: text_body(move |id| said.get(id).cloned()),
        words: Some(words),
    })
}

/// The functions that need to know nothing of a lake.
pub(crate) fn of_any_lake() -> Vec<ScalarUDF> {
    use DataType::{Binary, Boolean, Int32, Int64, Utf8};
    let list = DataType::List(Arc::new(Field::new_list_field(Utf8, true)));
    let function = |kind, name, takes: &[DataType], gives: &DataType, body| {
        ScalarUDF::from(OfLake {
            kind,
            name,
            signature: Signature::exact(takes.to_vec(), Volatility::Immutable),
            gives: gives.clone(),
            body,
            words: None,
        })
    };
    vec![
        function(Kind::InZone, "in_zone", &[Utf8, Utf8], &Boolean, within(is_in_zone)),
        function(
            Kind::InPrefix,
            "in_prefix",
            &[Utf8, Utf8],
            &Boolean,
            within(is_in_prefix),
        ),
        function(
            Kind::ReverseName,
            "reverse_name",
            &[Utf8],
            &Utf8,
            text_body(|text| Some(stored::order(&text.parse().ok()?))),
        ),
        function(
            Kind::CanonicalName,
            "canonical_name",
            &[Utf8],
            &Utf8,
            text_body(|text| Some(text.parse::<Name>().ok()?.to_string())),
        ),
        function(
            Kind::Name,
            "name_of_order",
            &[Utf8],
            &Utf8,
            text_body(|text| Some(stored::name(text)?.to_string())),
        ),
        function(
            Kind::NameAsRead,
            "name_as_read",
            &[Utf8],
            &Utf8,
            text_body(|text| Some(stored::name_as_read(text)?.to_string())),
        ),
        function(
            Kind::Type,
            "type_name",
            &[Int32],
            &Utf8,
            number_body(|number| Rtype::from_int(number).to_string()),
        ),
        function(
            Kind::Rcode,
            "rcode_name",
            &[Int32],
            &Utf8,
            number_body(|number| OptRcode::masked_from_int(number).to_string()),
        ),
        function(Kind::Record, "record_text", &[Int32, Binary], &Utf8, Arc::new(record)),
        function(
            Kind::Records,
            "records_text",
            &[Int32, Binary],
            &list,
            Arc::new(records),
        ),
        function(
            Kind::Target,
            "value_target",
            &[Binary],
            &Utf8,
            value_body(|value| match value {
                Value::Name(name) => Some(name.to_string()),
                _ => None,
            }),
        ),
        function(
            Kind::Address,
            "value_address",
            &[Binary],
            &Utf8,
            value_body(|value| match value {
                Value::Address(address) => Some(address.to_string()),
                _ => None,
            }),
        ),
        function(
            Kind::SketchCount,
            "sketch_count",
            &[Binary],
            &Int64,
            Arc::new(sketches::count),
        ),
    ]
}

fn text_body(text: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Body {
    Arc::new(move |arguments| {
        let texts: &StringArray = arguments[0].as_string();
        Ok(Arc::new(
            texts.iter().map(|value| text(value?)).collect::<StringArray>(),
        ))
    })
}

fn number_body(text: impl Fn(u16) -> String + Send + Sync + 'static) -> Body {
    Arc::new(move |arguments| {
        let numbers: &Int32Array = arguments[0].as_primitive::<Int32Type>();
        let texts = numbers.iter().map(|number| Some(text(u16::try_from(number?).ok()?)));
        Ok(Arc::new(texts.collect::<StringArray>()))
    })
}

fn value_body(text: impl Fn(Value) -> Option<String> + Send + Sync + 'static) -> Body {
    Arc::new(move |arguments| {
        let values: &BinaryArray = arguments[0].as_binary();
        let texts = values.iter().map(|value| text(stored::value(value?)?));
        Ok(Arc::new(texts.collect::<StringArray>()))
    })
}

/// Whether values stand within a bound, which is mostly the same from row to row. A bound that cannot be read is an error: it was
/// typed, and null would look like "nothing found".
fn within<B: FromStr<Err: Display> + 'static>(holds: fn(&str, &B) -> Option<bool>) -> Body {
    Arc::new(move |arguments| {
        let (values, bounds): (&StringArray, &StringArray) = (arguments[0].as_string(), arguments[1].as_string());
        let mut last: Option<(&str, B)> = None;
        let mut answers = BooleanBuilder::with_capacity(values.len());
        for (value, text) in values.iter().zip(bounds) {
            if let Some(text) = text
                && last.as_ref().is_none_or(|(known, _)| *known != text)
            {
                last = Some((text, bound_of(text)?));
            }
            let bound = text.and(last.as_ref());
            answers.append_option(value.zip(bound).and_then(|(value, (_, bound))| holds(value, bound)));
        }
        Ok(Arc::new(answers.finish()))
    })
}

fn bound_of<B: FromStr<Err: Display>>(text: &str) -> Result<B> {
    text.parse().map_err(|error| plan_datafusion_err!("{error}"))
}

fn is_in_zone(name: &str, zone: &Name) -> Option<bool> {
    Some(name.parse::<Name>().ok()?.is_at_or_below(zone))
}

fn is_in_prefix(address: &str, prefix: &Prefix) -> Option<bool> {
    Some(prefix.contains(address.parse().ok()?))
}

fn record(arguments: &[ArrayRef]) -> Result<ArrayRef> {
    let rtypes: &Int32Array = arguments[0].as_primitive::<Int32Type>();
    let data: &BinaryArray = arguments[1].as_binary();
    let text = |(rtype, data): (Option<i32>, Option<&[u8]>)| Some(rdata_text(rtype_of(rtype?)?, data?));
    Ok(Arc::new(rtypes.iter().zip(data).map(text).collect::<StringArray>()))
}

fn records(arguments: &[ArrayRef]) -> Result<ArrayRef> {
    let rtypes: &Int32Array = arguments[0].as_primitive::<Int32Type>();
    let data: &BinaryArray = arguments[1].as_binary();
    let mut lists = ListBuilder::new(StringBuilder::new());
    for (rtype, data) in rtypes.iter().zip(data) {
        let rtype = rtype.and_then(rtype_of);
        let whole = rtype.zip(data.and_then(stored::records));
        lists.append_option(whole.map(|(rtype, records)| {
            let text = move |record: Vec<u8>| Some(rdata_text(rtype, &record));
            records.into_iter().map(text)
        }));
    }
    Ok(Arc::new(lists.finish()))
}

fn rtype_of(number: i32) -> Option<Rtype> {
    Some(Rtype::from_int(u16::try_from(number).ok()?))
}

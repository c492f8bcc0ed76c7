//! Turns conditions on names, addresses and types as people read them into conditions on the columns as they are kept, so that
//! the statistics of files and pages apply: `owner = 'www.example.com'` becomes `owner = 'com.example.www.'` of the table,
//! and `in_zone(owner, 'example.com')` a range.
//!
//! A condition is left as it is where the two would not take the same rows: `owner = 'WWW.example.com.'` holds for none. Only what
//! is joined by AND and OR is looked at: there a condition that is null takes no row, as one that is false.

use std::fmt::Display;
use std::net::IpAddr;
use std::str::FromStr;

use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::expr::{InList, ScalarFunction};
use datafusion::logical_expr::{BinaryExpr, Expr, LogicalPlan, Operator, lit};
use datafusion::optimizer::{ApplyOrder, OptimizerConfig, OptimizerRule};
use domain::base::iana::Rtype;
use lake::passive::stored;
use model::{Name, Prefix};

use crate::functions::{Kind, OfLake};

/// The rule.
#[derive(Debug)]
pub(crate) struct Ranges;

impl OptimizerRule for Ranges {
    fn name(&self) -> &str {
        "ranges_of_names"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::BottomUp)
    }

    fn rewrite(&self, plan: LogicalPlan, _: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        match plan {
            LogicalPlan::Filter(_) | LogicalPlan::TableScan(_) => plan.map_expressions(in_stored_form),
            other => Ok(Transformed::no(other)),
        }
    }
}

fn in_stored_form(condition: Expr) -> Result<Transformed<Expr>> {
    if let Expr::BinaryExpr(BinaryExpr {
        op: Operator::And | Operator::Or,
        ..
    }) = &condition
    {
        return condition.map_children(in_stored_form);
    }
    let stored = match &condition {
        Expr::BinaryExpr(BinaryExpr {
            left,
            op: Operator::Eq,
            right,
        }) => call(left)
            .zip(text(right))
            .or_else(|| call(right).zip(text(left)))
            .and_then(|((kind, column), text)| Some(column.clone().eq(lit(stored_value(kind, text)?)))),
        Expr::InList(InList {
            expr,
            list,
            negated: false,
        }) => call(expr).and_then(|(kind, column)| {
            let values = list.iter().map(|word| Some(lit(stored_value(kind, text(word)?)?)));
            Some(column.clone().in_list(values.collect::<Option<Vec<_>>>()?, false))
        }),
        Expr::ScalarFunction(ScalarFunction { func, args }) => match args.as_slice() {
            [value, bound] => func
                .inner()
                .downcast_ref::<OfLake>()
                .zip(text(bound))
                .and_then(|(within, bound)| range(within.kind, value, bound)),
            _ => None,
        },
        _ => None,
    };
    Ok(stored.map_or_else(|| Transformed::no(condition), Transformed::yes))
}

/// One of our functions of one column.
fn call(expression: &Expr) -> Option<(Kind, &Expr)> {
    let Expr::ScalarFunction(ScalarFunction { func, args }) = expression else {
        return None;
    };
    match args.as_slice() {
        [column @ Expr::Column(_)] => Some((func.inner().downcast_ref::<OfLake>()?.kind, column)),
        _ => None,
    }
}

fn text(expression: &Expr) -> Option<&str> {
    match expression {
        Expr::Literal(value, _) => value.try_as_str().flatten(),
        _ => None,
    }
}

/// The one value of the column for which the function gives the text.
fn stored_value(kind: Kind, text: &str) -> Option<ScalarValue> {
    match kind {
        Kind::Name => Some(ScalarValue::from(stored::order(&canonical(text)?))),
        Kind::NameAsRead => Some(ScalarValue::from(stored::as_read(&canonical(text)?))),
        Kind::Type => Some(ScalarValue::from(i32::from(canonical::<Rtype>(text)?.to_int()))),
        Kind::Target => Some(octets(stored::value_of_name(&canonical(text)?))),
        Kind::Address => Some(octets(stored::value_of_address(canonical::<IpAddr>(text)?))),
        _ => None,
    }
}

/// What the text says, if it says it as we do.
fn canonical<T: FromStr + Display>(text: &str) -> Option<T> {
    text.parse().ok().filter(|value: &T| value.to_string() == text)
}

fn octets(octets: Vec<u8>) -> ScalarValue {
    ScalarValue::Binary(Some(octets))
}

/// The range of the column that `value` is made of.
fn range(within: Kind, value: &Expr, bound: &str) -> Option<Expr> {
    let (kind, column) = call(value)?;
    let (from, to) = match (within, kind) {
        (Kind::InZone, Kind::Name) => {
            let range = stored::below(&bound.parse().ok()?)?;
            (ScalarValue::from(range.start), ScalarValue::from(range.end))
        }
        (Kind::InZone, Kind::Target) => {
            let range = stored::values_below(&bound.parse::<Name>().ok()?);
            (octets(range.start), octets(range.end))
        }
        (Kind::InPrefix, Kind::Address) => {
            let range = stored::values_of_prefix(bound.parse::<Prefix>().ok()?);
            (octets(range.start), octets(range.end))
        }
        _ => return None,
    };
    Some(column.clone().gt_eq(lit(from)).and(column.clone().lt(lit(to))))
}

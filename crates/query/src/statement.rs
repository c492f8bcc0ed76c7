//! Which statements are answered: those that read, and nothing else.

use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::Statement as Sql;

use crate::error::Error;

/// `Error::Refused` for a statement that would do more than read.
pub(crate) fn check(statement: &Statement) -> Result<(), Error> {
    let is_reading = match statement {
        Statement::Explain(explained) => return check(&explained.statement),
        Statement::Statement(statement) => is_reading(statement),
        Statement::CreateExternalTable(_) | Statement::CopyTo(_) | Statement::Reset(_) => false,
    };
    let first_word = || {
        statement
            .to_string()
            .split_whitespace()
            .next()
            .unwrap_or_default()
            .to_owned()
    };
    is_reading
        .then_some(())
        .ok_or_else(|| Error::Refused { what: first_word() })
}

fn is_reading(statement: &Sql) -> bool {
    match statement {
        Sql::Explain { statement, .. } => is_reading(statement),
        // DESCRIBE is an `ExplainTable` here; what a query holds besides reading, the plan refuses
        Sql::Query(_)
        | Sql::ExplainTable { .. }
        | Sql::ShowTables { .. }
        | Sql::ShowColumns { .. }
        | Sql::ShowFunctions { .. }
        | Sql::ShowVariable { .. } => true,
        _ => false,
    }
}

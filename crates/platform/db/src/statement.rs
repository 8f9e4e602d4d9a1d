//! SQL of the tables that exist in every schema. The text is completed once per [`Db`](crate::Db) and shared, because
//! a connection finds its prepared statement by that text.

use std::sync::Arc;

use sqlx::{
    AssertSqlSafe, FromRow, Postgres,
    postgres::{PgArguments, PgRow},
    query::{Query, QueryAs, QueryScalar},
};

use crate::Schema;

/// One statement for one schema.
#[derive(Debug, Clone)]
pub(crate) struct Statement(Arc<str>);

impl Statement {
    /// Puts the schema's name, which is a checked word, in place of `{schema}`.
    pub(crate) fn new(schema: Schema, template: &str) -> Self {
        Self(template.replace("{schema}", schema.as_str()).into())
    }

    pub(crate) fn query<'q>(&self) -> Query<'q, Postgres, PgArguments> {
        sqlx::query(AssertSqlSafe(Arc::clone(&self.0)))
    }

    pub(crate) fn rows<'q, T>(&self) -> QueryAs<'q, Postgres, T, PgArguments>
    where
        T: for<'r> FromRow<'r, PgRow>,
    {
        sqlx::query_as(AssertSqlSafe(Arc::clone(&self.0)))
    }

    pub(crate) fn scalar<'q, T>(&self) -> QueryScalar<'q, Postgres, T, PgArguments>
    where
        (T,): for<'r> FromRow<'r, PgRow>,
    {
        sqlx::query_scalar(AssertSqlSafe(Arc::clone(&self.0)))
    }
}

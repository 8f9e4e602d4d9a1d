//! The two doors to the database.

mod session;

use ids::{OrganizationId, TenantScope};
use sqlx::PgConnection;

use crate::{Db, DbError};
use session::Session;

/// A transaction that sees and changes the rows of one organization only. Dropping it rolls back.
#[derive(Debug)]
pub struct TenantTx {
    session: Session,
    organization_id: OrganizationId,
}

/// A transaction that sees every organization: for relays, consumers, sweeps and what happens before a tenant is known.
/// Dropping it rolls back.
///
/// Begin and commit give up by themselves. Statements end at the server's `statement_timeout`, of which a silent network
/// tells nothing: a loop that no request's deadline ends puts its whole pass into a `tokio::time::timeout`.
#[derive(Debug)]
pub struct SystemTx {
    session: Session,
}

impl TenantTx {
    /// Begins a transaction as the app role, with the scope's organization and actor set for its duration. One round
    /// trip.
    ///
    /// # Errors
    /// When there is no connection within `acquire_timeout_ms`.
    pub async fn begin(db: &Db, scope: &TenantScope) -> Result<Self, DbError> {
        let organization_id = scope.organization_id;
        // Row level security reads the first setting; triggers and the audit log may read the second.
        let begin = format!(
            "begin; set local app.organization_id = '{}'; set local app.actor = {}",
            organization_id.as_uuid(),
            quote(&scope.actor.to_string()),
        );
        Ok(Self {
            session: Session::begin(db, db.app(), begin).await?,
            organization_id,
        })
    }

    /// The organization whose rows it sees.
    pub const fn organization_id(&self) -> OrganizationId {
        self.organization_id
    }

    /// The connection, for statements.
    pub fn conn(&mut self) -> &mut PgConnection {
        self.session.conn()
    }

    /// Makes the changes durable.
    ///
    /// # Errors
    /// [`DbError::CommitUnknown`] when the answer did not come; any other error means that nothing was changed.
    pub async fn commit(self) -> Result<(), DbError> {
        self.session.commit().await
    }
}

impl SystemTx {
    /// Begins a transaction as the system role. `reason` is traced and counted: it is what an auditor reads.
    ///
    /// # Errors
    /// When there is no connection within `acquire_timeout_ms`.
    pub async fn begin(db: &Db, reason: &'static str) -> Result<Self, DbError> {
        db.count_system_transaction(reason);
        tracing::debug!(db.schema = %db.schema(), db.reason = reason, "transaction across organizations");
        let actor = quote(&format!("system:{reason}"));
        Ok(Self {
            session: Session::begin(
                db,
                db.system(),
                // A plan made while a table was empty reads all of it, and a connection keeps that plan while the
                // table grows. What runs here again and again has an index for everything.
                format!("begin; set local app.actor = {actor}; set local enable_seqscan = off"),
            )
            .await?,
        })
    }

    /// The connection, for statements.
    pub fn conn(&mut self) -> &mut PgConnection {
        self.session.conn()
    }

    /// Makes the changes durable.
    ///
    /// # Errors
    /// [`DbError::CommitUnknown`] when the answer did not come; any other error means that nothing was changed.
    pub async fn commit(self) -> Result<(), DbError> {
        self.session.commit().await
    }
}

/// Either transaction. What takes it (`outbox::push`, `jobs::push`, …) can't be called outside of one.
pub trait AsTx: sealed::Sealed + Send {
    /// The connection, for statements.
    fn conn(&mut self) -> &mut PgConnection;

    /// The database it runs on.
    fn db(&self) -> &Db;

    /// The organization of a [`TenantTx`].
    fn tenant(&self) -> Option<OrganizationId>;
}

impl AsTx for TenantTx {
    fn conn(&mut self) -> &mut PgConnection {
        self.session.conn()
    }

    fn db(&self) -> &Db {
        self.session.db()
    }

    fn tenant(&self) -> Option<OrganizationId> {
        Some(self.organization_id)
    }
}

impl AsTx for SystemTx {
    fn conn(&mut self) -> &mut PgConnection {
        self.session.conn()
    }

    fn db(&self) -> &Db {
        self.session.db()
    }

    fn tenant(&self) -> Option<OrganizationId> {
        None
    }
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::TenantTx {}
    impl Sealed for super::SystemTx {}
}

/// A string literal. `standard_conforming_strings` is on everywhere, so the quote is the only special character; NUL
/// can't be part of a protocol message.
fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''").replace('\0', ""))
}

#[cfg(test)]
mod tests {
    use super::quote;

    #[test]
    fn a_quote_can_not_leave_its_literal() {
        assert_eq!(quote("service:o'neil"), "'service:o''neil'");
        assert_eq!(quote("\\'; drop"), "'\\''; drop'");
        assert_eq!(quote("a\0b"), "'ab'");
    }
}

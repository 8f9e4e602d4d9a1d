//! What all requests of a directory have in common.

use auth::RequestContext;
use db::{SystemTx, TenantTx};
use ids::{Actor, TenantScope};
use scim::{Query, Version, answer::ErrorResponse};

use super::{answer::Refusal, unauthorized};
use crate::{
    Error,
    ops::{Tools, office::Office},
    store::scim::{Source, directories},
};

/// A request whose directory is known.
pub(super) struct Exchange<'a> {
    pub(super) tools: &'a Tools,
    /// The gateway.
    pub(super) caller: &'a RequestContext,
    pub(super) source: Source,
    /// The address of the SCIM service, without a slash at its end.
    pub(super) base: &'a str,
    pub(super) query: Query,
    pub(super) if_match: &'a str,
    pub(super) body: &'a [u8],
}

impl<'a> Exchange<'a> {
    fn scope(&self) -> TenantScope {
        TenantScope {
            organization_id: self.source.organization_id,
            actor: Actor::Directory(self.source.directory_id),
        }
    }

    /// A transaction that reads.
    pub(super) async fn read(&self) -> Result<TenantTx, Error> {
        Ok(TenantTx::begin(&self.tools.db, &self.scope()).await?)
    }

    /// The one transaction of a request that changes something. It sees people, who belong to no tenant; it holds the
    /// organization, so whatever another request changes is seen or waits.
    pub(super) async fn write(&self) -> Result<Office<'a, SystemTx>, Refusal> {
        let tx = SystemTx::begin(&self.tools.db, "provision people").await?;
        let mut office = Office::hold(tx, self.tools, self.caller, self.scope()).await?;
        let connected = directories::lock(&mut office.tx, self.source).await?;
        connected.ok_or_else(unauthorized)?;
        Ok(office)
    }

    /// `If-Match` (RFC 7644, 3.14).
    pub(super) fn refuse_other_version(&self, revision: i64) -> Result<(), Refusal> {
        let named = Version::of_revision(revision).is_named_by(self.if_match);
        if self.if_match.is_empty() || named {
            Ok(())
        } else {
            Err(ErrorResponse::version_mismatch().into())
        }
    }
}

//! How a login ended: the browser learns that, the administrator learns why.

use db::{DbError, TenantTx};
use ids::{SsoTraceId, TenantScope};

use crate::{
    Error, SsoError,
    domain::sso::{Connection, FlowFault, Refused},
    ops::{Tools, sso::budget::TooSlow},
    store::sso::traces::{self, Trace},
};

/// The longest sentence that is kept, in characters.
const MAX_DETAIL: usize = 1_000;

/// Why a login went no further.
#[derive(Debug)]
pub(super) enum Stop {
    /// Nobody is logged in, and that is right.
    Refused {
        /// A stable word.
        reason: &'static str,
        /// A sentence for the administrator.
        detail: String,
    },
    /// The same, and nothing is written down: anybody could have that done without end, or nobody is left to read it.
    Untraced {
        /// A stable word.
        reason: &'static str,
    },
    /// We failed.
    Broken(Error),
}

impl Stop {
    pub(super) fn refused(reason: &'static str, detail: impl Into<String>) -> Self {
        Self::Refused {
            reason,
            detail: detail.into(),
        }
    }
}

/// There is nothing left to write a trace about.
pub(super) const fn connection_deleted() -> Stop {
    Stop::Untraced {
        reason: "connection_deleted",
    }
}

impl From<TooSlow> for Stop {
    fn from(_: TooSlow) -> Self {
        Self::refused(
            "provider_too_slow",
            "The provider's answers took longer than a login can wait.",
        )
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Broken(error)
    }
}

impl From<DbError> for Stop {
    fn from(error: DbError) -> Self {
        Self::Broken(error.into())
    }
}

impl From<Refused> for Stop {
    fn from(refused: Refused) -> Self {
        Self::refused(refused.reason(), refused.detail())
    }
}

impl From<FlowFault> for Stop {
    fn from(fault: FlowFault) -> Self {
        match fault {
            FlowFault::OtherBrowser => Self::refused(
                "browser_mismatch",
                "The login was begun in another browser. Cookies may be blocked, or somebody was sent a foreign link.",
            ),
            FlowFault::Used => Self::refused("flow_used", "The login was ended before."),
            FlowFault::Expired => Self::refused(
                "flow_expired",
                "The person took longer than ten minutes at the provider.",
            ),
        }
    }
}

impl From<oidc::Faults> for Stop {
    fn from(faults: oidc::Faults) -> Self {
        Self::refused("provider_unusable", faults.to_string())
    }
}

impl From<oidc::Refusal> for Stop {
    fn from(refusal: oidc::Refusal) -> Self {
        Self::refused(refusal.reason(), refusal.to_string())
    }
}

impl From<saml::MetadataError> for Stop {
    fn from(error: saml::MetadataError) -> Self {
        let detail = format!(
            "The stored metadata can't be used: {}.",
            errors::chain(&error)
        );
        Self::refused("metadata_unusable", detail)
    }
}

impl From<saml::Refusal> for Stop {
    fn from(refusal: saml::Refusal) -> Self {
        Self::refused(refusal.reason(), sentence(&refusal.to_string()))
    }
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first: String = letters
        .next()
        .map(|first| first.to_uppercase().collect())
        .unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}

/// Writes down how the attempt ended, in a transaction of its own. `success` is the sentence for one that went well, if
/// that is to be written.
///
/// # Errors
/// [`SsoError::Failed`] for whatever was refused: one answer for all reasons.
pub(super) async fn end<T>(
    tools: &Tools,
    connection: &Connection,
    success: impl FnOnce(&T) -> Option<&'static str>,
    outcome: Result<T, Stop>,
) -> Result<T, Error> {
    match outcome {
        Ok(value) => {
            if let Some(detail) = success(&value) {
                write(tools, connection, true, "succeeded", detail).await?;
            }
            Ok(value)
        }
        Err(Stop::Refused { reason, detail }) => {
            let id = write(tools, connection, false, reason, &detail).await?;
            tracing::info!(sso_connection.id = %connection.id, sso_trace.id = %id, reason, "a login was refused");
            Err(SsoError::Failed(id).into())
        }
        Err(Stop::Untraced { reason }) => {
            tracing::info!(sso_connection.id = %connection.id, reason, "a login was refused");
            Err(unknown(tools))
        }
        Err(Stop::Broken(error)) => Err(error),
    }
}

async fn write(
    tools: &Tools,
    connection: &Connection,
    succeeded: bool,
    reason: &str,
    detail: &str,
) -> Result<SsoTraceId, Error> {
    let now = tools.db.clock().now();
    let trace = Trace {
        id: SsoTraceId::stamped(now),
        occurred_at: now,
        succeeded,
        reason: reason.to_owned(),
        // No text for the database has a NUL.
        detail: detail.replace('\0', "?").chars().take(MAX_DETAIL).collect(),
    };
    let scope = TenantScope::system(connection.organization_id, "sso");
    let mut tx = TenantTx::begin(&tools.db, &scope).await?;
    traces::insert(&mut tx, connection.organization_id, connection.id, &trace).await?;
    tx.commit().await?;
    Ok(trace.id)
}

/// The same answer where nothing is written.
pub(super) fn unknown(tools: &Tools) -> Error {
    SsoError::Failed(SsoTraceId::stamped(tools.db.clock().now())).into()
}

//! What concerns a person in all organizations at once.

use auth::{Origin, Principal, RequestContext};
use db::{AsTx, SystemTx};
use ids::{Actor, SessionId, TenantScope, UserId};
use secrecy::SecretString;

use super::{
    audit::{self, Change},
    begin_session,
    grounds::Grounds,
    mfa::By,
};
use crate::{
    Error,
    domain::session::EndReason,
    events::Occasion,
    mail::{self, Letter},
    store::{
        email_links::{self, Purpose},
        passwords, sessions,
        users::{self, User},
    },
};

/// A caller who is a person.
#[derive(Debug)]
pub(super) struct Me {
    pub(super) user_id: UserId,
    pub(super) session_id: SessionId,
    pub(super) scope: TenantScope,
}

impl Me {
    pub(super) fn changes<'a>(&self, origin: &'a Origin) -> By<'a> {
        By {
            user_id: self.user_id,
            grounds: Grounds::Session(self.scope.organization_id, self.session_id),
            actor: self.scope.actor.clone(),
            origin,
        }
    }
}

/// The person who calls.
///
/// # Errors
/// [`Error::NoSession`] for a program.
pub(super) fn caller(caller: &RequestContext) -> Result<Me, Error> {
    let Principal::User { id, session_id, .. } = caller.principal()? else {
        return Err(Error::NoSession);
    };
    Ok(Me {
        user_id: *id,
        session_id: *session_id,
        scope: caller.require_scope()?,
    })
}

/// What others may know of a person: worth nothing in a password.
pub(super) async fn context(tx: &mut SystemTx, user: &User) -> Result<Vec<String>, Error> {
    let organizations = users::list_organizations(tx, user.id).await?;
    let names = organizations
        .into_iter()
        .map(|(organization, _)| organization.name);
    Ok([user.email.clone(), user.name.clone()]
        .into_iter()
        .chain(names)
        .collect())
}

/// Ends a person's sessions in all organizations, except `kept`; how many. The transaction has the person locked, so that
/// none begins meanwhile, and no audit log: everybody locks sessions first.
pub(super) async fn end_sessions_everywhere(
    tx: &mut SystemTx,
    user_id: UserId,
    kept: Option<SessionId>,
    reason: EndReason,
    actor: &Actor,
) -> Result<usize, Error> {
    let mut ended = sessions::lock_all_of_person(tx, user_id).await?;
    // Tokens that were signed while we waited are older than this.
    let at = tx.db().clock().now();
    ended.retain(|(_, id)| Some(*id) != kept);
    for of_one in ended.chunk_by(|one, next| one.0 == next.0) {
        let Some((organization_id, _)) = of_one.first() else {
            continue;
        };
        let occasion = Occasion {
            organization_id: *organization_id,
            actor: actor.clone(),
            at,
        };
        let ids: Vec<SessionId> = of_one.iter().map(|(_, id)| *id).collect();
        begin_session::end(tx, &ids, reason, &occasion).await?;
    }
    Ok(ended.len())
}

/// Writes a change of how a person logs in into the audit log of each of the person's organizations, also of those that
/// are suspended: the person will log in there again.
pub(super) async fn record_everywhere(
    tx: &mut SystemTx,
    user_id: UserId,
    actor: &Actor,
    origin: &Origin,
    action: &'static str,
) -> Result<(), Error> {
    let at = tx.db().clock().now();
    // Each has a lock on its log: everybody takes them in this order.
    for organization_id in users::list_organization_ids(tx, user_id).await? {
        let occasion = Occasion {
            organization_id,
            actor: actor.clone(),
            at,
        };
        audit::record(tx, &occasion, origin, action, user_id, Change::default()).await?;
    }
    Ok(())
}

/// Another password, and what follows: links to choose one are void, other sessions end, the person is told.
pub(super) async fn set_password(
    tx: &mut SystemTx,
    by: &By<'_>,
    hash: &SecretString,
) -> Result<(), Error> {
    let (user_id, now) = (by.user_id, tx.db().clock().now());
    passwords::change(tx, user_id, hash, now).await?;
    email_links::close(tx, user_id, Purpose::ResetPassword, now).await?;
    let (kept, reason) = (by.grounds.session(), EndReason::PasswordChanged);
    end_sessions_everywhere(tx, user_id, kept, reason, &by.actor).await?;
    record_everywhere(tx, user_id, &by.actor, by.origin, "password.changed").await?;
    mail::queue(tx, &[Letter::PasswordChanged { user_id }]).await?;
    Ok(())
}

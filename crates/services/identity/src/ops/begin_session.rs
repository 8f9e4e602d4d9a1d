//! The end of every way to log in.

use std::time::Duration;

use auth::{Origin, Revoked};
use db::{AsTx, SystemTx, TenantTx};
use ids::{Actor, OrganizationId, SessionId, UserId};
use serde_json::json;

use super::{
    SessionTokens, Tools,
    audit::{self, Change},
    grounds::Grounds,
    issue_tokens,
};
use crate::{
    Error, SsoError,
    domain::session::{EndReason, Login, Session},
    events::{self, Occasion},
    mail::{self, Letter},
    store::{
        members::{self, Member},
        revocations, sessions,
        sso::connections,
    },
};

/// A login that is good.
#[derive(Debug)]
pub(crate) struct Begin<'a> {
    pub(crate) user_id: UserId,
    pub(crate) organization_id: OrganizationId,
    pub(crate) login: Login,
    /// They must still hold.
    pub(crate) grounds: Grounds,
    /// For the audit log.
    pub(crate) origin: &'a Origin,
    /// The longest life of the session.
    pub(crate) lasts: Duration,
    /// The person is told of a login from a device that was not seen before.
    pub(crate) new_device: bool,
}

/// Begins a session of a person whom an identity provider vouches for. `origin` is for the audit log.
///
/// # Errors
/// [`Error::NotMember`] when the person has been removed or deactivated meanwhile, [`Error::OrganizationInactive`], and
/// [`SsoError::Unknown`] when the connection it came through was deleted.
pub(crate) async fn begin_session(
    tools: &Tools,
    user_id: UserId,
    organization_id: OrganizationId,
    login: Login,
    origin: &Origin,
) -> Result<(SessionTokens, Member), Error> {
    let begin = Begin {
        user_id,
        organization_id,
        login,
        grounds: Grounds::Provider,
        origin,
        lasts: tools.sessions.lasts,
        new_device: false,
    };
    begin.run(tools).await
}

impl Begin<'_> {
    /// [`begin_session`], with everything said.
    ///
    /// Through the system door: the person and a session that goes on elsewhere are no tenant's.
    ///
    /// # Errors
    /// As [`begin_session`] and [`Grounds::hold`].
    pub(crate) async fn run(self, tools: &Tools) -> Result<(SessionTokens, Member), Error> {
        let (user_id, organization_id) = (self.user_id, self.organization_id);
        let actor = Actor::User(user_id);
        let mut tx = SystemTx::begin(&tools.db, "begin a session").await?;
        // The organization and its member before the person: everybody locks in this order.
        members::hold(&mut tx, organization_id, user_id).await?;
        self.grounds.hold(&mut tx, user_id).await?;
        let now = tools.db.clock().now();
        let member = members::find(&mut tx, organization_id, user_id)
            .await?
            .filter(|member| member.active)
            .ok_or(Error::NotMember)?;
        if !member.organization_active {
            return Err(Error::OrganizationInactive);
        }
        if let Some(id) = self.login.connection_id
            && !connections::hold(&mut tx, organization_id, id).await?
        {
            return Err(SsoError::Unknown("connection").into());
        }
        let session = Session::begin(user_id, now, self.lasts, self.login);
        sessions::insert(&mut tx, organization_id, &session).await?;
        let occasion = Occasion {
            organization_id,
            actor,
            at: now,
        };
        let change = Change {
            before: None,
            after: Some(json!({ "methods": methods(&session) })),
        };
        let (action, origin) = ("session.started", self.origin);
        audit::record(&mut tx, &occasion, origin, action, session.id, change).await?;
        if self.new_device {
            let letter = Letter::NewDevice {
                organization_id,
                session_id: session.id,
            };
            mail::queue(&mut tx, &[letter]).await?;
        }
        tx.commit().await?;
        let generation = session.generation;
        let tokens = issue_tokens::of_session(tools, &session, &member, generation, now).await?;
        Ok((tokens, member))
    }
}

fn methods(session: &Session) -> Vec<&'static str> {
    let methods = session.login.methods.iter();
    methods.map(|method| method.as_str()).collect()
}

/// Ends sessions in the caller's transaction: no refresh, no token of theirs is accepted from now on, and whoever cares
/// is told.
pub(crate) async fn end_sessions(
    tx: &mut TenantTx,
    ended: &[Session],
    reason: EndReason,
    occasion: &Occasion,
) -> Result<(), Error> {
    let ended: Vec<SessionId> = ended.iter().map(|session| session.id).collect();
    end(tx, &ended, reason, occasion).await
}

/// [`end_sessions`] by their ids, in the organization of the occasion.
pub(crate) async fn end(
    tx: &mut impl AsTx,
    ended: &[SessionId],
    reason: EndReason,
    occasion: &Occasion,
) -> Result<(), Error> {
    let organization_id = occasion.organization_id;
    let mut void = Vec::with_capacity(ended.len());
    for id in ended {
        if let Some(user_id) = sessions::end(tx, organization_id, *id, reason, occasion.at).await? {
            events::session_ended(tx, occasion, *id, user_id, reason).await?;
            void.push(Revoked::Session(*id));
        }
    }
    revocations::record(tx, organization_id, &void, occasion.at).await?;
    Ok(())
}

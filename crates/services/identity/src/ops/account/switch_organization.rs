//! Begin a session in another of the own organizations.

use auth::{Origin, RequestContext, Role};
use db::{SystemTx, TenantTx};
use ids::OrganizationId;

use crate::{
    Error,
    domain::session::{Login, Session},
    ops::{
        SessionTokens, Tools,
        begin_session::Begin,
        grounds::Grounds,
        person::{self, Me},
        sso::required::refuse_carried,
    },
    store::{
        members,
        organizations::Organization,
        sessions,
        users::{self, User},
    },
};

#[derive(Debug)]
pub(crate) struct Switched {
    pub(crate) tokens: SessionTokens,
    pub(crate) user: User,
    pub(crate) organization: Organization,
    pub(crate) role: Role,
}

/// The new session is as old and as well proven as the present one: going to and fro makes neither live longer.
#[tracing::instrument(skip_all)]
pub(crate) async fn switch_organization(
    tools: &Tools,
    caller: &RequestContext,
    organization_id: OrganizationId,
) -> Result<Switched, Error> {
    let me = person::caller(caller)?;
    let mut tx = TenantTx::begin(&tools.db, &me.scope).await?;
    let session = sessions::lock(&mut tx, me.session_id).await?;
    tx.commit().await?;
    let session = session.ok_or(Error::SessionUnknown)?;
    let (user, organization) = admit(tools, &me, &session, organization_id).await?;
    let now = tools.db.clock().now();
    let begin = Begin {
        user_id: me.user_id,
        organization_id,
        login: carried(&session, &caller.origin),
        grounds: Grounds::Session(me.scope.organization_id, me.session_id),
        origin: &caller.origin,
        lasts: (session.expires_at - now)
            .to_std()
            .map_err(|_| Error::SessionUnknown)?,
        new_device: false,
    };
    let (tokens, member) = begin.run(tools).await?;
    Ok(Switched {
        tokens,
        user,
        organization,
        role: member.membership.role,
    })
}

/// The organization, if the present session is good enough for it.
async fn admit(
    tools: &Tools,
    me: &Me,
    session: &Session,
    organization_id: OrganizationId,
) -> Result<(User, Organization), Error> {
    let now = tools.db.clock().now();
    let mut tx = SystemTx::begin(&tools.db, "switch the organization").await?;
    let user = users::lock(&mut tx, me.user_id)
        .await?
        .ok_or(Error::NotMember)?;
    let organizations = users::list_organizations(&mut tx, me.user_id).await?;
    let (organization, role) = organizations
        .into_iter()
        .find(|(organization, _)| organization.id == organization_id)
        .ok_or(Error::NotMember)?;
    refuse_carried(&mut tx, &session.login, organization_id, &user.email, role).await?;
    let member = members::find(&mut tx, organization_id, me.user_id).await?;
    tx.commit().await?;
    let wanted = member.is_some_and(|member| member.wants_second_factor(now));
    if wanted && !session.login.is_strong() {
        return Err(Error::FactorWanted);
    }
    Ok((user, organization))
}

fn carried(session: &Session, origin: &Origin) -> Login {
    let login = Login::new(
        session.login.methods.clone(),
        session.login.authenticated_at,
        origin,
    );
    Login {
        connection_id: session.login.connection_id,
        ..login
    }
}

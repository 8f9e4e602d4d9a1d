//! Logins: to the provider and back.

pub(crate) mod begin_sso;
pub(crate) mod finish_oidc;
pub(crate) mod finish_saml;
pub(crate) mod get_saml_metadata;

mod admission;
mod arrival;
mod flow;
mod trace;

use auth::{Origin, Role};
use ids::SsoConnectionId;

use self::{
    arrival::Arrival,
    trace::{Stop, connection_deleted, end, unknown},
};
use crate::{
    Error, PeopleError, SsoError,
    domain::{
        session::{Login, Method},
        sso::{Connection, ReturnPath},
    },
    ops::{
        SessionTokens, Tools,
        begin_session::begin_session,
        throttle::{self, Attempt},
    },
    store::{
        organizations::Organization,
        sso::connections::{self, Stored},
        users::User,
    },
};

/// A login that went well.
#[derive(Debug)]
pub(crate) struct LoggedIn {
    pub(crate) tokens: SessionTokens,
    pub(crate) user: User,
    pub(crate) organization: Organization,
    pub(crate) role: Role,
    pub(crate) return_to: ReturnPath,
    /// A sentence for the administrator.
    detail: &'static str,
}

/// The connection that was called; without one nobody's administrator can be told anything.
async fn find(tools: &Tools, id: SsoConnectionId) -> Result<Stored, Error> {
    let mut tx = db::SystemTx::begin(&tools.db, "single sign-on").await?;
    let found = connections::find_anywhere(&mut tx, id).await?;
    tx.commit().await?;
    found.ok_or_else(|| unknown(tools))
}

/// Whether anybody gets in through the connection at present.
fn check_open(stored: &Stored) -> Result<(), Stop> {
    if !stored.organization_active {
        return Err(Stop::refused(
            "organization_inactive",
            "The organization is suspended or being deleted.",
        ));
    }
    if !stored.connection.enabled {
        return Err(Stop::refused(
            "connection_disabled",
            "The connection is switched off.",
        ));
    }
    Ok(())
}

/// The session of somebody a provider vouched for.
async fn log_in(
    tools: &Tools,
    stored: &Stored,
    arrival: Arrival,
    method: Method,
    return_to: ReturnPath,
    origin: &Origin,
) -> Result<LoggedIn, Stop> {
    let connection = &stored.connection;
    let (user, organization) = admission::admit(tools, connection, &arrival, origin).await?;
    let mut login = Login::new(vec![method], tools.db.clock().now(), origin);
    login.connection_id = Some(connection.id);
    let begun = begin_session(tools, user.id, organization.id, login, origin).await;
    let (tokens, member) = begun.map_err(|error| match error {
        // Between the admission and here.
        Error::NotMember | Error::OrganizationInactive => Stop::refused(
            "member_deactivated",
            "The member was deactivated or removed during the login.",
        ),
        Error::People(PeopleError::NoSeat) => Stop::refused("no_seat", "Every seat is taken."),
        Error::Sso(SsoError::Unknown(_)) => connection_deleted(),
        other => Stop::Broken(other),
    })?;
    Ok(LoggedIn {
        tokens,
        user,
        organization,
        role: member.membership.role,
        return_to,
        detail: detail(connection, &arrival),
    })
}

fn detail(connection: &Connection, arrival: &Arrival) -> &'static str {
    if arrival.groups_incomplete && !connection.role_mappings.is_empty() {
        "A person logged in through the provider. It did not send all groups of the person, so the role was left as it is."
    } else {
        "A person logged in through the provider."
    }
}

/// Ends a login for whoever brings an answer. One that is refused counts like a wrong password, where it comes from.
async fn braked(
    tools: &Tools,
    origin: &Origin,
    finishing: impl Future<Output = Result<LoggedIn, Stop>>,
) -> Result<LoggedIn, Stop> {
    let attempt = Attempt::begin(tools, &throttle::around(origin)).await?;
    let outcome = finishing.await;
    match &outcome {
        Ok(_) => attempt.succeed(tools).await?,
        Err(Stop::Broken(_)) => attempt.withdraw(tools).await?,
        Err(Stop::Refused { .. } | Stop::Untraced { .. }) => {}
    }
    outcome
}

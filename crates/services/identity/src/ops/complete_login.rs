//! Finish a login with the second factor, or by setting one up.

use auth::Origin;
use db::SystemTx;
use ids::Actor;
use secrecy::SecretString;

use super::{
    Tools,
    grounds::Grounds,
    log_in::{Finish, LoggedIn},
    mfa::{self, Proof, Setup},
};
use crate::{
    Error,
    domain::{
        challenge::{Challenge, Lacks},
        session::Method,
    },
    store::{
        organizations::Organization,
        users::{self, Credentials, User},
    },
};

#[tracing::instrument(skip_all)]
pub(crate) async fn complete_login(
    tools: &Tools,
    challenge: &str,
    proof: Proof,
    origin: &Origin,
) -> Result<LoggedIn, Error> {
    let open = open(tools, challenge, Lacks::SecondFactor).await?;
    let user_id = open.user.id;
    let method = mfa::check(tools, user_id, proof).await?;
    open.finish(tools, method, origin).await
}

/// Begins to set up the second factor that the organization wants.
#[tracing::instrument(skip_all)]
pub(crate) async fn start_enrolment(tools: &Tools, challenge: &str) -> Result<Setup, Error> {
    let open = open(tools, challenge, Lacks::Enrolment).await?;
    mfa::start(tools, &open.user).await
}

#[tracing::instrument(skip_all)]
pub(crate) async fn complete_enrolment(
    tools: &Tools,
    challenge: &str,
    code: &str,
    origin: &Origin,
) -> Result<(LoggedIn, Vec<SecretString>), Error> {
    let mut open = open(tools, challenge, Lacks::Enrolment).await?;
    let by = mfa::By {
        user_id: open.user.id,
        grounds: Grounds::Password(open.credentials),
        actor: Actor::User(open.user.id),
        origin,
    };
    let (confirmed_at, codes) = mfa::confirm(tools, &by, code).await?;
    open.credentials.factor_confirmed_at = Some(confirmed_at);
    let logged_in = open.finish(tools, Method::Totp, origin).await?;
    Ok((logged_in, codes))
}

/// A challenge whose password is still the person's.
struct Open {
    user: User,
    organization: Organization,
    credentials: Credentials,
    challenge: Challenge,
}

async fn open(tools: &Tools, token: &str, lacks: Lacks) -> Result<Open, Error> {
    let now = tools.db.clock().now();
    let ring = tools.keys.current().await;
    let challenge = Challenge::of(&ring, lacks, token, now).ok_or(Error::Challenge)?;
    let user_id = challenge.user_id();
    let mut tx = SystemTx::begin(&tools.db, "finish a login").await?;
    let user = users::lock(&mut tx, user_id)
        .await?
        .ok_or(Error::Challenge)?;
    let credentials = users::find_credentials(&mut tx, user_id)
        .await?
        .filter(|credentials| credentials.password_changed_at <= challenge.issued_at)
        .ok_or(Error::Challenge)?;
    // In whatever state: an owner logs in to take a deletion back. Who is let in is decided when the session begins.
    let organization = users::find_organization(&mut tx, user_id, challenge.organization_id);
    let organization = organization.await?.ok_or(Error::NotMember)?;
    tx.commit().await?;
    Ok(Open {
        user,
        organization,
        credentials,
        challenge,
    })
}

impl Open {
    async fn finish(
        self,
        tools: &Tools,
        method: Method,
        origin: &Origin,
    ) -> Result<LoggedIn, Error> {
        let finish = Finish {
            user: self.user,
            organization: self.organization,
            credentials: self.credentials,
            challenge: self.challenge,
            methods: vec![Method::Password, method],
            origin,
        };
        finish.run(tools).await
    }
}

//! Finish a login with the second factor, or by setting one up.

use auth::Origin;
use db::SystemTx;
use ids::Actor;
use secrecy::SecretString;

use super::{
    Tools,
    log_in::{Finish, LoggedIn},
    mfa::{self, Setup},
};
use crate::{
    Error,
    domain::{
        challenge::{Challenge, Lacks},
        session::Method,
    },
    store::{
        organizations::Organization,
        passwords,
        users::{self, User},
    },
};

/// What the person has besides the password.
pub(crate) enum Proof {
    Totp(String),
    RecoveryCode(String),
}

#[tracing::instrument(skip_all)]
pub(crate) async fn complete_login(
    tools: &Tools,
    challenge: &str,
    proof: Proof,
    origin: &Origin,
) -> Result<LoggedIn, Error> {
    let open = open(tools, challenge, Lacks::SecondFactor).await?;
    let user_id = open.user.id;
    let method = match proof {
        Proof::Totp(code) => {
            mfa::check_totp(tools, user_id, &code).await?;
            Method::Totp
        }
        Proof::RecoveryCode(code) => {
            mfa::check_recovery_code(tools, user_id, &code).await?;
            Method::RecoveryCode
        }
    };
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
    let open = open(tools, challenge, Lacks::Enrolment).await?;
    let by = mfa::By {
        user_id: open.user.id,
        session_id: None,
        actor: Actor::User(open.user.id),
        origin,
    };
    let codes = mfa::confirm(tools, &by, code).await?;
    let logged_in = open.finish(tools, Method::Totp, origin).await?;
    Ok((logged_in, codes))
}

/// A challenge whose password is still the person's.
struct Open {
    user: User,
    organization: Organization,
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
    let unchanged = passwords::find(&mut tx, user_id)
        .await?
        .is_some_and(|password| password.changed_at <= challenge.issued_at);
    if !unchanged {
        return Err(Error::Challenge);
    }
    let organizations = users::list_organizations(&mut tx, user_id).await?;
    tx.commit().await?;
    let (organization, _) = organizations
        .into_iter()
        .find(|(organization, _)| organization.id == challenge.organization_id)
        .ok_or(Error::NotMember)?;
    Ok(Open {
        user,
        organization,
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
            challenge: self.challenge,
            methods: vec![Method::Password, method],
            origin,
        };
        finish.run(tools).await
    }
}

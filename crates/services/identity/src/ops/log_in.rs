//! Log in with e-mail and password.

use auth::{Origin, Role};
use db::SystemTx;
use ids::{OrganizationId, UserId};
use secrecy::SecretString;

use super::{
    SessionTokens, Tools,
    begin_session::Begin,
    grounds::Grounds,
    sso::required::{Password, judge_password},
    throttle::{self, Attempt, Guarded},
};
use crate::{
    Error, SsoError,
    domain::{
        challenge::{Challenge, Lacks},
        device::Device,
        email::EmailKey,
        session::{Login, Method},
    },
    passwords::Verdict,
    store::{
        members,
        organizations::Organization,
        passwords,
        users::{self, Account, Credentials, User},
    },
};

pub(crate) struct LogIn {
    pub(crate) email: String,
    pub(crate) password: SecretString,
    /// Empty on a device that was never here.
    pub(crate) device_token: String,
    pub(crate) organization_id: Option<OrganizationId>,
}

/// How far a login came.
#[derive(Debug)]
pub(crate) enum Progress {
    Done(Box<LoggedIn>),
    /// The password is right; this is missing, and the token takes the place of the password.
    Lacks(Lacks, SecretString),
}

#[derive(Debug)]
pub(crate) struct LoggedIn {
    pub(crate) tokens: SessionTokens,
    pub(crate) user: User,
    pub(crate) organization: Organization,
    pub(crate) role: Role,
    pub(crate) device_token: SecretString,
}

#[tracing::instrument(skip_all)]
pub(crate) async fn log_in(
    tools: &Tools,
    input: LogIn,
    origin: &Origin,
) -> Result<Progress, Error> {
    let email = EmailKey::new(&input.email);
    let mut tx = SystemTx::begin(&tools.db, "log in").await?;
    let account = users::find_account(&mut tx, &email, input.organization_id).await?;
    tx.commit().await?;
    let ring = tools.keys.current().await;
    let known = Device::of(&ring, &input.device_token).filter(|device| {
        let owner = account.as_ref().map(|account| account.user.id);
        owner == Some(device.user_id)
    });
    let mut guarded = throttle::around(origin);
    match &known {
        Some(device) => guarded = vec![Guarded::Device(device)],
        None => guarded.push(Guarded::Account(&email)),
    }
    let attempt = Attempt::begin(tools, &guarded).await?;
    let account = recognise(tools, account, input.password, attempt).await?;
    let now = tools.db.clock().now();
    let challenge = Challenge {
        organization_id: account.organization.id,
        device: known.unwrap_or_else(|| Device::new(account.user.id)),
        device_known: known.is_some(),
        issued_at: now,
    };
    let credentials = account.credentials.ok_or(Error::Credentials)?;
    if let Some(lacks) = what_lacks(tools, &account, credentials).await? {
        let token = challenge.token(lacks, ring.refresh_key(now)?);
        return Ok(Progress::Lacks(lacks, token));
    }
    let finish = Finish {
        user: account.user,
        organization: account.organization,
        credentials,
        challenge,
        methods: vec![Method::Password],
        origin,
    };
    Ok(Progress::Done(Box::new(finish.run(tools).await?)))
}

/// The account, if the password is its own. The attempt stays a failure if it is not.
async fn recognise(
    tools: &Tools,
    mut account: Option<Account>,
    password: SecretString,
    attempt: Attempt,
) -> Result<Account, Error> {
    // No transaction is open while the password is hashed. An unknown person's is hashed too.
    let stored = account
        .as_mut()
        .and_then(|account| account.password_hash.take());
    let verdict = match tools.passwords.verify(password, stored.clone()).await {
        Ok(verdict) => verdict,
        Err(error) => {
            attempt.withdraw(tools).await?;
            return Err(error);
        }
    };
    let account = account
        .filter(|_| verdict.is_right())
        // Whoever has not proven the address is nobody yet, where that is asked for.
        .filter(|account| account.email_verified || tools.unproven_sign_ups)
        .ok_or(Error::Credentials)?;
    attempt.succeed(tools).await?;
    if let (Verdict::Outdated(better), Some(old)) = (verdict, stored) {
        replace_hash(tools, account.user.id, &old, &better).await?;
    }
    Ok(account)
}

async fn replace_hash(
    tools: &Tools,
    user_id: UserId,
    old: &SecretString,
    better: &SecretString,
) -> Result<(), Error> {
    let mut tx = SystemTx::begin(&tools.db, "replace a hash").await?;
    passwords::rehash(&mut tx, user_id, old, better).await?;
    tx.commit().await?;
    Ok(())
}

/// What stands between a right password and a session.
///
/// # Errors
/// When the organization accepts no password of this person.
async fn what_lacks(
    tools: &Tools,
    account: &Account,
    credentials: Credentials,
) -> Result<Option<Lacks>, Error> {
    let organization_id = account.organization.id;
    let mut tx = SystemTx::begin(&tools.db, "log in").await?;
    let member = members::find(&mut tx, organization_id, account.user.id).await?;
    tx.commit().await?;
    let member = member
        .filter(|member| member.active)
        .ok_or(Error::NotMember)?;
    let role = member.membership.role;
    let judged = judge_password(tools, organization_id, &account.user.email, role).await?;
    if credentials.factor_confirmed_at.is_some() {
        return Ok(Some(Lacks::SecondFactor));
    }
    if judged == Password::WithSecondFactor {
        // Setting one up here would let in whoever has nothing but the password.
        return Err(SsoError::Required.into());
    }
    let wanted = member.wants_second_factor(tools.db.clock().now());
    Ok(wanted.then_some(Lacks::Enrolment))
}

/// A login that lacks nothing any more.
pub(super) struct Finish<'a> {
    pub(super) user: User,
    pub(super) organization: Organization,
    pub(super) credentials: Credentials,
    pub(super) challenge: Challenge,
    pub(super) methods: Vec<Method>,
    pub(super) origin: &'a Origin,
}

impl Finish<'_> {
    /// Begins the session.
    pub(super) async fn run(self, tools: &Tools) -> Result<LoggedIn, Error> {
        let now = tools.db.clock().now();
        let begin = Begin {
            user_id: self.user.id,
            organization_id: self.organization.id,
            login: Login::new(self.methods, now, self.origin),
            grounds: Grounds::Password(self.credentials),
            origin: self.origin,
            lasts: tools.sessions.lasts,
            new_device: !self.challenge.device_known,
        };
        let (tokens, member) = begin.run(tools).await?;
        let ring = tools.keys.current().await;
        Ok(LoggedIn {
            tokens,
            user: self.user,
            organization: self.organization,
            role: member.membership.role,
            device_token: self.challenge.device.token(ring.refresh_key(now)?),
        })
    }
}

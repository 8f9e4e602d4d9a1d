//! Create an organization with its owner.
//!
//! Nobody learns whether an address has an account: the answer is empty and a letter goes out either way. Where the
//! operator lets people in before they have proven the address, the answer is a session, and tells.

use auth::Origin;
use db::SystemTx;
use ids::Actor;
use secrecy::SecretString;
use serde_json::json;

use super::{
    SessionTokens, Tools,
    account::send_link,
    audit::{self, Change},
    create_organization::{Founding, create_organization},
    log_in::Finish,
    throttle::{self, Attempt, Guarded},
};
use crate::{
    Error,
    domain::{challenge::Challenge, device::Device, email::EmailKey, session::Method},
    events::Occasion,
    mail::{self, Letter},
    store::{
        email_links::Purpose,
        organizations::Organization,
        people,
        users::{self, User},
    },
};

pub(crate) struct SignUp {
    pub(crate) organization_name: String,
    pub(crate) name: String,
    pub(crate) email: String,
    pub(crate) password: SecretString,
}

#[derive(Debug)]
pub(crate) struct SignedUp {
    pub(crate) organization: Organization,
    pub(crate) user: User,
    pub(crate) tokens: SessionTokens,
    pub(crate) device_token: SecretString,
}

/// `None` where the address must be proven first.
#[tracing::instrument(skip_all)]
pub(crate) async fn sign_up(
    tools: &Tools,
    input: SignUp,
    origin: &Origin,
) -> Result<Option<SignedUp>, Error> {
    let email = EmailKey::new(&input.email);
    // Each sends a letter to somebody, so whoever repeats it is slowed down, also with ever other addresses.
    let mut guarded = throttle::around(origin);
    guarded.push(Guarded::Letters(&email));
    Attempt::begin(tools, &guarded).await?;
    let context = [&input.organization_name, &input.name, &input.email];
    let context = context.map(String::to_owned).to_vec();
    let password_hash = tools.passwords.hash_chosen(input.password, context).await?;
    let now = tools.db.clock().now();
    let mut tx = SystemTx::begin(&tools.db, "sign up").await?;
    let founding = Founding {
        organization_name: &input.organization_name,
        name: &input.name,
        email: &input.email,
        password_hash: &password_hash,
    };
    let created = create_organization(&mut tx, &founding, now).await;
    if matches!(created, Err(Error::EmailTaken)) && !tools.unproven_sign_ups {
        drop(tx);
        tell_the_owner(tools, &email).await?;
        return Ok(None);
    }
    let (organization, user) = created?;
    let occasion = Occasion {
        organization_id: organization.id,
        actor: Actor::User(user.id),
        at: now,
    };
    let change = Change {
        before: None,
        after: Some(json!({ "name": organization.name, "owner": user.id })),
    };
    let (action, id) = ("organization.created", organization.id);
    audit::record(&mut tx, &occasion, origin, action, id, change).await?;
    send_link(&mut tx, user.id, Purpose::VerifyEmail).await?;
    let credentials = users::find_credentials(&mut tx, user.id).await?;
    tx.commit().await?;
    tracing::info!(organization.id = %organization.id, "organization created");
    if !tools.unproven_sign_ups {
        return Ok(None);
    }
    let challenge = Challenge {
        organization_id: organization.id,
        device: Device::new(user.id),
        // The letter to a new person says enough.
        device_known: true,
        issued_at: now,
    };
    let finish = Finish {
        user,
        organization,
        credentials: credentials.ok_or(Error::Credentials)?,
        challenge,
        methods: vec![Method::Password],
        origin,
    };
    let logged_in = finish.run(tools).await?;
    Ok(Some(SignedUp {
        organization: logged_in.organization,
        user: logged_in.user,
        tokens: logged_in.tokens,
        device_token: logged_in.device_token,
    }))
}

/// Whoever has the address learns that somebody tried, and that there is an account.
async fn tell_the_owner(tools: &Tools, email: &EmailKey) -> Result<(), Error> {
    let mut tx = SystemTx::begin(&tools.db, "sign up").await?;
    if let Some(user_id) = people::find_by_email(&mut tx, email).await? {
        mail::queue(&mut tx, &[Letter::AccountExists { user_id }]).await?;
    }
    tx.commit().await?;
    Ok(())
}

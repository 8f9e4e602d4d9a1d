//! Create an organization with its owner.

use auth::{Membership, Role, Scopes};
use db::SystemTx;
use secrecy::SecretString;

use super::{
    SessionTokens, Tools,
    create_organization::{Founding, create_organization},
    issue_tokens,
};
use crate::{
    Error,
    domain::session::Session,
    store::{organizations::Organization, sessions, users::User},
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
}

#[tracing::instrument(skip_all)]
pub(crate) async fn sign_up(tools: &Tools, input: SignUp) -> Result<SignedUp, Error> {
    let password_hash = tools.passwords.hash(input.password).await?;
    let now = tools.db.clock().now();
    let mut tx = SystemTx::begin(&tools.db, "sign up").await?;
    let founding = Founding {
        organization_name: &input.organization_name,
        name: &input.name,
        email: &input.email,
        password_hash: &password_hash,
    };
    let (organization, user) = create_organization(&mut tx, &founding, now).await?;
    let session = Session::begin(user.id, now, tools.sessions.lasts);
    sessions::insert(&mut tx, organization.id, &session).await?;
    tx.commit().await?;
    let member = Membership {
        organization_id: organization.id,
        role: Role::Owner,
        scopes: Scopes::All,
    };
    let tokens = issue_tokens::of_session(tools, &session, member, session.generation).await?;
    tracing::info!(organization.id = %organization.id, "organization created");
    Ok(SignedUp {
        organization,
        user,
        tokens,
    })
}

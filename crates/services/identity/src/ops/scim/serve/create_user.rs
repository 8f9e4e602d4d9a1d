//! `POST /Users`.

use db::SystemTx;
use ids::UserId;
use scim::{User, answer::ErrorResponse};
use serde_json::json;

use super::{
    answer::{Refusal, ScimAnswer},
    exchange::Exchange,
    person, read,
};
use crate::{
    Error,
    domain::scim::{DEFAULT, address},
    events,
    ops::{
        invitations::accept_invitation::MFA_GRACE, members::set_member_active::set_active,
        office::Office, seats,
    },
    store::{
        roster::{self, Entry},
        scim::users,
    },
};

pub(super) async fn create_user(exchange: &Exchange<'_>) -> Result<ScimAnswer, Refusal> {
    let user = User::parse(exchange.body)?;
    let address = address(&user).ok_or(scim::Error::Value {
        attribute: "emails",
        problem: "must have an e-mail address, unless `userName` is one",
    })?;
    let mut office = exchange.write().await?;
    // Looked at first: of the two unique values this is the one by which directories find the other user.
    if users::is_user_name_taken(&mut office.tx, exchange.source, &user.user_name).await? {
        return Err(ErrorResponse::uniqueness("userName").into());
    }
    let id = person::recognise(&mut office, &user, address).await?;
    join(exchange, &mut office, id, user.is_active()).await?;
    let now = office.occasion.at;
    users::insert(&mut office.tx, exchange.source, id, &user, now).await?;
    let answer = read::user(&mut office.tx, exchange, id, 201).await?;
    office.tx.commit().await?;
    Ok(answer)
}

/// A new member, or one who is adopted and keeps the role it has.
async fn join(
    exchange: &Exchange<'_>,
    office: &mut Office<'_, SystemTx>,
    id: UserId,
    active: bool,
) -> Result<(), Error> {
    let max_seats = exchange.tools.seats;
    let organization_id = office.organization_id();
    if let Some(mut entry) = roster::find(&mut office.tx, organization_id, id).await? {
        return set_active(office, max_seats, &mut entry, active).await;
    }
    let now = office.occasion.at;
    let mut entry = Entry {
        user_id: id,
        assignment: DEFAULT,
        active: true,
        teams: Vec::new(),
        joined_by: "scim".to_owned(),
        joined_at: now,
    };
    let mfa_grace = office.organization.mfa_required_from;
    let mfa_grace = mfa_grace.map(|_| now + MFA_GRACE);
    roster::insert(&mut office.tx, organization_id, &entry, mfa_grace).await?;
    events::member_joined(&mut office.tx, &office.occasion, id, DEFAULT.role()).await?;
    let directory = exchange.source.directory_id.to_string();
    let after = json!({ "role": DEFAULT.role(), "directory": directory });
    office
        .record("member.joined", id, None, Some(after))
        .await?;
    if active {
        // With the new member.
        return seats::refuse_full(&mut office.tx, max_seats, organization_id, 0, now).await;
    }
    set_active(office, max_seats, &mut entry, false).await
}

//! Who a directory's user is, and what of a person a directory may change.

use chrono::SubsecRound;
use db::SystemTx;
use ids::UserId;
use scim::{User, answer::ErrorResponse};

use super::answer::Refusal;
use crate::{
    domain::{
        email::EmailKey,
        scim::{address, name},
    },
    mail::{self, Letter},
    ops::{claim::claim, office::Office, person::record_everywhere},
    store::{
        claims,
        email_links::{self, Purpose},
        former_addresses, people, roster,
        scim::people as provisioned,
        sso::domains,
        users,
    },
};

const ELSEWHERE: &str = "a person with this e-mail address has an account outside of the organization; \
                         verify the domain of the address, or invite the person";

/// The person with this address, or a new one. Whoever has an account and is no member is taken in only by the owner of
/// the address's domain: otherwise anybody could make others members of an organization of theirs.
pub(super) async fn recognise(
    office: &mut Office<'_, SystemTx>,
    user: &User,
    address: &str,
) -> Result<UserId, Refusal> {
    let key = EmailKey::new(address);
    let (organization_id, now) = (office.organization_id(), office.occasion.at);
    let owns_domain = domains::owns(&mut office.tx, organization_id, &key).await?;
    if let Some(person) = people::find_by_email(&mut office.tx, &key).await? {
        // An account that belongs nowhere is only waiting for the sweep.
        people::erase_homeless(&mut office.tx, &[person]).await?;
    }
    let person = users::User {
        id: UserId::stamped(now),
        email: address.to_owned(),
        name: name(user),
    };
    // The owner of the domain answers for the mailbox.
    let verified_at = owns_domain.then_some(now);
    if provisioned::insert(&mut office.tx, &person, &key, verified_at, now).await? {
        return Ok(person.id);
    }
    let known = claims::lock_person(&mut office.tx, &key).await?;
    let (id, is_proven) = known.ok_or_else(|| {
        ErrorResponse::new(409, "the person was changed at the same time; try again")
    })?;
    let is_member = roster::find(&mut office.tx, organization_id, id)
        .await?
        .is_some();
    if !is_member && !owns_domain {
        return Err(ErrorResponse::new(409, ELSEWHERE).into());
    }
    if owns_domain && !is_proven {
        let (name, origin) = (person.name.as_str(), office.origin());
        let actor = &office.occasion.actor;
        claim(&mut office.tx, id, Some(name), actor, origin).await?;
    }
    Ok(id)
}

/// Lets the person follow what the directory says about it now. The address to log in with opens all of the person's
/// organizations, so it changes only within domains that this one owns; otherwise it stays, and the directory's own
/// record of it changes alone.
pub(super) async fn follow(
    office: &mut Office<'_, SystemTx>,
    id: UserId,
    before: &User,
    after: &User,
) -> Result<(), Refusal> {
    let renamed = name(before) != name(after);
    let moved = address(before) != address(after);
    if !renamed && !moved {
        return Ok(());
    }
    let organization_id = office.organization_id();
    let Some((current, is_proven)) = provisioned::lock_address(&mut office.tx, id).await? else {
        return Ok(());
    };
    let owns = domains::owns(&mut office.tx, organization_id, &current).await?;
    if renamed {
        let name = name(after);
        provisioned::rename(&mut office.tx, organization_id, id, &name, owns).await?;
    }
    let Some(address) = address(after).filter(|_| moved && owns) else {
        return Ok(());
    };
    let key = EmailKey::new(address);
    if key == current || !domains::owns(&mut office.tx, organization_id, &key).await? {
        return Ok(());
    }
    if !is_proven {
        let (actor, origin) = (&office.occasion.actor, office.origin());
        claim(&mut office.tx, id, None, actor, origin).await?;
    }
    change_address(office, id, address).await
}

/// What belonged to the former address ends with it, and its reader is told.
async fn change_address(
    office: &mut Office<'_, SystemTx>,
    id: UserId,
    address: &str,
) -> Result<(), Refusal> {
    // As PostgreSQL keeps it: the letter names the row by it.
    let now = office.occasion.at.trunc_subsecs(6);
    former_addresses::keep(&mut office.tx, id, now).await?;
    if !provisioned::change_address(&mut office.tx, id, address, now).await? {
        return Err(ErrorResponse::uniqueness("emails").into());
    }
    for purpose in [Purpose::ResetPassword, Purpose::VerifyEmail] {
        email_links::close(&mut office.tx, id, purpose, now).await?;
    }
    let (actor, origin) = (&office.occasion.actor, office.origin());
    let action = "member.address_changed";
    record_everywhere(&mut office.tx, id, actor, origin, action).await?;
    let letter = Letter::AddressChanged {
        user_id: id,
        changed_at: now,
    };
    mail::queue(&mut office.tx, &[letter]).await?;
    Ok(())
}

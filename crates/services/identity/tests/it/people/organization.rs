use std::time::Duration;

use auth::Role;
use ids::UserId;
use proto::identity::{
    events::v1::{
        OrganizationDeletionScheduled, OrganizationErased, OrganizationResumed,
        OrganizationSuspended, SessionEnded,
    },
    v1::{
        CancelOrganizationDeletionRequest, CreateRoleRequest, DeleteOrganizationRequest,
        GetOrganizationRequest, OrganizationDetails, OrganizationState, ResumeOrganizationRequest,
        SuspendOrganizationRequest, UpdateOrganizationRequest,
    },
};
use tonic::{Request, Status};

use super::stage::{Person, Stage};
use crate::world::{PASSWORD, as_caller, code};

const DAY: Duration = Duration::from_hours(24);
/// Longer than anything here takes, even on a busy machine.
const SOON: Duration = Duration::from_secs(30);

async fn get(stage: &Stage, by: &Person) -> OrganizationDetails {
    let request = by.asks(GetOrganizationRequest {});
    let got = stage.people().get_organization(request).await;
    got.unwrap().into_inner()
}

fn settings(of: &OrganizationDetails) -> UpdateOrganizationRequest {
    UpdateOrganizationRequest {
        version: of.version,
        name: of.name.clone(),
        time_zone: of.time_zone.clone(),
        locale: of.locale.clone(),
        mfa_required_from: of.mfa_required_from,
    }
}

async fn update(
    stage: &Stage,
    by: &Person,
    new: UpdateOrganizationRequest,
) -> Result<OrganizationDetails, Status> {
    let updated = stage.people().update_organization(by.asks(new)).await?;
    Ok(updated.into_inner())
}

async fn delete(
    stage: &Stage,
    by: &Person,
    confirmation: &str,
) -> Result<OrganizationDetails, Status> {
    let confirmation = confirmation.to_owned();
    let request = by.asks(DeleteOrganizationRequest { confirmation });
    let deleted = stage.people().delete_organization(request).await?;
    Ok(deleted.into_inner())
}

async fn cancel(stage: &Stage, by: &Person) -> Result<OrganizationDetails, Status> {
    let request = by.asks(CancelOrganizationDeletionRequest {});
    let cancelled = stage.people().cancel_organization_deletion(request).await?;
    Ok(cancelled.into_inner())
}

/// As a service that acts for the organization.
async fn for_organization<T>(stage: &Stage, message: T) -> Request<T> {
    let mut request = as_caller(message, &stage.world.service().await);
    let id = stage.organization.to_string().parse().unwrap();
    request.metadata_mut().insert("sb-organization-id", id);
    request
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_are_replaced_on_top_of_the_version_that_was_read() {
    let stage = Stage::set().await;
    let read = get(&stage, &stage.owner).await;
    let mut new = settings(&read);
    new.name = "Kedai Teh".to_owned();
    new.time_zone = "Asia/Jakarta".to_owned();
    new.locale = "id-ID".to_owned();
    let updated = update(&stage, &stage.owner, new.clone()).await.unwrap();
    assert_eq!(
        (updated.name.as_str(), updated.version),
        ("Kedai Teh", read.version + 1)
    );
    assert_eq!(get(&stage, &stage.owner).await, updated);
    let late = update(&stage, &stage.owner, new).await.unwrap_err();
    assert_eq!(code(&late), "conflict");
    // Nothing changed is no version.
    let same = update(&stage, &stage.owner, settings(&updated))
        .await
        .unwrap();
    assert_eq!(same.version, updated.version);
    assert_eq!(stage.audited().await, ["organization.updated"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_changes_of_one_version_are_one() {
    let stage = Stage::set().await;
    let read = get(&stage, &stage.owner).await;
    let named = |name: &str| UpdateOrganizationRequest {
        name: name.to_owned(),
        ..settings(&read)
    };
    let (one, two) = tokio::join!(
        update(&stage, &stage.owner, named("One")),
        update(&stage, &stage.owner, named("Two")),
    );
    assert!(one.is_ok() != two.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn places_and_languages_that_do_not_exist_are_refused() {
    let stage = Stage::set().await;
    let read = get(&stage, &stage.owner).await;
    let zone = UpdateOrganizationRequest {
        time_zone: "Mars/Olympus".to_owned(),
        ..settings(&read)
    };
    let locale = UpdateOrganizationRequest {
        locale: "de_DE".to_owned(),
        ..settings(&read)
    };
    for wrong in [zone, locale] {
        let refused = update(&stage, &stage.owner, wrong).await.unwrap_err();
        assert_eq!(code(&refused), "request.invalid");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_factor_is_wanted_from_then_on_and_not_before_now() {
    let stage = Stage::set().await;
    let now = stage.world.clock.now();
    let read = get(&stage, &stage.owner).await;
    let mut new = settings(&read);
    new.mfa_required_from = Some((now + 14 * DAY).into());
    let updated = update(&stage, &stage.owner, new).await.unwrap();
    assert_eq!(updated.mfa_required_from, Some((now + 14 * DAY).into()));
    let mut new = settings(&updated);
    new.mfa_required_from = Some((now - DAY).into());
    let updated = update(&stage, &stage.owner, new).await.unwrap();
    assert_eq!(updated.mfa_required_from, Some(now.into()));
    let mut new = settings(&updated);
    new.mfa_required_from = None;
    let updated = update(&stage, &stage.owner, new).await.unwrap();
    assert_eq!(updated.mfa_required_from, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_gets_into_a_suspended_organization_until_it_is_resumed() {
    let stage = Stage::set().await;
    let key = stage.key().await;
    stage.exchange(&key).await.unwrap();
    let reason = "unpaid".to_owned();
    let request = SuspendOrganizationRequest { reason };
    let request = for_organization(&stage, request).await;
    let suspended = stage
        .people()
        .suspend_organization(request)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(suspended.state(), OrganizationState::Suspended);
    assert_eq!(suspended.state_reason, "unpaid");
    let refused = stage
        .world
        .try_log_in(&stage.owner.email, PASSWORD)
        .await
        .unwrap_err();
    assert_eq!(code(&refused), "identity.organization_inactive");
    let refused = stage.exchange(&key).await.unwrap_err();
    assert_eq!(code(&refused), "auth.api_key_invalid");
    let void = stage.void_until("organization", uuid::Uuid::nil()).await;
    assert_eq!(void, Some(stage.world.clock.now()));
    let ended = stage.world.events::<SessionEnded>().await;
    assert!(!ended.is_empty());
    assert!(
        ended
            .iter()
            .all(|event| event.reason == "organization_suspended")
    );

    let request = for_organization(&stage, ResumeOrganizationRequest {}).await;
    let resumed = stage.people().resume_organization(request).await.unwrap();
    assert_eq!(resumed.into_inner().state(), OrganizationState::Active);
    stage.world.log_in(&stage.owner.email).await;
    stage.exchange(&key).await.unwrap();
    assert_eq!(stage.world.events::<OrganizationSuspended>().await.len(), 1);
    assert_eq!(stage.world.events::<OrganizationResumed>().await.len(), 1);
    assert_eq!(
        stage.audited().await,
        [
            "api_key.created",
            "organization.suspended",
            "organization.resumed"
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn only_who_types_the_name_deletes_the_organization() {
    let stage = Stage::set().await;
    let refused = delete(&stage, &stage.owner, "kedai kopi")
        .await
        .unwrap_err();
    assert_eq!(code(&refused), "request.invalid");
    assert_eq!(
        get(&stage, &stage.owner).await.state(),
        OrganizationState::Active
    );
    // And who proved who it is a moment ago.
    stage.world.hand.advance(Duration::from_mins(4));
    let tokens = stage.world.log_in(&stage.owner.email).await.tokens.unwrap();
    stage.world.hand.advance(Duration::from_mins(11));
    let tokens = stage.world.refresh(&tokens.refresh_token).await.unwrap();
    let tired = Person {
        token: tokens.access_token,
        ..stage.owner.clone()
    };
    let refused = delete(&stage, &tired, "Kedai Kopi").await.unwrap_err();
    assert_eq!(code(&refused), "auth.step_up_required");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_shuts_everybody_out_and_an_owner_takes_it_back() {
    let stage = Stage::set().await;
    let admin = stage.member("admin@example.com", Role::Admin).await;
    let second = stage.member("second@example.com", Role::Owner).await;
    let key = stage.key().await;
    let deleting = delete(&stage, &stage.owner, "Kedai Kopi").await.unwrap();
    assert_eq!(deleting.state(), OrganizationState::Deleting);
    assert_eq!(
        deleting.delete_at,
        Some((stage.world.clock.now() + 30 * DAY).into())
    );
    let mails = "select from identity.jobs where payload->>'letter' = 'organization_deleted'";
    assert_eq!(stage.count(mails).await, 2);
    assert_eq!(
        stage
            .world
            .events::<OrganizationDeletionScheduled>()
            .await
            .len(),
        1
    );
    let refused = stage
        .world
        .try_log_in(&admin.email, PASSWORD)
        .await
        .unwrap_err();
    assert_eq!(code(&refused), "identity.organization_inactive");

    let refused = stage.exchange(&key).await.unwrap_err();
    assert_eq!(code(&refused), "auth.api_key_invalid");

    // An owner gets in for one purpose.
    stage.world.hand.advance(29 * DAY);
    let owner = stage.log_in(second.id, &second.email).await;
    let caller = stage.world.caller(&owner.token).await.unwrap();
    assert_eq!(caller.permissions, ["organization.delete"]);
    let twice = delete(&stage, &owner, "Kedai Kopi").await.unwrap_err();
    assert_eq!(code(&twice), "precondition_failed");
    let cancelled = cancel(&stage, &owner).await.unwrap();
    assert_eq!(cancelled.state(), OrganizationState::Active);
    assert_eq!(cancelled.delete_at, None);
    stage.world.log_in(&admin.email).await;
    stage.exchange(&key).await.unwrap();
    stage.world.hand.advance(Duration::from_secs(2));
    let owner = stage.log_in(stage.owner.id, &stage.owner.email).await;
    let again = cancel(&stage, &owner).await.unwrap_err();
    assert_eq!(code(&again), "precondition_failed");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_with_a_second_factor_takes_a_deletion_back() {
    let stage = Stage::set().await;
    let app = stage.world.enable_totp(&stage.owner.token).await;
    delete(&stage, &stage.owner, "Kedai Kopi").await.unwrap();
    stage.world.hand.advance(Duration::from_mins(1));
    let challenge = stage.world.challenge(&stage.owner.email).await;
    let totp_code = stage.world.code(&app.secret, 0);
    let tokens = stage.world.complete(&challenge, &totp_code, "").await;
    let owner = Person {
        token: tokens.unwrap().access_token,
        ..stage.owner.clone()
    };
    let cancelled = cancel(&stage, &owner).await.unwrap();
    assert_eq!(cancelled.state(), OrganizationState::Active);
}

/// With every kind of row that members, roles, teams and invitations leave.
async fn fill(stage: &Stage) -> UserId {
    let agent = stage.member("agent@example.com", Role::Agent).await;
    let role = CreateRoleRequest {
        name: "Support".to_owned(),
        permissions: vec!["contacts.read".to_owned()],
        conversations: 1,
        hides_contact_details: false,
    };
    let role = stage
        .people()
        .create_role(stage.owner.asks(role))
        .await
        .unwrap()
        .into_inner();
    stage
        .invite(&stage.owner, "grace@example.com", Role::Viewer)
        .await
        .unwrap();
    stage
        .world
        .create_key(&stage.owner.token, Role::Agent, &[])
        .await
        .unwrap();
    let (organization, agent_id) = (stage.organization.as_uuid(), agent.id.as_uuid());
    let role: ids::RoleId = role.id.parse().unwrap();
    stage
        .world
        .execute(&format!(
            "update identity.memberships set role = 'custom', role_id = '{}' where user_id = '{agent_id}';
             insert into identity.teams values ('{organization}', '{agent_id}', 'Sales', now());
             insert into identity.team_members values ('{organization}', '{agent_id}', '{agent_id}');
             insert into identity.data_keys (organization_id, purpose, id, wrapped, created_at)
             values ('{organization}', 'sso', '{agent_id}', 'x', now())",
            role.as_uuid(),
        ))
        .await;
    agent.id
}

#[tokio::test(flavor = "multi_thread")]
async fn thirty_days_later_nothing_is_left_of_it() {
    let stage = Stage::set().await;
    let stranger = stage.stranger().await;
    let agent = fill(&stage).await;
    delete(&stage, &stage.owner, "Kedai Kopi").await.unwrap();
    stage
        .world
        .hand
        .advance(29 * DAY + Duration::from_hours(23));
    let exists = format!(
        "select from identity.organizations where organization_id = '{}'",
        stage.organization.as_uuid()
    );
    assert_eq!(stage.count(&exists).await, 1);
    testkit::eventually(SOON, async || {
        stage.world.hand.advance(Duration::from_hours(1));
        stage.count(&exists).await == 0
    })
    .await;

    let mut admin = stage.world.db.admin().await;
    let tables: Vec<String> = sqlx::query_scalar(
        "select table_name::text from information_schema.columns
         where table_schema = 'identity' and column_name = 'organization_id'",
    )
    .fetch_all(&mut admin)
    .await
    .unwrap();
    assert!(tables.len() > 15);
    for table in tables {
        let rows = format!(
            "select from identity.{table} where organization_id = '{}'",
            stage.organization.as_uuid()
        );
        let kept = match table.as_str() {
            // What others must still learn.
            "outbox" => continue,
            "data_keys" => 1,
            _ => 0,
        };
        assert_eq!(stage.count(&rows).await, kept, "{table}");
    }
    let readable = "select from identity.data_keys where wrapped is not null
                    and organization_id <> '00000000-0000-0000-0000-000000000000'";
    assert_eq!(stage.count(readable).await, 0);
    for person in [agent, stage.owner.id] {
        let account = format!(
            "select from identity.users where id = '{}'",
            person.as_uuid()
        );
        assert_eq!(stage.count(&account).await, 0);
    }
    let erased = stage.world.events::<OrganizationErased>().await;
    assert_eq!(erased.len(), 1);
    assert_eq!(erased[0].organization_id, stage.organization.to_string());
    // Others live on.
    stage.world.log_in(&stranger.email).await;
}

/// Ratchet: a table that does not follow its organization must be named in `store::settings::erase`.
#[tokio::test(flavor = "multi_thread")]
async fn every_table_of_tenants_follows_its_organization() {
    let stage = Stage::set().await;
    let mut admin = stage.world.db.admin().await;
    let loose: Vec<String> = sqlx::query_scalar(
        "with recursive follows as (
             select 'identity.organizations'::regclass::oid as id
             union
             select c.conrelid from pg_constraint c join follows f on c.confrelid = f.id
             where c.contype = 'f' and c.confdeltype = 'c'
         )
         select t.relname::text from pg_class t
         join pg_attribute c on c.attrelid = t.oid and c.attname = 'organization_id'
         where t.relnamespace = 'identity'::regnamespace and t.relkind in ('r', 'p')
           and t.oid not in (select id from follows)
         order by 1",
    )
    .fetch_all(&mut admin)
    .await
    .unwrap();
    assert_eq!(
        loose,
        [
            "data_keys",
            "deferred_deliveries",
            "idempotency_keys",
            "jobs",
            "outbox",
            "revocations"
        ]
    );
}

/// Someone whose account could not be erased when he was removed.
#[tokio::test(flavor = "multi_thread")]
async fn people_who_belong_nowhere_are_swept_a_day_later() {
    let stage = Stage::set().await;
    let lost = stage.person("lost@example.com").await;
    let account = format!("select from identity.users where id = '{}'", lost.as_uuid());
    stage.world.hand.advance(Duration::from_hours(2));
    assert_eq!(stage.count(&account).await, 1);
    testkit::eventually(SOON, async || {
        stage.world.hand.advance(Duration::from_hours(1));
        stage.count(&account).await == 0
    })
    .await;
    assert_eq!(stage.count("select from identity.users").await, 1);
}

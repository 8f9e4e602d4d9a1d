use auth::Role;
use ids::UserId;
use proto::identity::{
    events::v1::{MemberChanged, MemberRemoved, SessionEnded},
    v1::{
        self as wire, ChangeMemberRoleRequest, DeactivateMemberRequest, GetMemberRequest,
        ListMembersRequest, ReactivateMemberRequest, RemoveMemberRequest,
    },
};
use tonic::{Code, Status};

use super::stage::{Person, Stage};
use crate::world::{PASSWORD, code};

async fn change(
    stage: &Stage,
    by: &Person,
    id: UserId,
    role: Role,
) -> Result<wire::Member, Status> {
    let request = ChangeMemberRoleRequest {
        user_id: id.to_string(),
        role: wire::Role::from(role).into(),
        role_id: String::new(),
    };
    let changed = stage.people().change_member_role(by.asks(request)).await?;
    Ok(changed.into_inner())
}

async fn deactivate(stage: &Stage, by: &Person, id: UserId) -> Result<wire::Member, Status> {
    let user_id = id.to_string();
    let request = by.asks(DeactivateMemberRequest { user_id });
    Ok(stage
        .people()
        .deactivate_member(request)
        .await?
        .into_inner())
}

async fn reactivate(stage: &Stage, by: &Person, id: UserId) -> Result<wire::Member, Status> {
    let user_id = id.to_string();
    let request = by.asks(ReactivateMemberRequest { user_id });
    Ok(stage
        .people()
        .reactivate_member(request)
        .await?
        .into_inner())
}

async fn remove(stage: &Stage, by: &Person, id: UserId) -> Result<(), Status> {
    let user_id = id.to_string();
    let request = by.asks(RemoveMemberRequest { user_id });
    stage.people().remove_member(request).await.map(drop)
}

async fn get(stage: &Stage, by: &Person, id: UserId) -> Result<wire::Member, Status> {
    let user_id = id.to_string();
    let request = by.asks(GetMemberRequest { user_id });
    Ok(stage.people().get_member(request).await?.into_inner())
}

#[tokio::test(flavor = "multi_thread")]
async fn members_are_listed_in_pages_with_names_and_addresses() {
    let stage = Stage::set().await;
    stage.member("agent@example.com", Role::Agent).await;
    let viewer = stage.member("viewer@example.com", Role::Viewer).await;
    stage.stranger().await;
    let mut emails = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = ListMembersRequest {
            page_size: 2,
            page_token,
            team_id: String::new(),
        };
        let page = stage.people().list_members(viewer.asks(request)).await;
        let page = page.unwrap().into_inner();
        emails.extend(page.members.into_iter().map(|member| member.email));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    emails.sort();
    assert_eq!(
        emails,
        [
            "agent@example.com",
            "owner@example.com",
            "viewer@example.com"
        ]
    );
    let owner = get(&stage, &viewer, stage.owner.id).await.unwrap();
    assert_eq!(owner.role(), wire::Role::Owner);
    assert_eq!(owner.state(), wire::MemberState::Active);
    assert_eq!(
        (owner.name.as_str(), owner.joined_by.as_str()),
        ("Ada", "signup")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn members_of_others_are_as_unknown_as_nobody() {
    let stage = Stage::set().await;
    let stranger = stage.stranger().await;
    for id in [stranger.id, UserId::generate()] {
        let owner = &stage.owner;
        for status in [
            get(&stage, owner, id).await.unwrap_err(),
            change(&stage, owner, id, Role::Agent).await.unwrap_err(),
            deactivate(&stage, owner, id).await.unwrap_err(),
            reactivate(&stage, owner, id).await.unwrap_err(),
            remove(&stage, owner, id).await.unwrap_err(),
        ] {
            assert_eq!(
                (status.code(), code(&status).as_str()),
                (Code::NotFound, "not_found")
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_role_voids_the_tokens_and_is_told() {
    let stage = Stage::set().await;
    let agent = stage.member("agent@example.com", Role::Agent).await;
    let changed = change(&stage, &stage.owner, agent.id, Role::Admin)
        .await
        .unwrap();
    assert_eq!(changed.role(), wire::Role::Admin);
    let void = stage.void_until("member", agent.id.as_uuid()).await;
    assert_eq!(void, Some(stage.world.clock.now()));
    assert_eq!(stage.audited().await, ["member.role_changed"]);
    let events = stage.world.events::<MemberChanged>().await;
    assert_eq!((events[0].role.as_str(), events[0].active), ("admin", true));
    // Once more changes nothing.
    change(&stage, &stage.owner, agent.id, Role::Admin)
        .await
        .unwrap();
    assert_eq!(stage.world.events::<MemberChanged>().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_gives_changes_or_takes_more_than_he_has() {
    let stage = Stage::set().await;
    let admin = stage.member("admin@example.com", Role::Admin).await;
    let agent = stage.member("agent@example.com", Role::Agent).await;
    let owner = stage.owner.id;
    for status in [
        change(&stage, &admin, agent.id, Role::Owner)
            .await
            .unwrap_err(),
        change(&stage, &admin, admin.id, Role::Owner)
            .await
            .unwrap_err(),
        change(&stage, &admin, owner, Role::Agent)
            .await
            .unwrap_err(),
        deactivate(&stage, &admin, owner).await.unwrap_err(),
        remove(&stage, &admin, owner).await.unwrap_err(),
    ] {
        assert_eq!(code(&status), "auth.forbidden");
    }
    change(&stage, &admin, agent.id, Role::Admin).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_active_owner_stays() {
    let stage = Stage::set().await;
    let second = stage.member("second@example.com", Role::Owner).await;
    deactivate(&stage, &stage.owner, second.id).await.unwrap();
    let owner = &stage.owner;
    for status in [
        change(&stage, owner, owner.id, Role::Admin)
            .await
            .unwrap_err(),
        deactivate(&stage, owner, owner.id).await.unwrap_err(),
        remove(&stage, owner, owner.id).await.unwrap_err(),
    ] {
        assert_eq!(code(&status), "identity.last_owner");
    }
    // One that is shut out can go, and one of two can.
    reactivate(&stage, owner, second.id).await.unwrap();
    remove(&stage, owner, owner.id).await.unwrap();
}

/// Each of two owners demotes the other at the same moment: without a lock both would succeed.
#[tokio::test(flavor = "multi_thread")]
async fn two_owners_can_not_demote_each_other_at_once() {
    let stage = Stage::set().await;
    for round in 0..5 {
        let email = format!("second{round}@example.com");
        let second = stage.member(&email, Role::Owner).await;
        let owner = stage.log_in(stage.owner.id, &stage.owner.email).await;
        let (one, two) = tokio::join!(
            change(&stage, &owner, second.id, Role::Agent),
            change(&stage, &second, owner.id, Role::Agent),
        );
        assert!(one.is_ok() != two.is_ok(), "{one:?} {two:?}");
        stage
            .world
            .execute(&format!(
                "delete from identity.memberships where user_id = '{}';
                 update identity.memberships set role = 'owner' where user_id = '{}';
                 delete from identity.revocations",
                second.id.as_uuid(),
                owner.id.as_uuid(),
            ))
            .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_shut_out_is_out_until_let_in_again() {
    let stage = Stage::set().await;
    let agent = stage.member("agent@example.com", Role::Agent).await;
    let login = stage.world.log_in(&agent.email).await.tokens.unwrap();
    let shut = deactivate(&stage, &stage.owner, agent.id).await.unwrap();
    assert_eq!(shut.state(), wire::MemberState::Deactivated);
    assert!(stage.world.refresh(&login.refresh_token).await.is_err());
    assert!(
        stage
            .world
            .try_log_in(&agent.email, PASSWORD)
            .await
            .is_err()
    );
    let ended = stage.world.events::<SessionEnded>().await;
    assert_eq!(ended.len(), 2);
    assert!(
        ended
            .iter()
            .all(|event| event.reason == "member_deactivated")
    );
    let session: ids::SessionId = login.session_id.parse().unwrap();
    let void = stage.void_until("session", session.as_uuid()).await;
    assert!(void.is_some());

    reactivate(&stage, &stage.owner, agent.id).await.unwrap();
    stage.world.log_in(&agent.email).await;
    assert_eq!(
        stage.audited().await,
        ["member.deactivated", "member.reactivated"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removed_member_is_gone_and_so_is_an_account_that_belongs_nowhere() {
    let stage = Stage::set().await;
    let agent = stage.member("agent@example.com", Role::Agent).await;
    remove(&stage, &stage.owner, agent.id).await.unwrap();
    let gone = get(&stage, &stage.owner, agent.id).await.unwrap_err();
    assert_eq!(gone.code(), Code::NotFound);
    let account = format!(
        "select from identity.users where id = '{}'",
        agent.id.as_uuid()
    );
    assert_eq!(stage.count(&account).await, 0);
    assert_eq!(stage.world.events::<MemberRemoved>().await.len(), 1);
    assert!(
        stage
            .void_until("member", agent.id.as_uuid())
            .await
            .is_some()
    );
    assert_eq!(stage.audited().await, ["member.removed"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_account_of_a_removed_member_stays_while_it_belongs_elsewhere() {
    let stage = Stage::set().await;
    let stranger = stage.stranger().await;
    stage
        .world
        .execute(&format!(
            "insert into identity.memberships (organization_id, user_id, role, created_at)
             values ('{}', '{}', 'agent', now())",
            stage.organization.as_uuid(),
            stranger.id.as_uuid(),
        ))
        .await;
    remove(&stage, &stage.owner, stranger.id).await.unwrap();
    stage.world.log_in(&stranger.email).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_is_given_within_ten_minutes_of_a_proof() {
    let stage = Stage::set().await;
    let agent = stage.member("agent@example.com", Role::Agent).await;
    let tokens = stage.world.log_in(&stage.owner.email).await.tokens.unwrap();
    stage.world.hand.advance(std::time::Duration::from_mins(11));
    let tired = stage.world.refresh(&tokens.refresh_token).await.unwrap();
    let tired = Person {
        token: tired.access_token,
        ..stage.owner.clone()
    };
    let refused = change(&stage, &tired, agent.id, Role::Owner).await;
    assert_eq!(code(&refused.unwrap_err()), "auth.step_up_required");
    let owner = stage.log_in(stage.owner.id, &stage.owner.email).await;
    change(&stage, &owner, agent.id, Role::Admin).await.unwrap();
}

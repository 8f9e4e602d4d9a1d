use auth::{Role, View};
use ids::{TeamId, UserId};
use proto::identity::events::v1::TeamChanged;
use proto::identity::v1::{
    self as wire, AddTeamMembersRequest, CreateRoleRequest, CreateTeamRequest, DeleteTeamRequest,
    GetMemberRequest, ListMembersRequest, ListTeamsRequest, RemoveTeamMemberRequest,
    RenameTeamRequest,
};
use tonic::{Code, Status};

use super::stage::{Person, Stage};
use crate::world::code;

async fn create(stage: &Stage, by: &Person, name: &str) -> Result<wire::Team, Status> {
    let name = name.to_owned();
    let request = by.asks(CreateTeamRequest { name });
    Ok(stage.people().create_team(request).await?.into_inner())
}

async fn add(
    stage: &Stage,
    by: &Person,
    team: &str,
    users: &[UserId],
) -> Result<wire::Team, Status> {
    let request = AddTeamMembersRequest {
        team_id: team.to_owned(),
        user_ids: users.iter().map(ToString::to_string).collect(),
    };
    let added = stage.people().add_team_members(by.asks(request)).await?;
    Ok(added.into_inner())
}

async fn take_out(
    stage: &Stage,
    by: &Person,
    team: &str,
    user: UserId,
) -> Result<wire::Team, Status> {
    let request = RemoveTeamMemberRequest {
        team_id: team.to_owned(),
        user_id: user.to_string(),
    };
    let removed = stage.people().remove_team_member(by.asks(request)).await?;
    Ok(removed.into_inner())
}

async fn delete(stage: &Stage, by: &Person, team: &str) -> Result<(), Status> {
    let team_id = team.to_owned();
    let request = by.asks(DeleteTeamRequest { team_id });
    stage.people().delete_team(request).await.map(drop)
}

async fn teams_of(stage: &Stage, by: &Person, user: UserId) -> Vec<String> {
    let user_id = user.to_string();
    let request = by.asks(GetMemberRequest { user_id });
    let member = stage.people().get_member(request).await.unwrap();
    member.into_inner().team_ids
}

#[tokio::test(flavor = "multi_thread")]
async fn a_team_has_members_whose_tokens_end_when_they_come_and_go() {
    let stage = Stage::set().await;
    let owner = stage.owner.clone();
    let agent = stage.member("agent@example.com", Role::Agent).await;
    let team = create(&stage, &owner, "Sales").await.unwrap();
    let filled = add(&stage, &owner, &team.id, &[agent.id, owner.id])
        .await
        .unwrap();
    assert_eq!(filled.member_count, 2);
    let void = stage
        .void_until("member", agent.id.as_uuid())
        .await
        .unwrap();

    // Who is in it already is not disturbed.
    stage.world.hand.advance(std::time::Duration::from_secs(10));
    let owner = stage.log_in(owner.id, &owner.email).await;
    assert_eq!(teams_of(&stage, &owner, agent.id).await, [team.id.as_str()]);
    add(&stage, &owner, &team.id, &[agent.id]).await.unwrap();
    assert_eq!(
        stage.void_until("member", agent.id.as_uuid()).await,
        Some(void)
    );

    let request = ListMembersRequest {
        team_id: team.id.clone(),
        ..ListMembersRequest::default()
    };
    let listed = stage
        .people()
        .list_members(owner.asks(request))
        .await
        .unwrap();
    assert_eq!(listed.into_inner().members.len(), 2);
    let left = take_out(&stage, &owner, &team.id, agent.id).await.unwrap();
    assert_eq!(left.member_count, 1);
    let later = stage.void_until("member", agent.id.as_uuid()).await;
    assert!(later > Some(void));
    assert!(teams_of(&stage, &owner, agent.id).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn each_change_of_a_team_tells_all_of_its_members_and_no_change_tells_nothing() {
    let stage = Stage::set().await;
    let owner = &stage.owner;
    let agent = stage.member("agent@example.com", Role::Agent).await;
    let team = create(&stage, owner, "Sales").await.unwrap();
    for _ in 0..2 {
        add(&stage, owner, &team.id, &[agent.id, owner.id])
            .await
            .unwrap();
    }
    let request = RenameTeamRequest {
        team_id: team.id.clone(),
        name: "Inside sales".to_owned(),
    };
    stage
        .people()
        .rename_team(owner.asks(request))
        .await
        .unwrap();
    for _ in 0..2 {
        take_out(&stage, owner, &team.id, agent.id).await.unwrap();
    }
    let told: Vec<_> = stage
        .world
        .events::<TeamChanged>()
        .await
        .into_iter()
        .inspect(|event| assert_eq!(event.team_id, team.id))
        .map(|event| (event.name, event.member_user_ids.len()))
        .collect();
    let told: Vec<_> = told
        .iter()
        .map(|(name, size)| (name.as_str(), *size))
        .collect();
    assert_eq!(
        told,
        [
            ("Sales", 0),
            ("Sales", 2),
            ("Inside sales", 2),
            ("Inside sales", 1)
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_team_leaves_its_members() {
    let stage = Stage::set().await;
    let agent = stage.member("agent@example.com", Role::Agent).await;
    let team = create(&stage, &stage.owner, "Sales").await.unwrap();
    add(&stage, &stage.owner, &team.id, &[agent.id])
        .await
        .unwrap();
    delete(&stage, &stage.owner, &team.id).await.unwrap();
    assert!(teams_of(&stage, &stage.owner, agent.id).await.is_empty());
    let gone = delete(&stage, &stage.owner, &team.id).await.unwrap_err();
    assert_eq!(gone.code(), Code::NotFound);
    assert_eq!(
        stage.audited().await,
        ["team.created", "team.members_added", "team.deleted"]
    );
}

/// Whoever is in a team sees what the team does.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_sees_its_teams_only_changes_no_others() {
    let stage = Stage::set().await;
    let owner = &stage.owner;
    let lead = CreateRoleRequest {
        name: "Lead".to_owned(),
        permissions: vec!["members.manage".to_owned(), "members.read".to_owned()],
        conversations: wire::ConversationScope::Team.into(),
        hides_contact_details: false,
    };
    let lead = stage.people().create_role(owner.asks(lead)).await.unwrap();
    let role: ids::RoleId = lead.into_inner().id.parse().unwrap();
    let one = stage.member("one@example.com", Role::Agent).await;
    let two = stage.member("two@example.com", Role::Agent).await;
    let agent = stage.member("agent@example.com", Role::Agent).await;
    for lead in [&one, &two] {
        let sql = format!(
            "update identity.memberships set role = 'custom', role_id = '{}' where user_id = '{}'",
            role.as_uuid(),
            lead.id.as_uuid()
        );
        stage.world.execute(&sql).await;
    }
    let own = create(&stage, owner, "Own").await.unwrap().id;
    let other = create(&stage, owner, "Other").await.unwrap().id;
    add(&stage, owner, &own, &[one.id]).await.unwrap();
    add(&stage, owner, &other, &[two.id]).await.unwrap();
    stage.world.hand.advance(std::time::Duration::from_secs(2));
    let one = stage.log_in(one.id, &one.email).await;
    for refused in [
        add(&stage, &one, &other, &[one.id]).await.unwrap_err(),
        take_out(&stage, &one, &other, two.id).await.unwrap_err(),
        // Who may do what it may not.
        add(&stage, &one, &own, &[agent.id]).await.unwrap_err(),
        add(&stage, &one, &own, &[owner.id]).await.unwrap_err(),
    ] {
        assert_eq!(code(&refused), "auth.forbidden");
    }
    assert!(teams_of(&stage, owner, agent.id).await.is_empty());
    add(&stage, &one, &own, &[two.id]).await.unwrap();
    take_out(&stage, &one, &own, two.id).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn teams_are_renamed_and_have_names_of_their_own() {
    let stage = Stage::set().await;
    let team = create(&stage, &stage.owner, "Sales").await.unwrap();
    create(&stage, &stage.owner, "Support").await.unwrap();
    let taken = create(&stage, &stage.owner, "SALES").await.unwrap_err();
    assert_eq!(code(&taken), "identity.name_taken");
    let rename = async |name: &str| {
        let request = RenameTeamRequest {
            team_id: team.id.clone(),
            name: name.to_owned(),
        };
        stage.people().rename_team(stage.owner.asks(request)).await
    };
    let taken = rename("support").await.unwrap_err();
    assert_eq!(code(&taken), "identity.name_taken");
    rename("Inside sales").await.unwrap();
    let request = stage.owner.asks(ListTeamsRequest::default());
    let listed = stage
        .people()
        .list_teams(request)
        .await
        .unwrap()
        .into_inner();
    let names: Vec<_> = listed.teams.into_iter().map(|team| team.name).collect();
    assert_eq!(names, ["Support", "Inside sales"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_is_in_as_many_teams_as_fit_a_token() {
    let stage = Stage::set().await;
    let agent = stage.member("agent@example.com", Role::Agent).await;
    let mut last = String::new();
    for number in 0..=View::MAX_TEAMS {
        last = create(&stage, &stage.owner, &format!("Team {number}"))
            .await
            .unwrap()
            .id;
        if number < View::MAX_TEAMS {
            add(&stage, &stage.owner, &last, &[agent.id]).await.unwrap();
        }
    }
    let full = add(&stage, &stage.owner, &last, &[agent.id])
        .await
        .unwrap_err();
    assert_eq!(code(&full), "identity.too_many_teams");
    assert_eq!(
        teams_of(&stage, &stage.owner, agent.id).await.len(),
        View::MAX_TEAMS
    );
    // The token that names them all is accepted.
    stage.world.hand.advance(std::time::Duration::from_secs(2));
    let agent = stage.log_in(agent.id, &agent.email).await;
    stage.world.caller(&agent.token).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn teams_and_people_of_others_are_as_unknown_as_none() {
    let stage = Stage::set().await;
    let stranger = stage.stranger().await;
    let foreign = create(&stage, &stranger, "Sales").await.unwrap();
    let own = create(&stage, &stage.owner, "Sales").await.unwrap();
    let owner = &stage.owner;
    for id in [foreign.id, TeamId::generate().to_string()] {
        for status in [
            add(&stage, owner, &id, &[owner.id]).await.unwrap_err(),
            take_out(&stage, owner, &id, owner.id).await.unwrap_err(),
            delete(&stage, owner, &id).await.unwrap_err(),
        ] {
            assert_eq!(status.code(), Code::NotFound);
        }
    }
    for id in [stranger.id, UserId::generate()] {
        for status in [
            add(&stage, owner, &own.id, &[owner.id, id])
                .await
                .unwrap_err(),
            take_out(&stage, owner, &own.id, id).await.unwrap_err(),
        ] {
            assert_eq!(status.code(), Code::NotFound);
        }
    }
    assert!(teams_of(&stage, owner, owner.id).await.is_empty());
}

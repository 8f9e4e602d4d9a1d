use auth::Role;
use ids::{RoleId, UserId};
use proto::identity::v1::{
    self as wire, ChangeMemberRoleRequest, ConversationScope, CreateRoleRequest, DeleteRoleRequest,
    InviteRequest, ListRolesRequest, RotateApiKeyRequest, UpdateRoleRequest,
};
use tonic::{Code, Status};

use super::stage::{Person, Stage};
use crate::world::code;

fn role(name: &str, permissions: &[&str]) -> CreateRoleRequest {
    CreateRoleRequest {
        name: name.to_owned(),
        permissions: permissions.iter().map(|&one| one.to_owned()).collect(),
        conversations: ConversationScope::Team.into(),
        hides_contact_details: true,
    }
}

async fn create(
    stage: &Stage,
    by: &Person,
    new: CreateRoleRequest,
) -> Result<wire::RoleInfo, Status> {
    Ok(stage.people().create_role(by.asks(new)).await?.into_inner())
}

async fn update(
    stage: &Stage,
    by: &Person,
    id: &str,
    new: CreateRoleRequest,
) -> Result<wire::RoleInfo, Status> {
    let request = UpdateRoleRequest {
        role_id: id.to_owned(),
        name: new.name,
        permissions: new.permissions,
        conversations: new.conversations,
        hides_contact_details: new.hides_contact_details,
    };
    Ok(stage
        .people()
        .update_role(by.asks(request))
        .await?
        .into_inner())
}

async fn delete(stage: &Stage, by: &Person, id: &str) -> Result<(), Status> {
    let role_id = id.to_owned();
    let request = by.asks(DeleteRoleRequest { role_id });
    stage.people().delete_role(request).await.map(drop)
}

async fn assign(
    stage: &Stage,
    by: &Person,
    id: UserId,
    role_id: &str,
) -> Result<wire::Member, Status> {
    let request = ChangeMemberRoleRequest {
        user_id: id.to_string(),
        role: wire::Role::Custom.into(),
        role_id: role_id.to_owned(),
    };
    let changed = stage.people().change_member_role(by.asks(request)).await?;
    Ok(changed.into_inner())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_with_a_custom_role_may_do_what_the_role_says() {
    let stage = Stage::set().await;
    let created = create(
        &stage,
        &stage.owner,
        role("Support", &["members.read", "contacts.read"]),
    );
    let created = created.await.unwrap();
    assert_eq!(created.permissions, ["contacts.read", "members.read"]);
    let agent = stage.member("agent@example.com", Role::Agent).await;
    let member = assign(&stage, &stage.owner, agent.id, &created.id)
        .await
        .unwrap();
    assert_eq!(
        (member.role(), member.role_id),
        (wire::Role::Custom, created.id.clone())
    );
    stage.world.hand.advance(std::time::Duration::from_secs(2));
    let agent = stage.log_in(agent.id, &agent.email).await;
    let caller = stage.world.caller(&agent.token).await.unwrap();
    assert_eq!(caller.permissions, ["contacts.read", "members.read"]);

    // Its tokens of before a change are void.
    let changed = update(
        &stage,
        &stage.owner,
        &created.id,
        role("Support", &["contacts.read"]),
    );
    changed.await.unwrap();
    let void = stage.void_until("member", agent.id.as_uuid()).await;
    assert_eq!(void, Some(stage.world.clock.now()));
    stage.world.hand.advance(std::time::Duration::from_secs(2));
    let agent = stage.log_in(agent.id, &agent.email).await;
    let caller = stage.world.caller(&agent.token).await.unwrap();
    assert_eq!(caller.permissions, ["contacts.read"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_has_the_built_in_roles_and_the_own_ones() {
    let stage = Stage::set().await;
    create(&stage, &stage.owner, role("Support", &["contacts.read"]))
        .await
        .unwrap();
    let stranger = stage.stranger().await;
    let list = async |person: &Person| {
        let listed = stage
            .identity()
            .list_roles(person.asks(ListRolesRequest {}))
            .await;
        let roles = listed.unwrap().into_inner().roles;
        roles
            .into_iter()
            .map(|role| (role.role(), role.name))
            .collect::<Vec<_>>()
    };
    let built_in = [
        wire::Role::Owner,
        wire::Role::Admin,
        wire::Role::Agent,
        wire::Role::Viewer,
    ];
    let mut expected: Vec<_> = built_in.map(|role| (role, String::new())).into();
    assert_eq!(list(&stranger).await, expected);
    expected.push((wire::Role::Custom, "Support".to_owned()));
    assert_eq!(list(&stage.owner).await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_has_permissions_of_admins_only() {
    let stage = Stage::set().await;
    for wrong in ["organization.delete", "everything", "", "*"] {
        let refused = create(&stage, &stage.owner, role("X", &["contacts.read", wrong]));
        let refused = refused.await.unwrap_err();
        assert_eq!(
            code(&refused),
            "identity.role_permission_unknown",
            "{wrong}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_makes_a_role_that_may_more_than_himself() {
    let stage = Stage::set().await;
    let maker = ["members.manage", "members.read", "roles.manage"];
    let narrow = create(&stage, &stage.owner, role("Maker", &maker))
        .await
        .unwrap();
    let strong = create(&stage, &stage.owner, role("Strong", &["channels.manage"]))
        .await
        .unwrap();
    let member = stage.member("maker@example.com", Role::Agent).await;
    assign(&stage, &stage.owner, member.id, &narrow.id)
        .await
        .unwrap();
    stage.world.hand.advance(std::time::Duration::from_secs(2));
    let maker = stage.log_in(member.id, &member.email).await;

    create(&stage, &maker, role("Reader", &["members.read"]))
        .await
        .unwrap();
    let mut wide = role("Wide", &["members.read"]);
    wide.conversations = ConversationScope::All.into();
    let mut seeing = role("Seeing", &["members.read"]);
    seeing.hides_contact_details = false;
    for status in [
        create(&stage, &maker, role("More", &["channels.manage"]))
            .await
            .unwrap_err(),
        create(&stage, &maker, wide).await.unwrap_err(),
        create(&stage, &maker, seeing).await.unwrap_err(),
        update(
            &stage,
            &maker,
            &strong.id,
            role("Strong", &["members.read"]),
        )
        .await
        .unwrap_err(),
        assign(&stage, &maker, maker.id, &strong.id)
            .await
            .unwrap_err(),
    ] {
        assert_eq!(code(&status), "auth.forbidden");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_sees_less_makes_no_key_that_sees_everything() {
    let stage = Stage::set().await;
    let permissions = ["api_keys.manage", "contacts.read"];
    let narrow = create(&stage, &stage.owner, role("Narrow", &permissions));
    let narrow = narrow.await.unwrap();
    let mut wide = role("Wide", &permissions);
    wide.conversations = ConversationScope::All.into();
    wide.hides_contact_details = false;
    let wide = create(&stage, &stage.owner, wide).await.unwrap();
    let theirs = ["contacts.read"];
    let world = &stage.world;
    let key = world.create_key(&stage.owner.token, Role::Viewer, &theirs);
    let key_id = key.await.unwrap().api_key.unwrap().id;
    let rotate = async |by: &Person| {
        let request = RotateApiKeyRequest {
            api_key_id: key_id.clone(),
            overlap_hours: 1,
        };
        stage.identity().rotate_api_key(by.asks(request)).await
    };
    let member = stage.member("keys@example.com", Role::Agent).await;
    for (role_id, is_enough) in [(narrow.id, false), (wide.id, true)] {
        assign(&stage, &stage.owner, member.id, &role_id)
            .await
            .unwrap();
        world.hand.advance(std::time::Duration::from_secs(2));
        let maker = stage.log_in(member.id, &member.email).await;
        let made = world.create_key(&maker.token, Role::Viewer, &theirs).await;
        for refused in [made.err(), rotate(&maker).await.err()] {
            let refused = refused.map(|status| code(&status));
            let expected = (!is_enough).then(|| "auth.forbidden".to_owned());
            assert_eq!(refused, expected);
        }
        let more = world.create_key(&maker.token, Role::Viewer, &[]).await;
        assert_eq!(code(&more.unwrap_err()), "auth.forbidden");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_goes_when_nobody_has_it() {
    let stage = Stage::set().await;
    let made = create(&stage, &stage.owner, role("Support", &["contacts.read"]))
        .await
        .unwrap();
    let agent = stage.member("agent@example.com", Role::Agent).await;
    assign(&stage, &stage.owner, agent.id, &made.id)
        .await
        .unwrap();
    let used = delete(&stage, &stage.owner, &made.id).await.unwrap_err();
    assert_eq!(code(&used), "identity.role_in_use");

    let request = ChangeMemberRoleRequest {
        user_id: agent.id.to_string(),
        role: wire::Role::Agent.into(),
        role_id: String::new(),
    };
    let request = stage.owner.asks(request);
    stage.people().change_member_role(request).await.unwrap();
    let invite = InviteRequest {
        email: "new@example.com".to_owned(),
        role: wire::Role::Custom.into(),
        role_id: made.id.clone(),
    };
    stage
        .people()
        .invite(stage.owner.asks(invite))
        .await
        .unwrap();
    let used = delete(&stage, &stage.owner, &made.id).await.unwrap_err();
    assert_eq!(code(&used), "identity.role_in_use");

    // The invitation expires; access tokens do so before.
    stage
        .world
        .hand
        .advance(std::time::Duration::from_hours(7 * 24));
    let owner = stage.log_in(stage.owner.id, &stage.owner.email).await;
    delete(&stage, &owner, &made.id).await.unwrap();
    let gone = delete(&stage, &owner, &made.id).await.unwrap_err();
    assert_eq!(gone.code(), Code::NotFound);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_roles_have_two_names() {
    let stage = Stage::set().await;
    create(&stage, &stage.owner, role("Support", &["contacts.read"]))
        .await
        .unwrap();
    let other = create(&stage, &stage.owner, role("Sales", &["contacts.read"]))
        .await
        .unwrap();
    for status in [
        create(&stage, &stage.owner, role("SUPPORT", &["contacts.read"]))
            .await
            .unwrap_err(),
        update(
            &stage,
            &stage.owner,
            &other.id,
            role("support", &["contacts.read"]),
        )
        .await
        .unwrap_err(),
    ] {
        assert_eq!(code(&status), "identity.name_taken");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_of_others_are_as_unknown_as_none() {
    let stage = Stage::set().await;
    let stranger = stage.stranger().await;
    let foreign = create(&stage, &stranger, role("Support", &["contacts.read"]))
        .await
        .unwrap();
    let agent = stage.member("agent@example.com", Role::Agent).await;
    for id in [foreign.id, RoleId::generate().to_string()] {
        let owner = &stage.owner;
        let new = role("Sales", &["contacts.read"]);
        for status in [
            update(&stage, owner, &id, new).await.unwrap_err(),
            delete(&stage, owner, &id).await.unwrap_err(),
        ] {
            assert_eq!(status.code(), Code::NotFound);
        }
        let assigned = assign(&stage, owner, agent.id, &id).await.unwrap_err();
        assert_eq!(code(&assigned), "request.invalid");
    }
}

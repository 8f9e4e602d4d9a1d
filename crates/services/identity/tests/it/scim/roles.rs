//! The roles that groups give.

use auth::Role;
use proto::identity::v1::{
    self as wire, ConversationScope, CreateRoleRequest, DeleteRoleRequest, ListScimGroupsRequest,
    people_service_client::PeopleServiceClient,
};
use serde_json::json;

use super::stage::Stage;
use crate::world::{as_caller, code};

impl Stage {
    async fn put_in(&self, group: &str, user: &str) {
        let add = json!([{"op": "add", "path": "members", "value": [{"value": user}]}]);
        let done = self
            .directory
            .patch(&format!("/Groups/{group}"), &add)
            .await;
        assert_eq!(done.status, 204);
    }

    async fn take_out(&self, group: &str, user: &str) {
        let path = format!("members[value eq \"{user}\"]");
        let remove = json!([{"op": "remove", "path": path}]);
        let done = self
            .directory
            .patch(&format!("/Groups/{group}"), &remove)
            .await;
        assert_eq!(done.status, 204);
    }

    async fn gives(&self, group: &str, role: wire::Role) {
        self.map(&self.owner_token, group, role, "").await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_highest_role_of_the_groups_counts_and_goes_with_them() {
    let stage = Stage::set().await;
    let id = stage.directory.user("grace@example.com").await;
    let viewers = stage.directory.group("Viewers", &[&id]).await;
    let admins = stage.directory.group("Admins", &[]).await;
    assert_eq!(stage.role(&id).await, "agent");
    // Who is in the group gets the role, and who comes.
    stage.gives(&viewers, wire::Role::Viewer).await;
    assert_eq!(stage.role(&id).await, "viewer");
    stage.gives(&admins, wire::Role::Admin).await;
    stage.put_in(&admins, &id).await;
    assert_eq!(stage.role(&id).await, "admin");
    stage.take_out(&admins, &id).await;
    assert_eq!(stage.role(&id).await, "viewer");
    stage.directory.delete(&format!("/Groups/{viewers}")).await;
    assert_eq!(stage.role(&id).await, "agent");
    stage.put_in(&admins, &id).await;
    stage.gives(&admins, wire::Role::Unspecified).await;
    assert_eq!(stage.role(&id).await, "agent");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_role_voids_the_tokens_of_the_member() {
    let stage = Stage::set().await;
    let member = stage.stranger("grace@example.net").await;
    stage.make_member(member, Role::Admin).await;
    let id = stage.directory.user("grace@example.net").await;
    let token = stage
        .world
        .log_in("grace@example.net")
        .await
        .tokens
        .unwrap();
    let viewers = stage.directory.group("Viewers", &[]).await;
    stage.gives(&viewers, wire::Role::Viewer).await;
    stage.put_in(&viewers, &id).await;
    stage.world.hand.advance(std::time::Duration::from_secs(1));
    let void = stage.world.caller(&token.access_token).await.unwrap_err();
    assert_eq!(code(&void), "auth.revoked");
    let fresh = stage.world.refresh(&token.refresh_token).await.unwrap();
    let caller = stage.world.caller(&fresh.access_token).await.unwrap();
    assert_eq!(caller.role(), wire::Role::Viewer);
    let directory = format!("directory:{}", stage.directory.id);
    let audited = stage.audited().await;
    assert_eq!(
        audited.last(),
        Some(&(directory, "member.role_changed".to_owned()))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_make_no_owner_and_unmake_none() {
    let stage = Stage::set().await;
    let id = stage.directory.user("owner@example.com").await;
    let viewers = stage.directory.group("Viewers", &[&id]).await;
    stage.gives(&viewers, wire::Role::Viewer).await;
    assert_eq!(stage.role(&id).await, "owner");
    let refused = stage
        .map(&stage.owner_token, &viewers, wire::Role::Owner, "")
        .await;
    assert_eq!(code(&refused.unwrap_err()), "request.invalid");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_was_given_by_hand_survives_groups_without_one() {
    let stage = Stage::set().await;
    let id = stage.directory.user("grace@example.com").await;
    let plain = stage.directory.group("Everybody", &[]).await;
    stage
        .world
        .execute("update identity.memberships set role = 'admin' where role = 'agent'")
        .await;
    stage.put_in(&plain, &id).await;
    stage.take_out(&plain, &id).await;
    assert_eq!(stage.role(&id).await, "admin");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_custom_role_is_given_and_can_not_be_deleted_meanwhile() {
    let stage = Stage::set().await;
    let id = stage.directory.user("grace@example.com").await;
    let group = stage.directory.group("Managers", &[]).await;
    let mut people = PeopleServiceClient::new(stage.world.channel.clone());
    let new = CreateRoleRequest {
        name: "Manager".to_owned(),
        permissions: vec!["members.manage".to_owned(), "members.read".to_owned()],
        conversations: ConversationScope::All.into(),
        hides_contact_details: false,
    };
    let request = as_caller(new, &stage.owner_token);
    let role = people.create_role(request).await.unwrap().into_inner();
    let mapped = stage
        .map(&stage.owner_token, &group, wire::Role::Custom, &role.id)
        .await;
    assert_eq!(mapped.unwrap().role_id, role.id);
    let request = DeleteRoleRequest { role_id: role.id };
    let request = as_caller(request, &stage.owner_token);
    let used = people.delete_role(request).await.unwrap_err();
    assert_eq!(code(&used), "identity.role_in_use");
    stage.put_in(&group, &id).await;
    assert_eq!(stage.role(&id).await, "custom");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_an_owner_says_what_a_group_gives() {
    let stage = Stage::set().await;
    let group = stage.directory.group("Admins", &[]).await;
    let admin = stage.stranger("admin@example.net").await;
    stage.make_member(admin, Role::Admin).await;
    let login = stage.world.log_in("admin@example.net").await;
    let token = login.tokens.unwrap().access_token;
    let refused = stage.map(&token, &group, wire::Role::Viewer, "").await;
    assert_eq!(code(&refused.unwrap_err()), "auth.forbidden");
}

#[tokio::test(flavor = "multi_thread")]
async fn pushed_groups_are_listed_in_pages_with_what_they_give() {
    let stage = Stage::set().await;
    let id = stage.directory.user("grace@example.com").await;
    let one = stage.directory.group("One", &[&id]).await;
    let two = stage.directory.group("Two", &[]).await;
    stage.gives(&one, wire::Role::Viewer).await;
    let page = async |token: &str| {
        let request = ListScimGroupsRequest {
            directory_id: stage.directory.id.clone(),
            page_size: 1,
            page_token: token.to_owned(),
        };
        let request = as_caller(request, &stage.owner_token);
        stage
            .scim()
            .list_scim_groups(request)
            .await
            .unwrap()
            .into_inner()
    };
    let first = page("").await;
    assert_eq!(
        (&first.groups[0].id, first.groups[0].role()),
        (&two, wire::Role::Unspecified)
    );
    let second = page(&first.next_page_token).await;
    assert_eq!(
        (&second.groups[0].id, second.groups[0].role()),
        (&one, wire::Role::Viewer)
    );
    assert_eq!(
        (
            second.groups[0].member_count,
            second.next_page_token.as_str()
        ),
        (1, "")
    );
}

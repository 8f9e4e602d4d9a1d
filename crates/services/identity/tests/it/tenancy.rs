use proto::identity::v1::{
    AddTeamMembersRequest, ConversationScope, CreateRoleRequest, CreateTeamRequest, InviteRequest,
    Role, people_service_client::PeopleServiceClient,
};
use testkit::{assert_catalogue_is_tenant_safe, assert_nothing_without_tenant};

use crate::world::{World, as_caller};

/// T-01.
#[tokio::test(flavor = "multi_thread")]
async fn the_catalogue_keeps_tenants_apart() {
    let world = World::start().await;
    // `users`, `passwords`, `service_clients` and `signing_keys` belong to no tenant; they need no exemption, because
    // the role that serves requests can't touch them.
    // A proved e-mail domain belongs to one organization on the platform on purpose: whoever meets the other has proved
    // that the domain is theirs, too.
    let exemptions = ["sso_domains_verified_key"];
    assert_catalogue_is_tenant_safe(&world.db, "identity", &exemptions).await;
}

/// T-03.
#[tokio::test(flavor = "multi_thread")]
async fn without_a_tenant_nothing_is_seen_changed_or_added() {
    let world = World::start().await;
    let owner = world.owner("ada@example.com").await;
    world
        .create_key(&owner, auth::Role::Agent, &[])
        .await
        .unwrap();
    add_people(&world, &owner).await;
    crate::scim::add_directory(&world, &owner).await;
    sqlx::raw_sql(SSO_ROWS)
        .execute(&mut world.db.admin().await)
        .await
        .unwrap();
    assert_nothing_without_tenant(&world.db, "identity", &[]).await;
}

/// What logins through a provider leave, for each member of the organization.
const SSO_ROWS: &str = "
    insert into identity.sso_connections (organization_id, id, kind, name, enabled, settings, provisions, default_role,
                                          created_at, updated_at)
    select organization_id, organization_id, 'oidc', 'Okta', true, '{}', true, 'agent', now(), now()
    from identity.organizations;
    insert into identity.sso_domains (organization_id, domain, challenge, created_at)
    select organization_id, 'example.com', 'record', now() from identity.organizations;
    insert into identity.sso_identities (organization_id, connection_id, subject, user_id, created_at, last_login_at)
    select organization_id, organization_id, user_id, user_id, now(), now() from identity.memberships;
    insert into identity.sso_flows (organization_id, id, connection_id, pending, browser_hash, return_to, created_at,
                                    expires_at)
    select organization_id, organization_id, organization_id, '', '', '/', now(), now() from identity.organizations;
    insert into identity.sso_assertions (organization_id, connection_id, assertion_id, expires_at)
    select organization_id, organization_id, 'one', now() from identity.organizations;
    insert into identity.sso_traces (organization_id, id, connection_id, occurred_at, succeeded, reason, detail)
    select organization_id, organization_id, organization_id, now(), false, 'assertion_expired', '' from identity.organizations";

/// A role, a team with a member, an invitation, and the tokens that this made void.
async fn add_people(world: &World, owner: &str) {
    let mut people = PeopleServiceClient::new(world.channel.clone());
    let role = CreateRoleRequest {
        name: "Support".to_owned(),
        permissions: vec!["contacts.read".to_owned()],
        conversations: ConversationScope::Own.into(),
        hides_contact_details: false,
    };
    people.create_role(as_caller(role, owner)).await.unwrap();
    let invitation = InviteRequest {
        email: "grace@example.com".to_owned(),
        role: Role::Agent.into(),
        role_id: String::new(),
    };
    people.invite(as_caller(invitation, owner)).await.unwrap();
    let name = "Sales".to_owned();
    let team = people.create_team(as_caller(CreateTeamRequest { name }, owner));
    let joining = AddTeamMembersRequest {
        team_id: team.await.unwrap().into_inner().id,
        user_ids: vec![world.caller(owner).await.unwrap().id],
    };
    let added = people.add_team_members(as_caller(joining, owner)).await;
    added.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_role_that_serves_requests_does_not_see_people_passwords_clients_or_keys() {
    let world = World::start().await;
    world.owner("ada@example.com").await;
    let mut login = world.db.login("identity_app").await;
    for statement in [
        "select from identity.users",
        "select from identity.passwords",
        "select from identity.service_clients",
        "select from identity.signing_keys",
        "select from identity.address_keys",
        "select from identity.mail_suppressions",
        "delete from identity.data_keys",
    ] {
        let refused = sqlx::raw_sql(statement)
            .execute(&mut login)
            .await
            .unwrap_err();
        assert_eq!(
            refused.as_database_error().unwrap().code().unwrap(),
            "42501",
            "{statement}"
        );
    }
}

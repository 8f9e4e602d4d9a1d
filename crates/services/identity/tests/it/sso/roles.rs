//! Roles that groups of a provider give.

use proto::identity::v1::Role;

use super::{
    documents::attribute,
    saml::{Corp, about},
};

#[tokio::test]
async fn a_role_that_was_given_by_hand_outlives_the_groups() {
    let mut corp = Corp::start().await;
    let ada = "ada@corp.example";
    let role = async |corp: &mut Corp, groups: &[&str]| {
        let login = corp.log_in(ada, groups).await.unwrap().login.unwrap();
        login.role()
    };
    assert_eq!(role(&mut corp, &["staff"]).await, Role::Agent);
    let by_hand = "update identity.memberships set role = 'admin' where role = 'agent'";
    corp.stage.world.execute(by_hand).await;
    assert_eq!(role(&mut corp, &[]).await, Role::Admin);
    assert_eq!(role(&mut corp, &["staff"]).await, Role::Agent);
    assert_eq!(role(&mut corp, &[]).await, Role::Viewer);
    // And the default, once more, is nothing that groups gave.
    corp.stage
        .world
        .execute("update identity.memberships set role = 'admin' where role = 'viewer'")
        .await;
    assert_eq!(role(&mut corp, &[]).await, Role::Admin);
}

#[tokio::test]
async fn an_incomplete_list_of_groups_changes_no_role_and_says_so() {
    let mut corp = Corp::start().await;
    let ada = "ada@corp.example";
    corp.log_in(ada, &["admins"]).await.unwrap();
    let link = attribute(
        "http://schemas.microsoft.com/claims/groups.link",
        &["https://graph.example/groups"],
    );
    for groups in [&[][..], &["staff"]] {
        let mut parts = about(&corp.connection, ada, groups);
        parts.attributes.push_str(&link);
        let login = corp.log_in_as(parts).await.unwrap().login.unwrap();
        assert_eq!(login.role(), Role::Admin, "{groups:?}");
        let traces = corp.stage.traces(&corp.tenant, &corp.connection).await;
        assert!(traces[0].succeeded && traces[0].detail.contains("not send all groups"));
    }
    // The role still counts as the groups'.
    let login = corp.log_in(ada, &[]).await.unwrap().login.unwrap();
    assert_eq!(login.role(), Role::Viewer);
}

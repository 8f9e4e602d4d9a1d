use ids::{ApiKeyId, OrganizationId};

use super::*;
use crate::{Scopes, View};

fn key(role: Role, scopes: Scopes) -> Principal {
    Principal::ApiKey {
        id: ApiKeyId::generate(),
        member: Membership {
            organization_id: OrganizationId::generate(),
            role,
            scopes,
            view: View::default(),
        },
    }
}

fn only(scopes: &[&str]) -> Scopes {
    Scopes::Only(scopes.iter().map(|&scope| scope.to_owned()).collect())
}

/// The matrix as a reader of the documentation knows it.
#[tokio::test]
async fn each_role_has_its_permissions_and_no_others() {
    let policy = Policy::load().await.unwrap();
    let of = |role| policy.of_role(role).collect::<Vec<_>>();
    let read = [
        "channels.read",
        "contacts.read",
        "conversations.read",
        "members.read",
        "templates.read",
    ];
    assert_eq!(of(Role::Viewer), read);
    let agent = [
        "channels.read",
        "contacts.manage",
        "contacts.read",
        "conversations.read",
        "conversations.work",
        "members.read",
        "messages.send",
        "templates.read",
    ];
    assert_eq!(of(Role::Agent), agent);
    let all = [
        "api_keys.manage",
        "audit.read",
        "channels.manage",
        "channels.read",
        "contacts.configure",
        "contacts.manage",
        "contacts.read",
        "conversations.read",
        "conversations.work",
        "inbox.configure",
        "members.manage",
        "members.read",
        "messages.send",
        "organization.manage",
        "roles.manage",
        "templates.manage",
        "templates.read",
    ];
    assert_eq!(of(Role::Admin), all);
    // The most that a role of an organization's own may have.
    assert_eq!(of(Role::Custom), all);
    let mut owner = all.to_vec();
    owner.extend(["organization.delete", "sso.manage"]);
    owner.sort_unstable();
    assert_eq!(of(Role::Owner), owner);
}

#[test]
fn the_guide_tells_what_each_role_may() {
    let guide = include_str!("../../../../../docs/API-GUIDE.md");
    for role in ["viewer", "agent", "admin", "owner"] {
        let row = format!("| {role} | ");
        let row = guide.lines().find(|line| line.starts_with(&row));
        let told: Vec<&str> = row.unwrap().split('`').skip(1).step_by(2).collect();
        let rule = format!("p, {role}, ");
        let may = POLICY.lines().filter_map(|line| line.strip_prefix(&rule));
        assert_eq!(told, may.collect::<Vec<_>>(), "{role}");
    }
}

/// Ratchet: a permission that a method asks for and nobody has is a method nobody can call.
#[tokio::test]
async fn owners_and_our_services_have_every_permission_that_a_method_asks_for() {
    let policy = Policy::load().await.unwrap();
    let service = Principal::Service {
        name: "gateway".to_owned(),
    };
    for permission in permissions() {
        assert!(policy.role_has(Role::Owner, permission), "{permission}");
        assert!(policy.allows(&service, permission), "{permission}");
    }
}

#[tokio::test]
async fn every_rule_of_the_policy_names_a_permission_that_a_method_asks_for() {
    for line in POLICY.lines().filter(|line| line.starts_with("p,")) {
        let permission = line.rsplit(',').next().unwrap().trim();
        assert!(permissions().contains(permission), "{line}");
    }
}

/// T-12.
#[tokio::test]
async fn an_empty_policy_denies_everything() {
    for text in ["", "\n# nothing\n", "g, owner, admin"] {
        let policy = Policy::parse(MODEL, text).await.unwrap();
        for role in Role::ALL {
            assert_eq!(policy.of_role(role).count(), 0);
            for permission in permissions() {
                assert!(!policy.allows(&key(role, Scopes::All), permission));
            }
        }
    }
}

/// T-12.
#[tokio::test]
async fn a_broken_model_is_an_error_and_not_a_policy() {
    assert!(Policy::parse("", POLICY).await.is_err());
    assert!(
        Policy::parse("[request_definition]\nr = role", POLICY)
            .await
            .is_err()
    );
}

#[tokio::test]
async fn an_unknown_permission_is_denied_to_everybody() {
    let policy = Policy::load().await.unwrap();
    for permission in ["", "*", "channels.*", "CHANNELS.READ", "billing.manage"] {
        assert!(
            !policy.allows(&key(Role::Owner, Scopes::All), permission),
            "{permission}"
        );
    }
}

#[tokio::test]
async fn scopes_narrow_a_role_and_never_widen_it() {
    let policy = Policy::load().await.unwrap();
    let narrow = key(Role::Admin, only(&["contacts.read"]));
    assert!(policy.allows(&narrow, "contacts.read"));
    assert!(!policy.allows(&narrow, "channels.manage"));
    assert_eq!(
        policy.of_principal(&narrow).collect::<Vec<_>>(),
        ["contacts.read"]
    );

    let wide = key(Role::Viewer, only(&["contacts.read", "channels.manage"]));
    assert_eq!(
        policy.of_principal(&wide).collect::<Vec<_>>(),
        ["contacts.read"]
    );

    let none = key(Role::Owner, only(&[]));
    assert_eq!(policy.of_principal(&none).count(), 0);
}

//! Directories as administrators manage them.

use std::time::Duration;

use proto::identity::v1::{
    CreateScimDirectoryRequest, DeleteScimDirectoryRequest, ListScimDirectoriesRequest,
    ListScimGroupsRequest, RotateScimTokenRequest, ScimDirectory,
};
use serde_json::json;
use tonic::Code;

use super::stage::Stage;
use crate::world::{as_caller, code};

impl Stage {
    async fn list(&self) -> Vec<ScimDirectory> {
        let request = as_caller(ListScimDirectoriesRequest {}, &self.owner_token);
        let listed = self.scim().list_scim_directories(request).await.unwrap();
        listed.into_inner().directories
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_shown_once_and_stored_nowhere() {
    let stage = Stage::set().await;
    let token = &stage.directory.token;
    assert!(token.starts_with("sbd_"));
    let listed = stage.list().await;
    assert_eq!(listed.len(), 1);
    assert_eq!(
        (listed[0].id.as_str(), listed[0].name.as_str()),
        (stage.directory.id.as_str(), "Okta")
    );
    assert!(token.starts_with(&listed[0].token_prefix) && listed[0].token_prefix.len() == 12);
    assert!(!stage.world.dump().await.contains(token.as_str()));
    assert_eq!(listed[0].last_used_at, None);
    stage.directory.get("/Users").await;
    let noted = stage.list().await[0].last_used_at;
    assert!(noted.is_some());
    stage.world.hand.advance(Duration::from_secs(59));
    stage.directory.get("/Users").await;
    assert_eq!(stage.list().await[0].last_used_at, noted);
    stage.world.hand.advance(Duration::from_secs(1));
    stage.directory.get("/Users").await;
    assert_ne!(stage.list().await[0].last_used_at, noted);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_token_ends_the_old_one_at_once() {
    let stage = Stage::set().await;
    let request = RotateScimTokenRequest {
        directory_id: stage.directory.id.clone(),
    };
    let request = as_caller(request, &stage.owner_token);
    let rotated = stage
        .scim()
        .rotate_scim_token(request)
        .await
        .unwrap()
        .into_inner();
    stage.directory.get("/Users").await.refused(401, None);
    let anew = stage.directory.with_token(&rotated.token);
    assert_eq!(anew.get("/Users").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disconnected_directory_is_forgotten_and_its_people_stay() {
    let stage = Stage::set().await;
    let id = stage.directory.user("grace@example.com").await;
    let group = stage.directory.group("Support", &[&id]).await;
    let admin = proto::identity::v1::Role::Admin;
    stage
        .map(&stage.owner_token, &group, admin, "")
        .await
        .unwrap();
    let delete = || {
        let directory_id = stage.directory.id.clone();
        as_caller(
            DeleteScimDirectoryRequest { directory_id },
            &stage.owner_token,
        )
    };
    stage.scim().delete_scim_directory(delete()).await.unwrap();
    stage.directory.get("/Users").await.refused(401, None);
    assert_eq!(stage.list().await, []);
    assert_eq!(
        stage.member(&id).await,
        Some(("admin".into(), "active".into()))
    );
    let left = "select from identity.scim_users union all select from identity.scim_groups";
    assert_eq!(stage.world.execute(left).await, 0);
    let again = stage
        .scim()
        .delete_scim_directory(delete())
        .await
        .unwrap_err();
    assert_eq!(again.code(), Code::NotFound);
    // Another one adopts them.
    let second = stage.second_directory().await;
    assert_eq!(second.user("grace@example.com").await, id);
    let actions: Vec<String> = stage
        .audited()
        .await
        .into_iter()
        .map(|(_, action)| action)
        .collect();
    let of_directories: Vec<&str> = actions
        .iter()
        .map(String::as_str)
        .filter(|action| action.starts_with("scim_"))
        .collect();
    assert_eq!(
        of_directories,
        [
            "scim_directory.created",
            "scim_group.role_changed",
            "scim_directory.deleted",
            "scim_directory.created"
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn directories_of_other_organizations_are_unknown() {
    let stage = Stage::set().await;
    let stranger = stage.world.owner("stranger@example.org").await;
    let directory_id = stage.directory.id.clone();
    let rotate = RotateScimTokenRequest {
        directory_id: directory_id.clone(),
    };
    let delete = DeleteScimDirectoryRequest {
        directory_id: directory_id.clone(),
    };
    let list = ListScimGroupsRequest {
        directory_id,
        ..ListScimGroupsRequest::default()
    };
    let mut scim = stage.scim();
    for status in [
        scim.rotate_scim_token(as_caller(rotate, &stranger))
            .await
            .unwrap_err(),
        scim.delete_scim_directory(as_caller(delete, &stranger))
            .await
            .unwrap_err(),
        scim.list_scim_groups(as_caller(list, &stranger))
            .await
            .unwrap_err(),
    ] {
        assert_eq!(status.code(), Code::NotFound, "{status:?}");
    }
    assert_eq!(
        stage.directory.get("/Users").await.body["totalResults"],
        json!(0)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_organization_has_a_bounded_number_of_directories() {
    let stage = Stage::set().await;
    for _ in 1..20 {
        stage.second_directory().await;
    }
    let request = CreateScimDirectoryRequest {
        name: "One more".to_owned(),
    };
    let request = as_caller(request, &stage.owner_token);
    let refused = stage
        .scim()
        .create_scim_directory(request)
        .await
        .unwrap_err();
    assert_eq!(code(&refused), "precondition_failed");
}

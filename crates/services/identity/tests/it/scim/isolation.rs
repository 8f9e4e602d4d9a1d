//! Directories see what is theirs, and requests at one moment don't mix.

use serde_json::json;
use tokio::task::JoinSet;

use super::stage::{Directory, Stage, user};

/// Whatever `other` asks of these, it is told that there is no such thing.
async fn sees_nothing(other: &Directory, user_id: &str, group_id: &str) {
    let (one, group) = (format!("/Users/{user_id}"), format!("/Groups/{group_id}"));
    let off = json!([{"op": "replace", "path": "active", "value": false}]);
    for reply in [
        other.get(&one).await,
        other.patch(&one, &off).await,
        other.put(&one, &user("grace@example.com")).await,
        other.delete(&one).await,
        other.get(&group).await,
        other.put(&group, &json!({"displayName": "x"})).await,
        other.delete(&group).await,
    ] {
        reply.refused(404, None);
    }
    for list in [
        "/Users".to_owned(),
        "/Groups".to_owned(),
        format!("/Users?filter=id eq \"{user_id}\""),
        "/Users?filter=userName eq \"grace@example.com\"".to_owned(),
        "/Users?filter=emails.value eq \"grace@example.com\"".to_owned(),
        format!("/Groups?filter=id eq \"{group_id}\""),
        format!("/Groups?filter=members eq \"{user_id}\""),
        "/Groups?filter=displayName eq \"Support\"".to_owned(),
    ] {
        assert_eq!(
            other.get(&list).await.body["totalResults"],
            json!(0),
            "{list}"
        );
    }
    let own = format!("/Groups/{}", other.group("Own", &[user_id]).await);
    assert_eq!(other.get(&own).await.body.get("members"), None);
    other.delete(&own).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_sees_nothing_of_another_one() {
    let stage = Stage::set().await;
    let user = stage.directory.user("grace@example.com").await;
    let group = stage.directory.group("Support", &[&user]).await;
    sees_nothing(&stage.foreign_directory().await, &user, &group).await;
    sees_nothing(&stage.second_directory().await, &user, &group).await;
    assert!(stage.is_active(&user).await);
    let group = stage.directory.get(&format!("/Groups/{group}")).await;
    assert_eq!(group.body["members"][0]["value"], json!(user));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_directories_of_one_organization_may_name_alike() {
    let stage = Stage::set().await;
    let second = stage.second_directory().await;
    let id = stage.directory.user("grace@example.com").await;
    // One person, described twice.
    assert_eq!(second.user("grace@example.com").await, id);
    stage.directory.group("Support", &[&id]).await;
    second.group("Support", &[]).await;
    let groups = second.get(&format!("/Users/{id}")).await.body;
    assert_eq!(groups.get("groups"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_equal_users_made_at_once_one_is_made() {
    let stage = Stage::set().await;
    for round in 0..3 {
        let mut posts = JoinSet::new();
        for number in 0..4 {
            let directory = stage.directory.clone();
            // The name is equal, the case and the person are not.
            let mut body = user(&format!("person{round}-{number}@example.com"));
            let name = format!("grace{round}@example.com");
            body["userName"] = json!(if number % 2 == 0 {
                name
            } else {
                name.to_uppercase()
            });
            posts.spawn(async move { directory.post("/Users", &body).await });
        }
        let mut replies = posts.join_all().await;
        replies.sort_by_key(|reply| reply.status);
        assert_eq!(replies[0].status, 201, "{replies:?}");
        for refused in &replies[1..] {
            refused.refused(409, Some("uniqueness"));
        }
        let all = stage.directory.get("/Users").await;
        assert_eq!(all.body["totalResults"], json!(round + 1));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn members_that_are_added_at_once_are_all_in_the_group() {
    let stage = Stage::set().await;
    let group = stage.directory.group("Support", &[]).await;
    let mut patches = JoinSet::new();
    for number in 0..5 {
        let id = stage
            .directory
            .user(&format!("p{number}@example.com"))
            .await;
        let (directory, address) = (stage.directory.clone(), format!("/Groups/{group}"));
        patches.spawn(async move {
            let add = json!([{"op": "add", "path": "members", "value": [{"value": id}]}]);
            directory.patch(&address, &add).await.status
        });
    }
    assert_eq!(patches.join_all().await, [204; 5]);
    let members = stage.directory.get(&format!("/Groups/{group}")).await;
    assert_eq!(members.body["members"].as_array().unwrap().len(), 5);
}

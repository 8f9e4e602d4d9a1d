use std::time::Duration;

use proto::identity::{events::v1::SessionEnded, v1::LogOutRequest};
use tonic::Code;

use crate::world::{World, as_caller, code};

const SECOND: Duration = Duration::from_secs(1);
const DAY: Duration = Duration::from_hours(24);

async fn assert_refused(world: &World, refresh_token: &str) {
    let refused = world.refresh(refresh_token).await.unwrap_err();
    assert_eq!(
        (refused.code(), code(&refused).as_str()),
        (Code::Unauthenticated, "auth.refresh_invalid")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn each_refresh_token_gives_the_next_and_a_working_access_token() {
    let world = World::start().await;
    let mut tokens = world.sign_up("ada@example.com").await.tokens.unwrap();
    for _ in 0..5 {
        world.hand.advance(Duration::from_mins(5));
        let next = world.refresh(&tokens.refresh_token).await.unwrap();
        assert_ne!(next.refresh_token, tokens.refresh_token);
        assert_eq!(next.session_id, tokens.session_id);
        assert!(world.caller(&next.access_token).await.is_ok());
        tokens = next;
    }
}

///
#[tokio::test(flavor = "multi_thread")]
async fn a_token_used_again_after_ten_seconds_ends_the_session() {
    let world = World::start().await;
    let first = world.sign_up("ada@example.com").await;
    let (user, tokens) = (first.user.unwrap(), first.tokens.unwrap());
    let stolen = tokens.refresh_token.clone();
    let successor = world.refresh(&stolen).await.unwrap();
    world.hand.advance(11 * SECOND);
    assert_refused(&world, &stolen).await;
    assert_refused(&world, &successor.refresh_token).await;

    let events = world.events::<SessionEnded>().await;
    assert_eq!(events.len(), 1, "told once");
    assert_eq!(events[0].session_id, tokens.session_id);
    assert_eq!(events[0].user_id, user.id);
    assert_eq!(events[0].reason, "refresh_reused");
    let recorded = format!(
        "select from identity.audit_entries where action = 'session.refresh_reused' and target = '{}'",
        tokens.session_id
    );
    assert_eq!(world.execute(&recorded).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_one_session_leaves_others_alone() {
    let world = World::start().await;
    let stolen = world.sign_up("ada@example.com").await.tokens.unwrap();
    let other = world.log_in("ada@example.com").await.tokens.unwrap();
    world.refresh(&stolen.refresh_token).await.unwrap();
    world.hand.advance(11 * SECOND);
    assert_refused(&world, &stolen.refresh_token).await;
    assert!(world.refresh(&other.refresh_token).await.is_ok());
}

///
#[tokio::test(flavor = "multi_thread")]
async fn parallel_refreshes_with_one_token_get_the_same_successor() {
    let world = World::start().await;
    let token = world
        .sign_up("ada@example.com")
        .await
        .tokens
        .unwrap()
        .refresh_token;
    let answers = tokio::join!(
        world.refresh(&token),
        world.refresh(&token),
        world.refresh(&token)
    );
    let successors = [answers.0.unwrap(), answers.1.unwrap(), answers.2.unwrap()];
    assert!(
        successors
            .iter()
            .all(|answer| answer.refresh_token == successors[0].refresh_token)
    );
    world.hand.advance(9 * SECOND);
    assert_eq!(
        world.refresh(&token).await.unwrap().refresh_token,
        successors[0].refresh_token
    );
    let next = world.refresh(&successors[0].refresh_token).await.unwrap();
    // Still within ten seconds of its first use, although the chain has moved on.
    assert_eq!(
        world.refresh(&token).await.unwrap().refresh_token,
        successors[0].refresh_token
    );
    assert!(world.refresh(&next.refresh_token).await.is_ok());
    assert!(world.events::<SessionEnded>().await.is_empty());
}

///
#[tokio::test(flavor = "multi_thread")]
async fn after_a_logout_the_refresh_token_is_dead_at_once_and_the_access_token_soon() {
    let world = World::start().await;
    let tokens = world.sign_up("ada@example.com").await.tokens.unwrap();
    for _ in 0..2 {
        let request = as_caller(LogOutRequest {}, &tokens.access_token);
        world.client.clone().log_out(request).await.unwrap();
    }
    assert_refused(&world, &tokens.refresh_token).await;
    let events = world.events::<SessionEnded>().await;
    assert_eq!(
        events.len(),
        1,
        "told once, however often the caller logs out"
    );
    assert_eq!(events[0].reason, "logged_out");
    world.hand.advance(Duration::from_secs(1));
    assert_eq!(
        code(&world.caller(&tokens.access_token).await.unwrap_err()),
        "auth.revoked"
    );
}

///
#[tokio::test(flavor = "multi_thread")]
async fn a_changed_role_is_in_the_next_token_and_a_removed_member_gets_none() {
    let world = World::start().await;
    let tokens = world.sign_up("ada@example.com").await.tokens.unwrap();
    world
        .execute("update identity.memberships set role = 'viewer'")
        .await;
    let tokens = world.refresh(&tokens.refresh_token).await.unwrap();
    let caller = world.caller(&tokens.access_token).await.unwrap();
    assert_eq!(caller.role(), proto::identity::v1::Role::Viewer);
    assert!(!caller.permissions.contains(&"api_keys.manage".to_owned()));
    world.execute("delete from identity.memberships").await;
    assert_refused(&world, &tokens.refresh_token).await;
}

///
#[tokio::test(flavor = "multi_thread")]
async fn a_session_ends_after_seven_idle_days_and_after_thirty_in_all() {
    let world = World::start().await;
    let idle = world
        .sign_up("ada@example.com")
        .await
        .tokens
        .unwrap()
        .refresh_token;
    let mut active = world
        .log_in("ada@example.com")
        .await
        .tokens
        .unwrap()
        .refresh_token;
    for _ in 0..4 {
        world.hand.advance((7 * DAY).saturating_sub(SECOND));
        active = world.refresh(&active).await.unwrap().refresh_token;
    }
    assert_refused(&world, &idle).await;
    world.hand.advance(2 * DAY);
    active = world.refresh(&active).await.unwrap().refresh_token;
    world.hand.advance(4 * SECOND);
    assert_refused(&world, &active).await;
    assert!(
        world.events::<SessionEnded>().await.is_empty(),
        "an expiry is not an event"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_a_refresh_token_of_ours_is_refused() {
    let world = World::start().await;
    let tokens = world.sign_up("ada@example.com").await.tokens.unwrap();
    let other = World::start()
        .await
        .sign_up("ada@example.com")
        .await
        .tokens
        .unwrap();
    let long = "x".repeat(256);
    for text in [
        "x",
        "sbr_",
        &long,
        &tokens.access_token[..256],
        &other.refresh_token,
    ] {
        assert_refused(&world, text).await;
    }
    assert!(world.refresh(&tokens.refresh_token).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_a_restored_backup_does_not_end_the_session() {
    let world = World::start().await;
    let first = world
        .sign_up("ada@example.com")
        .await
        .tokens
        .unwrap()
        .refresh_token;
    let second = world.refresh(&first).await.unwrap().refresh_token;
    world
        .execute("update identity.sessions set generation = 0, used_at = '{}'")
        .await;
    assert_refused(&world, &second).await;
    assert!(world.refresh(&first).await.is_ok());
}

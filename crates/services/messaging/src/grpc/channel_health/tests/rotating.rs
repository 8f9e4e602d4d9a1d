//! New tokens.

use proto::messaging::v1::ChannelState;

use super::*;
use crate::store::channels;

impl World {
    async fn rotate(&self, token: &str) -> Result<Channel, Status> {
        let message = RotateChannelTokenRequest {
            channel_id: self.id(),
            access_token: token.to_owned(),
        };
        let rotated = self.service.rotate_channel_token(self.asks(message)).await;
        rotated.map(Response::into_inner)
    }

    /// The token that is used.
    async fn token(&self) -> String {
        let fixture = &self.stage.fixture;
        let sealed: Vec<u8> = sqlx::query_scalar("select access_token from messaging.channels")
            .fetch_one(&mut fixture.admin().await)
            .await
            .expect("a sealed token");
        let (scope, id) = (fixture.scope(), fixture.route.channel_id);
        let token = fixture.engine.open_token(&scope, id, &sealed).await;
        secrecy::ExposeSecret::expose_secret(&token.expect("a token")).to_owned()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_good_token_takes_the_place_of_the_old_one_and_the_number_sends_again() {
    let world = World::new().await;
    world.revoke("t");
    assert_eq!(codes(&world.check().await), ["token_refused"]);
    sqlx::query("update messaging.channels set state = 'blocked', state_reason = 'no'")
        .execute(&mut world.stage.fixture.admin().await)
        .await
        .expect("blocked");
    world.stage.fixture.hand.advance(LATER);
    world.account("APPROVED", &[]);
    world.add_token("new-token", &[ACCOUNT], BOTH);
    let channel = world.rotate("new-token").await.expect("rotated");
    assert_eq!(channel.state(), ChannelState::Active);
    assert!(!format!("{channel:?}").contains("new-token"));
    assert_eq!(world.token().await, "new-token");
    assert_eq!(codes(&world.get().await), [""; 0]);
    assert_eq!(world.stage.told::<ChannelHealthChanged>().await, 2);
    // It subscribed its app on the way, so what customers write arrives.
    world.stage.fixture.hand.advance(LATER);
    let health = world.check().await;
    assert_eq!(health.webhook_state(), WebhookState::Subscribed);
    let records = "outbox where event_type = 'switchboard.messaging.events.v1.AuditRecorded'";
    assert_eq!(world.stage.fixture.count(records).await, 1);
    // Once more changes nothing but the time.
    world.rotate("new-token").await.expect("rotated");
    assert_eq!(world.token().await, "new-token");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_not_good_for_the_number_leaves_the_old_one_in_its_place() {
    let world = World::new().await;
    let other = AccountSpec {
        waba_id: Some("77".to_owned()),
        business_id: None,
        name: String::new(),
        subscribed_apps: Vec::new(),
        review_status: "APPROVED".to_owned(),
    };
    let registered = world.stage.sandbox.meta().register_account(other);
    registered.expect("an account");
    world.add_token("elsewhere", &["77"], BOTH);
    world.add_token("narrow", &[ACCOUNT], &["whatsapp_business_management"]);
    world.add_token("revoked", &[ACCOUNT], BOTH);
    world.revoke("revoked");
    for (token, code) in [
        ("unknown", "messaging.channel_credential_refused"),
        ("revoked", "messaging.channel_credential_refused"),
        ("elsewhere", "messaging.channel_credential_refused"),
        ("narrow", "request.invalid"),
    ] {
        let refused = world.rotate(token).await.expect_err(token);
        assert_eq!(Problem::from_status(&refused).code, code, "{token}");
        assert_eq!(world.token().await, "t");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_not_replaced_where_a_colleague_was_faster() {
    let world = World::new().await;
    let (of, now) = (world.stage.fixture.route, world.stage.fixture.now());
    let before = now - Duration::from_secs(1);
    let mut tx = world.stage.fixture.tenant().await;
    let late = channels::rotate(tx.conn(), of, before, b"sealed", now).await;
    assert!(!late.expect("asked"));
    let in_time = channels::rotate(tx.conn(), of, now, b"sealed", now).await;
    assert!(in_time.expect("asked"));
}

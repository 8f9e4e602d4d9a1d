//! What webhooks tell, and the hourly look.

use db::jobs;
use proto::messaging::v1::ConnectChannelRequest;
use serde_json::{Value, json};

use super::*;
use crate::{
    jobs::{check_channels, transfers},
    ops::connect_channel::connect_channel,
};

impl World {
    /// A webhook about the account or a number of it, some seconds after the fixture's beginning.
    async fn hears(&self, field: &str, second: i64, value: Value) {
        let time = 1_770_000_000 + second;
        let body = json!({ "object": "whatsapp_business_account", "entry": [{
            "id": ACCOUNT, "time": time, "changes": [{ "field": field, "value": value }],
        }] });
        self.stage.hear(body.to_string().into_bytes()).await;
    }

    /// Looks at what is due; how many numbers.
    async fn look(&self) -> usize {
        let engine = &self.stage.fixture.engine;
        let leased = transfers::claim(engine, check_channels::KIND, 8).await;
        let leased = leased.expect("jobs");
        let count = leased.len();
        for job in leased {
            let checked = check_channels::check(Arc::clone(engine), job).await;
            checked.expect("a look");
        }
        count
    }

    async fn search(&self) {
        let searched = check_channels::search(&self.stage.fixture.engine).await;
        searched.expect("a search");
    }

    fn passes(&self, time: Duration) {
        self.stage.fixture.hand.advance(time);
    }
}

const MINUTE: Duration = Duration::from_mins(1);

#[tokio::test(flavor = "multi_thread")]
async fn every_number_is_looked_at_hourly_once_it_was_found() {
    let world = World::new().await;
    assert_eq!(world.look().await, 0);
    world.search().await;
    world.search().await;
    world.passes(5 * MINUTE);
    assert_eq!(world.look().await, 1);
    assert_eq!(world.get().await.state(), ChannelHealthState::Good);
    world.passes(59 * MINUTE);
    assert_eq!(world.look().await, 0);
    world.search().await;
    world.passes(12 * MINUTE);
    assert_eq!(world.look().await, 1);
    assert_eq!(world.look().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_job_is_found_again() {
    let world = World::new().await;
    world.check().await;
    world.passes(3 * 60 * MINUTE);
    world.search().await;
    world.passes(5 * MINUTE);
    assert_eq!(world.look().await, 0, "it was not forgotten yet");
    world.search().await;
    world.passes(5 * MINUTE);
    assert_eq!(world.look().await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn connecting_a_number_again_looks_at_it_at_once() {
    let world = World::new().await;
    world.search().await;
    world.passes(5 * MINUTE);
    world.look().await;
    world.passes(MINUTE);
    let request = ConnectChannelRequest {
        phone_number_id: NUMBER.to_owned(),
        waba_id: ACCOUNT.to_owned(),
        access_token: "t".to_owned(),
        ..ConnectChannelRequest::default()
    };
    let fixture = &world.stage.fixture;
    let (scope, origin) = (fixture.scope(), auth::Origin::default());
    connect_channel(&fixture.engine, &scope, &origin, request)
        .await
        .expect("a channel");
    assert_eq!(world.look().await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_is_followed_by_a_look_soon_and_then_ever_more_rarely() {
    let world = World::new().await;
    world.search().await;
    world.passes(5 * MINUTE);
    // Some of the pause is by chance: a sixth at most.
    for (least, most) in [(5, 6), (5, 6), (5, 7), (6, 13)] {
        let away = world.stage.away();
        let leased = transfers::claim(&away, check_channels::KIND, 8).await;
        let job = leased.expect("jobs").remove(0);
        let checked = Box::pin(check_channels::check(Arc::clone(&away), job));
        let looked = Box::pin(world.stage.while_time_passes(checked)).await;
        looked.expect("a look");
        let mut tx = world.stage.fixture.system().await;
        let due = jobs::next_due(&mut tx, check_channels::KIND).await;
        drop(tx);
        let pause = due.expect("a time").expect("a job") - world.stage.fixture.now();
        assert!(
            (least - 1..=most).contains(&pause.num_minutes()),
            "{pause} is not between {least} and {most} minutes"
        );
        world.passes(pause.to_std().expect("a pause"));
    }
    assert_eq!(world.look().await, 1);
    assert_eq!(world.get().await.state(), ChannelHealthState::Good);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_is_seen_at_once_and_asks_for_the_rest() {
    let world = World::new().await;
    world.check().await;
    let flagged = json!({ "display_phone_number": "49301", "event": "FLAGGED" });
    world.hears("phone_number_quality_update", 0, flagged).await;
    assert_eq!(codes(&world.get().await), ["number_flagged"]);
    let name = json!({
        "display_phone_number": "49301", "decision": "DECLINED", "requested_verified_name": "Shop",
        "rejection_reason": "It does not name the business.",
    });
    world.hears("phone_number_name_update", 0, name).await;
    let limit = json!({ "max_daily_conversations_per_business": 250 });
    world.hears("business_capability_update", 0, limit).await;
    let review = json!({ "decision": "PENDING" });
    world.hears("account_review_update", 0, review).await;
    let pin =
        json!({ "display_phone_number": "49301", "event": "PIN_RESET_REQUEST", "requester": "1" });
    world.hears("security", 0, pin).await;
    let restricted = json!({ "event": "ACCOUNT_RESTRICTION", "restriction_info": [
        { "restriction_type": "RESTRICTED_BIZ_INITIATED_MESSAGING", "expiration": 1_770_086_400 },
    ] });
    world.hears("account_update", 0, restricted).await;
    let health = world.get().await;
    assert_eq!(
        codes(&health),
        [
            "number_flagged",
            "account_restricted",
            "name_declined",
            "pin_reset_requested",
            "account_in_review",
            "limit_lowest"
        ]
    );
    let reason = &health.name_rejection_reason;
    assert_eq!(reason, "It does not name the business.");
    let restriction = &health.account_restrictions[0];
    assert_eq!(restriction.kind, "restricted_biz_initiated_messaging");
    assert_eq!(world.stage.told::<ChannelHealthChanged>().await, 6);
    // WhatsApp is asked, and what it says is what is so. What it does not tell stays.
    assert_eq!(world.look().await, 1);
    let left = ["account_restricted", "pin_reset_requested"];
    assert_eq!(codes(&world.get().await), left);
    world.passes(Duration::from_hours(24 * 7));
    assert_eq!(codes(&world.get().await), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_that_comes_late_or_again_changes_nothing() {
    let world = World::new().await;
    let event =
        |event: &str| json!({ "display_phone_number": "49301", "event": event, "at": event });
    let field = "phone_number_quality_update";
    world.passes(MINUTE);
    world.hears(field, 30, event("UNFLAGGED")).await;
    world.hears(field, 20, event("FLAGGED")).await;
    assert_eq!(world.get().await.number_status, "connected");
    let mut fresh = event("FLAGGED");
    fresh["current_limit"] = "TIER_2K".into();
    world.hears(field, 40, fresh.clone()).await;
    assert_eq!(world.get().await.number_status, "flagged");
    world.check().await;
    assert_eq!(world.get().await.number_status, "connected");
    world.hears(field, 40, fresh).await;
    assert_eq!(world.get().await.number_status, "connected");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_is_banned_is_told_until_it_is_let_in_again() {
    let world = World::new().await;
    let ban = |state: &str| {
        json!({ "event": "DISABLED_UPDATE", "ban_info": {
            "waba_ban_state": state, "waba_ban_date": "April 17, 2026",
        } })
    };
    world.passes(MINUTE);
    let scheduled = ban("SCHEDULE_FOR_DISABLE");
    world.hears("account_update", 1, scheduled).await;
    let health = world.get().await;
    assert_eq!(health.state(), ChannelHealthState::Broken);
    assert!(health.diagnoses[0].sentence.contains("April 17, 2026"));
    world.hears("account_update", 2, ban("DISABLE")).await;
    assert_eq!(codes(&world.get().await)[0], "account_disabled");
    world.hears("account_update", 3, ban("REINSTATE")).await;
    assert_eq!(codes(&world.get().await), ["not_looked_at_yet"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_older_than_a_webhook_is_asked_for_again_in_a_minute() {
    let world = World::new().await;
    world.search().await;
    world.passes(5 * MINUTE);
    // As if it came while WhatsApp was answering: not before the look began.
    let event = json!({ "display_phone_number": "49301", "event": "FLAGGED" });
    let field = "phone_number_quality_update";
    world.hears(field, 3_600, event).await;
    assert_eq!(world.look().await, 1);
    world.passes(2 * MINUTE);
    assert_eq!(world.look().await, 1);
}

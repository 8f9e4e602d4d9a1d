//! How numbers are doing, against the sandbox's Graph API.

mod rotating;
mod telling;

use std::time::Duration;

use errors::Problem;
use ids::ChannelId;
use proto::messaging::{
    events::v1::ChannelHealthChanged,
    v1::{ChannelHealthState, TokenState, WebhookState},
};
use sandbox::meta::{AccountSpec, NumberSpec, ObstacleSpec, TokenSpec};
use tonic::Code;

use super::*;
use crate::{
    fixture::{Fixture, member_context},
    media::stage::{ACCOUNT, APP, NUMBER, Stage},
};

/// Longer than a number that was just looked at is left alone.
const LATER: Duration = Duration::from_secs(11);

/// A tenant whose number is the sandbox's.
struct World {
    stage: Stage,
    service: Service,
}

impl World {
    async fn new() -> Self {
        let stage = Stage::new().await;
        let service = service(&stage.fixture);
        Self { stage, service }
    }

    fn id(&self) -> String {
        self.stage.fixture.route.channel_id.to_string()
    }

    fn asks<T>(&self, message: T) -> Request<T> {
        asks(&self.stage.fixture, message)
    }

    async fn get(&self) -> ChannelHealth {
        get(&self.service, &self.stage.fixture, &self.id())
            .await
            .expect("its health")
    }

    async fn check(&self) -> ChannelHealth {
        let message = CheckChannelHealthRequest {
            channel_id: self.id(),
        };
        let checked = self.service.check_channel_health(self.asks(message)).await;
        checked.expect("its health").into_inner()
    }

    /// What the number is like at WhatsApp from now on.
    fn becomes(&self, change: impl FnOnce(&mut NumberSpec)) {
        let meta = self.stage.sandbox.meta();
        let mut spec = meta.number(NUMBER).expect("the number");
        change(&mut spec);
        meta.change_number(NUMBER, spec).expect("changed");
    }

    fn add_token(&self, token: &str, accounts: &[&str], scopes: &[&str]) {
        let words = |list: &[&str]| list.iter().map(|word| (*word).to_owned()).collect();
        let spec = TokenSpec {
            access_token: SecretString::from(token),
            app_id: APP.to_owned(),
            waba_ids: words(accounts),
            scopes: words(scopes),
            expires_at: None,
        };
        let registered = self.stage.sandbox.meta().register_token(spec);
        registered.expect("a token");
    }

    fn revoke(&self, token: &str) {
        let token = SecretString::from(token);
        let revoked = self.stage.sandbox.meta().revoke_token(&token);
        revoked.expect("revoked");
    }

    /// Replaces the account; an app that is not among these gets nothing.
    fn account(&self, review_status: &str, apps: &[&str]) {
        let spec = AccountSpec {
            waba_id: Some(ACCOUNT.to_owned()),
            business_id: None,
            name: String::new(),
            subscribed_apps: apps.iter().map(|app| (*app).to_owned()).collect(),
            review_status: review_status.to_owned(),
        };
        let registered = self.stage.sandbox.meta().register_account(spec);
        registered.expect("an account");
    }
}

fn service(fixture: &Fixture) -> Service {
    Service {
        engine: Arc::clone(&fixture.engine),
    }
}

fn asks<T>(fixture: &Fixture, message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.extensions_mut().insert(member_context(fixture));
    request
}

async fn get(service: &Service, fixture: &Fixture, id: &str) -> Result<ChannelHealth, Status> {
    let message = GetChannelHealthRequest {
        channel_id: id.to_owned(),
    };
    let got = service.get_channel_health(asks(fixture, message)).await;
    got.map(Response::into_inner)
}

fn codes(health: &ChannelHealth) -> Vec<&str> {
    let found = health.diagnoses.iter();
    found.map(|it| it.code.as_str()).collect()
}

const BOTH: &[&str] = &[
    "whatsapp_business_management",
    "whatsapp_business_messaging",
];

#[tokio::test(flavor = "multi_thread")]
async fn a_good_number_is_unknown_until_it_is_looked_at_and_good_then() {
    let world = World::new().await;
    let before = world.get().await;
    assert_eq!(before.state(), ChannelHealthState::Unknown);
    assert_eq!(codes(&before), ["not_looked_at_yet"]);
    let after = world.check().await;
    assert_eq!(
        (after.state(), codes(&after)),
        (ChannelHealthState::Good, vec![])
    );
    assert_eq!(after.quality_rating, "green");
    assert_eq!(after.messaging_limit, "tier_unlimited");
    assert_eq!(after.number_status, "connected");
    assert_eq!(after.account_review_status, "approved");
    assert_eq!(after.token_state(), TokenState::Valid);
    assert_eq!(after.webhook_state(), WebhookState::Subscribed);
    assert_eq!(
        (after.token_expires_at, after.messages_per_second),
        (None, 80)
    );
    assert!(after.checked_at.is_some());
    assert_eq!(world.get().await, after);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_whatsapp_says_is_answered_with_what_it_means() {
    let world = World::new().await;
    world.becomes(|number| {
        number.quality_rating = "RED".to_owned();
        number.name_status = "DECLINED".to_owned();
        number.messaging_limit = "TIER_250".to_owned();
        number.throughput_mps = 1_000;
        number.obstacles = vec![ObstacleSpec {
            entity_type: "BUSINESS".to_owned(),
            error_code: 141_010,
            error_description: "The business has not passed verification.".to_owned(),
            possible_solution: "Verify it.".to_owned(),
            blocks: false,
        }];
    });
    world.account("REJECTED", &[]);
    let health = world.check().await;
    assert_eq!(health.state(), ChannelHealthState::Broken);
    assert_eq!(
        codes(&health),
        [
            "webhooks_missing",
            "account_rejected",
            "sending_limited",
            "name_declined",
            "quality_low",
            "limit_lowest"
        ]
    );
    assert_eq!(health.obstacles[0].code, 141_010);
    assert_eq!(health.webhook_state(), WebhookState::Missing);
    // What is sent follows what WhatsApp takes.
    assert_eq!(
        (health.throughput_level.as_str(), health.messages_per_second),
        ("high", 1_000)
    );
    for diagnosis in &health.diagnoses {
        assert!(!diagnosis.sentence.is_empty() && !diagnosis.what_to_do.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_ended_one_without_access_and_one_without_permission_are_told_apart() {
    let world = World::new().await;
    world.check().await;
    let only = &["whatsapp_business_management"];
    for (expected, state) in [
        ("token_refused", TokenState::Refused),
        ("token_without_access", TokenState::NoAccess),
        ("token_permissions_missing", TokenState::Valid),
    ] {
        world.stage.fixture.hand.advance(LATER);
        match expected {
            "token_refused" => world.revoke("t"),
            "token_without_access" => world.add_token("t", &["77"], BOTH),
            _ => world.add_token("t", &[ACCOUNT], only),
        }
        let health = world.check().await;
        assert_eq!(codes(&health), [expected]);
        assert_eq!(health.token_state(), state);
        assert_eq!(health.quality_rating, "green", "what was known stays");
    }
    assert_eq!(world.stage.told::<ChannelHealthChanged>().await, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_that_was_just_looked_at_is_not_looked_at_again() {
    let world = World::new().await;
    let first = world.check().await;
    world.revoke("t");
    world.stage.fixture.hand.advance(Duration::from_secs(9));
    assert_eq!(world.check().await, first);
    world.stage.fixture.hand.advance(Duration::from_secs(2));
    assert_eq!(codes(&world.check().await), ["token_refused"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_that_stopped_sending_says_why() {
    let world = World::new().await;
    sqlx::query(
        "update messaging.channels set state = 'blocked', state_reason = 'The account is locked.'",
    )
    .execute(&mut world.stage.fixture.admin().await)
    .await
    .expect("blocked");
    let health = world.check().await;
    assert_eq!(codes(&health), ["sending_stopped"]);
    assert!(
        health.diagnoses[0]
            .sentence
            .ends_with("The account is locked.")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn while_whatsapp_can_not_be_asked_what_is_known_stays_and_its_age_is_told() {
    let mut world = World::new().await;
    world.check().await;
    world.service.engine = world.stage.away();
    world.stage.fixture.hand.advance(LATER);
    let health = world.stage.while_time_passes(world.check()).await;
    assert_eq!(
        (health.failure.as_str(), codes(&health)),
        ("unreachable", vec![])
    );
    assert_eq!(health.quality_rating, "green");
    let hours = Duration::from_hours(6) + LATER;
    world.stage.fixture.hand.advance(hours);
    let health = world.stage.while_time_passes(world.check()).await;
    assert_eq!(codes(&health), ["not_looked_at"]);
    world.service = service(&world.stage.fixture);
    world.stage.fixture.hand.advance(LATER);
    let health = world.check().await;
    assert_eq!((health.failure.as_str(), codes(&health)), ("", vec![]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_of_another_organization_is_as_one_that_does_not_exist() {
    let mut world = World::new().await;
    let theirs = world.id();
    world.stage.fixture.add_tenant("1002").await;
    let service = &world.service;
    for id in [theirs, ChannelId::generate().to_string()] {
        let fixture = &world.stage.fixture;
        let got = get(service, fixture, &id).await.expect_err("not ours");
        let channel_id = id.clone();
        let check = CheckChannelHealthRequest { channel_id };
        let checked = service.check_channel_health(world.asks(check)).await;
        let rotate = RotateChannelTokenRequest {
            channel_id: id,
            access_token: "t".to_owned(),
        };
        let rotated = service.rotate_channel_token(world.asks(rotate)).await;
        for refused in [
            got,
            checked.expect_err("not ours"),
            rotated.expect_err("not ours"),
        ] {
            assert_eq!(refused.code(), Code::NotFound);
        }
    }
    let wrong = get(service, &world.stage.fixture, "ch_nonsense").await;
    let wrong = wrong.expect_err("no id");
    assert_eq!(Problem::from_status(&wrong).errors[0].field, "channelId");
}

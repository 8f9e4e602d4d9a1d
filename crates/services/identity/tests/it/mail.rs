//! Mail, to a Resend that is played.

mod undeliverable;

use std::time::Duration;

use identity::Mail;
use proto::identity::v1::{
    GetInvitationRequest, InviteRequest, JoinOrganizationRequest, RequestPasswordResetRequest,
    ResetPasswordRequest, account_service_client::AccountServiceClient,
    people_service_client::PeopleServiceClient,
};
use serde_json::{Value, json};
use testkit::eventually;
use wiremock::{
    Mock, MockServer, Request, ResponseTemplate,
    matchers::{header, method, path},
};

use crate::world::{PASSWORD, World, as_caller};

const DEADLINE: Duration = Duration::from_secs(30);

/// A Resend that takes everything.
async fn resend() -> MockServer {
    let resend = MockServer::start().await;
    taking().mount(&resend).await;
    resend
}

fn calls() -> wiremock::MockBuilder {
    Mock::given(method("POST"))
        .and(path("/emails"))
        .and(header("authorization", "Bearer re_test"))
}

fn taking() -> Mock {
    let taken = json!({ "id": "49a3999c-0ce1-4ea6-ab68-afcd6dc2e794" });
    calls().respond_with(ResponseTemplate::new(200).set_body_json(taken))
}

/// Lets the service send mail through it.
async fn send_through(world: &mut World, resend: &MockServer) {
    world.config.mail = Mail {
        api_key: "re_test".into(),
        from: "Switchboard <mail@switchboard.example>".to_owned(),
        base_url: resend.uri(),
    };
    "https://app.example.com".clone_into(&mut world.config.app_url);
    world.restart().await;
}

struct Received {
    key: String,
    mail: Value,
}

async fn received(resend: &MockServer, subject: &str) -> Vec<Received> {
    let requests = resend.received_requests().await.unwrap();
    let read = |request: &Request| Received {
        key: request.headers["idempotency-key"]
            .to_str()
            .unwrap()
            .to_owned(),
        mail: request.body_json().unwrap(),
    };
    let all = requests.iter().map(read);
    all.filter(|one| one.mail["subject"] == subject).collect()
}

async fn first(resend: &MockServer, subject: &str) -> Received {
    let found = eventually(DEADLINE, async || received(resend, subject).await.pop());
    found.await
}

/// The secret of the link that the mail has in both versions.
fn secret(mail: &Value, page: &str) -> String {
    let before = format!("https://app.example.com/{page}#secret=");
    let [html, text] = ["html", "text"].map(|version| mail[version].as_str().unwrap());
    let (_, rest) = text.split_once(&before).unwrap();
    let secret = rest.split_whitespace().next().unwrap();
    assert!(
        html.contains(&format!("href=\"{before}{secret}\"")),
        "{html}"
    );
    secret.to_owned()
}

async fn jobs(world: &World) -> Vec<(String, Option<String>)> {
    let mut admin = world.db.admin().await;
    sqlx::query_as("select state, last_error from identity.jobs where kind = 'send-mail' order by created_at, id")
        .fetch_all(&mut admin)
        .await
        .unwrap()
}

async fn all_jobs_are(world: &World, state: &str) {
    eventually(DEADLINE, async || {
        jobs(world).await.iter().all(|(found, _)| found == state)
    })
    .await;
}

async fn ask_for_reset(world: &World, email: &str) {
    let request = RequestPasswordResetRequest {
        email: email.to_owned(),
    };
    AccountServiceClient::new(world.channel.clone())
        .request_password_reset(request)
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_link_in_an_invitation_lets_the_invited_join() {
    let (mut world, resend) = (World::start().await, resend().await);
    send_through(&mut world, &resend).await;
    let owner = world.owner("ada@example.com").await;
    let mut people = PeopleServiceClient::new(world.channel.clone());
    let request = InviteRequest {
        email: "bob@example.com".to_owned(),
        role: proto::identity::v1::Role::Agent.into(),
        ..InviteRequest::default()
    };
    people.invite(as_caller(request, &owner)).await.unwrap();

    let mail = first(&resend, "Ada invites you to Kedai Kopi").await.mail;
    assert_eq!(mail["to"], json!(["bob@example.com"]));
    assert_eq!(mail["from"], "Switchboard <mail@switchboard.example>");
    let secret = secret(&mail, "accept-invitation");
    let shown = people
        .get_invitation(GetInvitationRequest {
            secret: secret.clone(),
        })
        .await
        .unwrap()
        .into_inner();
    assert_eq!(shown.organization_name, "Kedai Kopi");
    let join = JoinOrganizationRequest {
        secret,
        name: "Bob".to_owned(),
        password: PASSWORD.to_owned(),
    };
    people.join_organization(join).await.unwrap();
    world.log_in("bob@example.com").await;
    all_jobs_are(&world, "done").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_link_in_a_reset_mail_chooses_a_new_password() {
    let (mut world, resend) = (World::start().await, resend().await);
    send_through(&mut world, &resend).await;
    world.owner("ada@example.com").await;
    ask_for_reset(&world, "ada@example.com").await;
    ask_for_reset(&world, "nobody@example.com").await;

    let reset = first(&resend, "Reset your password").await;
    assert_eq!(reset.mail["to"], json!(["ada@example.com"]));
    let request = ResetPasswordRequest {
        secret: secret(&reset.mail, "reset-password"),
        new_password: "another correct horse battery".to_owned(),
    };
    AccountServiceClient::new(world.channel.clone())
        .reset_password(request)
        .await
        .unwrap();
    world
        .try_log_in("ada@example.com", "another correct horse battery")
        .await
        .unwrap();
    let changed = first(&resend, "Your password was changed").await;
    assert_eq!(changed.mail["to"], json!(["ada@example.com"]));
    assert_ne!(changed.key, reset.key, "a key for each mail");
    let all = resend.received_requests().await.unwrap();
    assert!(
        all.iter()
            .all(|request| !String::from_utf8_lossy(&request.body).contains("nobody"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_key_mail_waits_and_what_is_needless_by_then_is_not_sent() {
    let (mut world, resend) = (World::start().await, resend().await);
    world.owner("ada@example.com").await;
    ask_for_reset(&world, "ada@example.com").await;
    // The second link closes the first.
    ask_for_reset(&world, "ada@example.com").await;
    all_jobs_are(&world, "waiting").await;

    send_through(&mut world, &resend).await;
    all_jobs_are(&world, "done").await;
    assert_eq!(received(&resend, "Reset your password").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_whose_answer_was_lost_is_sent_again_under_the_same_key() {
    let (mut world, resend) = (World::start().await, MockServer::start().await);
    let down = json!({ "name": "application_error", "message": "for ada@example.com" });
    calls()
        .respond_with(ResponseTemplate::new(500).set_body_json(down))
        .up_to_n_times(1)
        .mount(&resend)
        .await;
    taking().mount(&resend).await;
    let user = world.sign_up("ada@example.com").await.user.unwrap();
    world.execute("delete from identity.jobs").await;
    queue(
        &world,
        &json!({ "letter": "mfa_enabled", "user_id": user.id }),
    )
    .await;
    send_through(&mut world, &resend).await;
    let subject = "Two-factor authentication is on";
    first(&resend, subject).await;
    eventually(DEADLINE, async || {
        jobs(&world).await.iter().all(|(state, error)| {
            state == "waiting" && error.as_ref().is_some_and(|error| !error.contains("ada@"))
        })
    })
    .await;
    world.hand.advance(Duration::from_secs(5));
    all_jobs_are(&world, "done").await;
    let sent = received(&resend, subject).await;
    assert_eq!(sent.len(), 2);
    assert_eq!((&sent[0].key, &sent[0].mail), (&sent[1].key, &sent[1].mail));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_mail_is_recorded_and_not_tried_again() {
    let (mut world, resend) = (World::start().await, MockServer::start().await);
    let refused =
        json!({ "name": "validation_error", "message": "ada@example.com is not an address" });
    calls()
        .respond_with(ResponseTemplate::new(422).set_body_json(refused))
        .mount(&resend)
        .await;
    let user = world.sign_up("ada@example.com").await.user.unwrap();
    world.execute("delete from identity.jobs").await;
    queue(
        &world,
        &json!({ "letter": "mfa_enabled", "user_id": user.id }),
    )
    .await;
    queue(&world, &json!({ "letter": "unheard_of" })).await;
    send_through(&mut world, &resend).await;
    all_jobs_are(&world, "failed").await;
    world.hand.advance(Duration::from_hours(2));
    let mut errors: Vec<String> = jobs(&world)
        .await
        .into_iter()
        .filter_map(|(_, error)| error)
        .collect();
    errors.sort();
    assert_eq!(errors.len(), 2);
    assert!(
        errors[0].contains("422") || errors[1].contains("422"),
        "{errors:?}"
    );
    assert!(!errors.concat().contains("ada@"), "{errors:?}");
    assert_eq!(resend.received_requests().await.unwrap().len(), 1);
}

/// A job as operations write it.
async fn queue(world: &World, letter: &Value) {
    let mut admin = world.db.admin().await;
    sqlx::query(
        "insert into identity.jobs (id, kind, payload, due_at, max_attempts, created_at)
         values ($1, 'send-mail', $2, $3, 20, $3)",
    )
    .bind(ids::JobId::generate_at(world.clock.unix_ms()).as_uuid())
    .bind(letter)
    .bind(world.clock.now())
    .execute(&mut admin)
    .await
    .unwrap();
}

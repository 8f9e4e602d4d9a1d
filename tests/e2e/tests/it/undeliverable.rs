//! Mail that comes back: from Resend through the edge to identity.

use sandbox::resend::Filter;
use serde_json::json;

use crate::world::{World, eventually};

/// Resend's own address for this.
const BOUNCING: &str = "bounced@resend.dev";

/// The mails that Resend took for the address.
fn mails(world: &World) -> usize {
    let filter = Filter {
        to: Some(BOUNCING.to_owned()),
        ..Filter::default()
    };
    world.sandbox().resend().ledger().mailbox(&filter).len()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_whose_mail_came_back_gets_no_second_one() {
    let world = World::start().await;
    let invitation = json!({ "email": BOUNCING, "role": "ROLE_AGENT" });
    let invited = world.owner.post("/v1/invitations", "first", &invitation);
    invited.await.expect("an invitation");
    let suppressed = "select count(*) from identity.mail_suppressions where bounced_at is not null";
    eventually(async || world.count(suppressed).await == 1).await;
    assert_eq!(mails(&world), 1);

    let stranger = world.stranger().await;
    let invited = stranger.post("/v1/invitations", "second", &invitation);
    invited
        .await
        .expect("an invitation of another organization");
    let over = "select count(*) from identity.jobs
                where kind = 'send-mail' and payload ->> 'letter' = 'invitation' and state = 'failed'
                  and last_error = 'mail to this address came back'";
    eventually(async || world.count(over).await == 1).await;
    assert_eq!(mails(&world), 1);
    world.stop().await;
}

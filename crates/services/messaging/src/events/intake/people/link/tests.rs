use super::*;
use crate::{
    events::intake::{people, sort::Sender},
    fixture::Fixture,
};

fn identities(identities: &[(&'static str, &str)]) -> Vec<(&'static str, String)> {
    identities
        .iter()
        .map(|(kind, value)| (*kind, (*value).to_owned()))
        .collect()
}

fn sender(told: &[(&'static str, &str)]) -> Sender {
    Sender {
        identities: identities(told),
        ..Sender::default()
    }
}

/// What one batch makes of a sender, and how many merges it told.
async fn meet(fixture: &Fixture, sender: &Sender) -> (ContactId, usize) {
    let met = [Met {
        of: fixture.route.organization_id,
        sender,
    }];
    let mut tx = fixture.system().await;
    let resolved = people::resolve(tx.conn(), &met, fixture.now()).await;
    let resolved = resolved.expect("resolve");
    tx.commit().await.expect("commit");
    (resolved.people[0].contact_id, resolved.events.len())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_with_ids_of_two_contacts_makes_them_one_and_once() {
    let fixture = Fixture::new().await;
    let (by_number, _) = meet(&fixture, &sender(&[("phone", "491701")])).await;
    let (by_id, _) = meet(&fixture, &sender(&[("user_id", "DE.1")])).await;
    assert_ne!(by_number, by_id);
    let both = sender(&[("user_id", "DE.1"), ("phone", "491701")]);
    let older = by_number.min(by_id);
    assert_eq!(meet(&fixture, &both).await, (older, 1));
    assert_eq!(meet(&fixture, &both).await, (older, 0));
    assert_eq!(
        fixture
            .count("contact_merges where reason = 'linked'")
            .await,
        1
    );
    assert_eq!(
        fixture.count("contacts where merged_into_id is null").await,
        1
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn contacts_with_different_user_ids_stay_two() {
    let fixture = Fixture::new().await;
    let (former_owner, _) = meet(
        &fixture,
        &sender(&[("user_id", "DE.1"), ("phone", "491701")]),
    )
    .await;
    let (owner, _) = meet(&fixture, &sender(&[("user_id", "DE.2")])).await;
    let now_with_number = sender(&[("user_id", "DE.2"), ("phone", "491701")]);
    assert_eq!(meet(&fixture, &now_with_number).await, (owner, 0));
    assert_ne!(owner, former_owner);
    assert_eq!(fixture.count("contact_merges").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_number_does_not_bring_its_former_owner() {
    let fixture = Fixture::new().await;
    meet(&fixture, &sender(&[("phone", "491702")])).await;
    let (person, _) = meet(
        &fixture,
        &sender(&[("user_id", "DE.1"), ("phone", "491701")]),
    )
    .await;
    let notice = Sender {
        former: identities(&[("phone", "491701")]),
        ..sender(&[("user_id", "DE.1"), ("phone", "491702")])
    };
    assert_eq!(meet(&fixture, &notice).await, (person, 0));
    assert_eq!(fixture.count("contact_merges").await, 0);
}

use std::time::Duration;

use bus::Envelope;
use ids::{EventId, TeamId};

use super::*;
use crate::fixture::Fixture;

/// As identity would tell it now.
fn delivery<E: DomainEvent>(fixture: &Fixture, event: &E) -> Delivery {
    Delivery {
        envelope: Envelope {
            event_id: EventId::generate_at(fixture.db.clock().unix_ms()),
            event_type: E::SPEC.event_type.to_owned(),
            organization_id: Some(fixture.route.organization_id),
            key: String::new(),
            occurred_at: fixture.now(),
            traceparent: None,
            causation_id: None,
            actor: None,
            aggregate_version: None,
        },
        exchange: "identity.events".to_owned(),
        routing_key: E::SPEC.routing_key.to_owned(),
        payload: event.encode_to_vec(),
        attempts: 0,
    }
}

async fn hear(fixture: &Fixture, batch: &[Delivery]) -> Vec<ItemOutcome> {
    let handler = OnRosterChanged {
        clock: fixture.db.clock().clone(),
    };
    let mut tx = fixture.system().await;
    let outcomes = handler.handle(&mut tx, batch).await.expect("outcomes");
    tx.commit().await.expect("commit");
    outcomes
}

fn joined(user: UserId) -> MemberJoined {
    MemberJoined {
        user_id: user.to_string(),
        role: "agent".to_owned(),
        joined_at: None,
    }
}

fn changed(user: UserId, active: bool) -> MemberChanged {
    MemberChanged {
        user_id: user.to_string(),
        role: "agent".to_owned(),
        active,
        changed_at: None,
    }
}

async fn is_active(fixture: &Fixture, user: UserId) -> bool {
    let mut tx = fixture.tenant().await;
    let of = fixture.route.organization_id;
    let active = agents::active(tx.conn(), of, &[user]).await;
    !active.expect("people").is_empty()
}

#[tokio::test(flavor = "multi_thread")]
async fn people_come_change_and_leave_whatever_the_order_in_which_it_is_told() {
    let fixture = Fixture::new().await;
    let user = UserId::generate();
    let owner = OrganizationCreated {
        organization_id: fixture.route.organization_id.to_string(),
        owner_user_id: UserId::generate().to_string(),
        created_at: None,
    };
    let mut told = vec![
        delivery(&fixture, &owner),
        delivery(&fixture, &joined(user)),
    ];
    for active in [false, true] {
        fixture.hand.advance(Duration::from_secs(1));
        told.push(delivery(&fixture, &changed(user, active)));
    }
    hear(&fixture, &told[..2]).await;
    assert!(is_active(&fixture, user).await);
    assert_eq!(fixture.count("agents").await, 2);
    // The newest, then everything once more from the newest to the oldest.
    hear(&fixture, &told[3..]).await;
    told.reverse();
    let outcomes = hear(&fixture, &told).await;
    assert_eq!(outcomes, vec![ItemOutcome::Done; 4]);
    assert!(is_active(&fixture, user).await);

    fixture.hand.advance(Duration::from_secs(1));
    let removed = MemberRemoved {
        user_id: user.to_string(),
        removed_at: None,
    };
    hear(&fixture, &[delivery(&fixture, &removed)]).await;
    hear(&fixture, &told).await;
    assert!(!is_active(&fixture, user).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn teams_have_the_members_last_told_and_a_deleted_one_stays_so() {
    let fixture = Fixture::new().await;
    let (team, one, two) = (TeamId::generate(), UserId::generate(), UserId::generate());
    let of = fixture.route.organization_id;
    let teams_of = async |user| {
        let mut tx = fixture.tenant().await;
        agents::teams_of(tx.conn(), of, user).await.expect("teams")
    };
    let with = |members: &[UserId]| TeamChanged {
        team_id: team.to_string(),
        name: "Sales".to_owned(),
        member_user_ids: members.iter().map(UserId::to_string).collect(),
        changed_at: None,
    };
    let older = delivery(&fixture, &with(&[one, two]));
    fixture.hand.advance(Duration::from_secs(1));
    let newer = delivery(&fixture, &with(&[two]));
    hear(&fixture, std::slice::from_ref(&newer)).await;
    hear(&fixture, &[older, newer.clone()]).await;
    assert_eq!(
        (teams_of(one).await, teams_of(two).await),
        (vec![], vec![team])
    );

    let deleted = TeamDeleted {
        team_id: team.to_string(),
        deleted_at: None,
    };
    hear(&fixture, &[delivery(&fixture, &deleted)]).await;
    fixture.hand.advance(Duration::from_secs(1));
    hear(&fixture, &[newer, delivery(&fixture, &with(&[one]))]).await;
    assert!(teams_of(two).await.is_empty() && teams_of(one).await.is_empty());
    let mut tx = fixture.tenant().await;
    assert!(
        !agents::team_exists(tx.conn(), of, team)
            .await
            .expect("a team")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_no_member_any_more_is_in_no_team_and_gives_its_work_back() {
    let fixture = Fixture::new().await;
    let (team, user) = (TeamId::generate(), UserId::generate());
    let changed = TeamChanged {
        team_id: team.to_string(),
        name: "Sales".to_owned(),
        member_user_ids: vec![user.to_string()],
        changed_at: None,
    };
    let told = [
        delivery(&fixture, &joined(user)),
        delivery(&fixture, &changed),
    ];
    hear(&fixture, &told).await;
    assert_eq!(fixture.count("jobs").await, 0);
    fixture.hand.advance(Duration::from_secs(1));
    let removed = MemberRemoved {
        user_id: user.to_string(),
        removed_at: None,
    };
    hear(&fixture, &[delivery(&fixture, &removed)]).await;
    assert_eq!(fixture.count("team_agents").await, 0);
    assert_eq!(
        fixture
            .count("jobs where kind = 'messaging.release_work'")
            .await,
        1
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_names_nobody_is_dead_and_changes_nothing() {
    let fixture = Fixture::new().await;
    let nobody = MemberJoined {
        user_id: "cv_1".to_owned(),
        ..MemberJoined::default()
    };
    let mut nowhere = delivery(&fixture, &joined(UserId::generate()));
    nowhere.envelope.organization_id = None;
    let outcomes = hear(&fixture, &[delivery(&fixture, &nobody), nowhere]).await;
    for outcome in outcomes {
        assert!(matches!(outcome, ItemOutcome::Dead(_)), "{outcome:?}");
    }
    assert_eq!(fixture.count("agents").await, 0);
}

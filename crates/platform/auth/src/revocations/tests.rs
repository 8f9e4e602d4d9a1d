use std::sync::Mutex;

use clock::Hand;

use super::*;
use crate::{Membership, Proof, Role, Scopes, View};

/// Identity as far as revocations go.
#[derive(Default)]
struct Identity {
    recorded: Mutex<Vec<(DateTime<Utc>, Revocation)>>,
    asked: Mutex<Vec<Option<DateTime<Utc>>>>,
    as_of: Mutex<DateTime<Utc>>,
    down: Mutex<bool>,
}

#[async_trait]
impl RevocationSource for Identity {
    async fn fetch(&self, since: Option<DateTime<Utc>>) -> Result<News, RevocationsUnknown> {
        self.asked.lock().unwrap().push(since);
        if *self.down.lock().unwrap() {
            return Err(RevocationsUnknown::Timeout);
        }
        let recorded = self.recorded.lock().unwrap();
        let new = recorded
            .iter()
            .filter(|(at, _)| since.is_none_or(|since| since <= *at));
        Ok(News {
            revocations: new.map(|(_, one)| *one).collect(),
            as_of: *self.as_of.lock().unwrap(),
        })
    }
}

struct World {
    identity: Arc<Identity>,
    revocations: Revocations,
    clock: Clock,
    hand: Hand,
    user: Principal,
    session: Revoked,
    organization: OrganizationId,
}

impl World {
    fn new() -> Self {
        let (clock, hand) = Clock::manual(DateTime::from_timestamp(1_760_000_000, 0).unwrap());
        let identity = Arc::new(Identity::default());
        let (session_id, organization) = (SessionId::generate(), OrganizationId::generate());
        Self {
            revocations: Revocations::new(identity.clone(), clock.clone()),
            user: Principal::User {
                id: UserId::generate(),
                session_id,
                member: Membership {
                    organization_id: organization,
                    role: Role::Agent,
                    scopes: Scopes::All,
                    view: View::default(),
                },
                proof: Proof {
                    at: clock.now(),
                    strong: false,
                },
            },
            identity,
            clock,
            hand,
            session: Revoked::Session(session_id),
            organization,
        }
    }

    fn revoke(&self, revoked: Revoked) {
        let now = self.clock.now();
        self.identity.recorded.lock().unwrap().push((
            now,
            Revocation {
                organization_id: self.organization,
                revoked,
                issued_until: now,
            },
        ));
    }

    /// Whether a token that is issued now counts as void right after.
    async fn is_void(&self, issued_at: DateTime<Utc>) -> bool {
        *self.identity.as_of.lock().unwrap() = self.clock.now();
        self.revocations.include(&self.user, issued_at).await
    }
}

#[tokio::test]
async fn a_revocation_is_known_within_a_second_and_spares_later_tokens() {
    let world = World::new();
    let issued_at = world.clock.now();
    assert!(!world.is_void(issued_at).await);
    world.revoke(world.session);
    world.hand.advance(Duration::from_millis(501));
    assert!(world.is_void(issued_at).await);
    assert!(!world.is_void(world.clock.now()).await);
}

#[tokio::test]
async fn each_kind_names_its_own_and_no_other_tenants() {
    for revoke in [true, false] {
        let mut world = World::new();
        let Principal::User { id, .. } = &world.user else {
            panic!("a person")
        };
        let kinds = [world.session, Revoked::Member(*id), Revoked::Organization];
        for revoked in kinds {
            let issued_at = world.clock.now();
            let own = world.organization;
            if !revoke {
                world.organization = OrganizationId::generate();
            }
            world.revoke(revoked);
            world.organization = own;
            world.hand.advance(Duration::from_secs(1));
            assert_eq!(world.is_void(issued_at).await, revoke, "{revoked:?}");
        }
    }
}

#[tokio::test]
async fn asking_is_rare_and_only_for_what_is_new() {
    let world = World::new();
    let issued_at = world.clock.now();
    for _ in 0..10 {
        assert!(!world.is_void(issued_at).await);
    }
    world.hand.advance(Duration::from_mins(1));
    assert!(!world.is_void(issued_at).await);
    let asked = world.identity.asked.lock().unwrap().clone();
    assert_eq!(asked, [None, Some(issued_at - OVERLAP)]);
}

#[tokio::test]
async fn what_was_known_stays_in_force_while_identity_is_away() {
    let world = World::new();
    let issued_at = world.clock.now();
    world.revoke(world.session);
    assert!(world.is_void(issued_at).await);
    *world.identity.down.lock().unwrap() = true;
    world.hand.advance(Duration::from_secs(5));
    assert!(world.is_void(issued_at).await);
}

#[tokio::test]
async fn revocations_are_forgotten_when_their_tokens_have_expired() {
    let world = World::new();
    let issued_at = world.clock.now();
    world.revoke(world.session);
    assert!(world.is_void(issued_at).await);
    world.hand.advance(3 * LIFETIME);
    // Nobody accepts such a token any more; what counts is that the list does not grow for ever.
    assert!(!world.is_void(issued_at).await);
}

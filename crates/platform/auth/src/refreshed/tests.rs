use std::{
    future::pending,
    sync::atomic::{AtomicUsize, Ordering},
};

use clock::Hand;

use super::*;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
enum Failure {
    #[error("down")]
    Down,
    #[error("unanswered")]
    Unanswered,
}

impl From<Unanswered> for Failure {
    fn from(_: Unanswered) -> Self {
        Self::Unanswered
    }
}

const TERMS: Terms = Terms {
    what: "number",
    deadline: Duration::from_secs(2),
    pause: Duration::from_secs(2),
    calm: Duration::from_mins(1),
};

struct World {
    number: Refreshed<usize, Failure>,
    hand: Hand,
    asked: AtomicUsize,
}

impl World {
    fn new() -> Self {
        let (clock, hand) = Clock::manual(DateTime::from_timestamp(1_760_000_000, 0).unwrap());
        Self {
            number: Refreshed::new(TERMS, clock),
            hand,
            asked: AtomicUsize::new(0),
        }
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// A question, and its number.
    async fn question(&self) -> usize {
        let number = self.asked.fetch_add(1, Ordering::SeqCst) + 1;
        // Gives concurrent callers the chance to arrive.
        tokio::task::yield_now().await;
        number
    }

    async fn answer(&self) -> Result<Fetched<usize>, Failure> {
        Ok(Fetched {
            value: self.question().await,
            renew_after: Duration::from_mins(4),
            ends_after: Some(Duration::from_mins(5)),
        })
    }

    async fn fail(&self) -> Result<Fetched<usize>, Failure> {
        self.question().await;
        Err(Failure::Down)
    }

    /// Never answers; the clock reaches the deadline as the timer does.
    async fn hang(&self) -> Result<Fetched<usize>, Failure> {
        self.question().await;
        self.hand.advance(TERMS.deadline);
        pending().await
    }
}

#[tokio::test(start_paused = true)]
async fn callers_of_a_source_that_hangs_share_one_wait() {
    let world = World::new();
    let start = tokio::time::Instant::now();
    let ask = || world.number.current(world.hang());
    let answers = tokio::join!(ask(), ask(), ask(), ask());
    for answer in [answers.0, answers.1, answers.2, answers.3] {
        assert_eq!(answer, Err(Failure::Unanswered));
    }
    assert_eq!(start.elapsed(), TERMS.deadline);
    assert_eq!(
        world.number.newer(world.hang()).await,
        Err(Failure::Unanswered)
    );
    assert_eq!(world.asked(), 1);

    world.hand.advance(TERMS.pause);
    assert!(world.number.current(world.hang()).await.is_err());
    assert_eq!(world.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_gave_up_has_asked_for_those_behind_it() {
    let world = World::new();
    let patience = Duration::from_secs(1);
    let hang = async {
        world.question().await;
        pending().await
    };
    let gave_up = tokio::time::timeout(patience, world.number.current(hang)).await;
    assert!(gave_up.is_err());
    assert_eq!(
        world.number.current(world.answer()).await,
        Err(Failure::Unanswered)
    );
    assert_eq!(world.asked(), 1);
    world.hand.advance(TERMS.deadline);
    assert_eq!(world.number.current(world.answer()).await, Ok(Arc::new(2)));
}

#[tokio::test]
async fn a_value_in_hand_serves_until_it_ends_and_its_source_is_asked_once_a_pause() {
    let world = World::new();
    assert_eq!(world.number.current(world.answer()).await, Ok(Arc::new(1)));
    world.hand.advance(Duration::from_mins(4));
    for _ in 0..10 {
        assert_eq!(world.number.current(world.fail()).await, Ok(Arc::new(1)));
    }
    assert_eq!(world.asked(), 2);
    world.hand.advance(TERMS.pause);
    assert_eq!(world.number.current(world.fail()).await, Ok(Arc::new(1)));
    assert_eq!(world.asked(), 3);
    world.hand.advance(Duration::from_mins(1));
    assert_eq!(world.number.current(world.fail()).await, Err(Failure::Down));
    world.hand.advance(TERMS.pause);
    assert_eq!(world.number.current(world.answer()).await, Ok(Arc::new(5)));
}

#[tokio::test]
async fn nobody_waits_for_the_one_who_asks_while_the_value_is_good() {
    let world = World::new();
    world.number.current(world.answer()).await.unwrap();
    world.hand.advance(Duration::from_mins(4));
    let asker = async { world.number.current(world.answer()).await.unwrap() };
    let (renewed, other) = tokio::join!(asker, world.number.current(world.answer()));
    assert_eq!((*renewed, *other.unwrap()), (2, 1));
}

#[tokio::test]
async fn whoever_misses_something_asks_again_after_a_calm_while() {
    let world = World::new();
    world.number.current(world.answer()).await.unwrap();
    assert_eq!(world.number.newer(world.answer()).await, Ok(Arc::new(1)));
    world.hand.advance(TERMS.calm);
    assert_eq!(world.number.newer(world.answer()).await, Ok(Arc::new(2)));
    world.hand.advance(TERMS.calm);
    assert_eq!(world.number.newer(world.fail()).await, Err(Failure::Down));
}

use super::*;

fn breaker() -> (Breaker, clock::Hand) {
    let start = DateTime::from_timestamp(1_700_000_000, 0).expect("a valid time");
    let (clock, hand) = Clock::manual(start);
    (Breaker::new("test", Settings::default(), clock), hand)
}

fn run(breaker: &Breaker, failures: u32, successes: u32) {
    for _ in 0..successes {
        breaker.acquire().expect("closed").succeeded();
    }
    for _ in 0..failures {
        breaker.acquire().expect("closed").failed();
    }
}

#[test]
fn it_opens_at_the_ratio_and_not_below_the_minimum() {
    let (breaker, _hand) = breaker();
    run(&breaker, 9, 10);
    assert!(breaker.acquire().is_ok());
    run(&breaker, 1, 0);
    let wait = breaker.acquire().expect_err("open");
    assert_eq!(wait, Duration::from_secs(5));
}

#[test]
fn failures_of_an_earlier_window_are_forgotten() {
    let (breaker, hand) = breaker();
    run(&breaker, 19, 0);
    hand.advance(Duration::from_secs(10));
    run(&breaker, 10, 0);
    assert!(breaker.acquire().is_ok());
}

#[test]
fn probes_close_it_again() {
    let (breaker, hand) = breaker();
    run(&breaker, 20, 0);
    hand.advance(Duration::from_secs(5));
    let probes: Vec<_> = (0..3)
        .map(|_| breaker.acquire().expect("a probe"))
        .collect();
    assert!(breaker.acquire().is_err(), "a fourth probe must wait");
    for probe in probes {
        probe.succeeded();
    }
    run(&breaker, 5, 0);
    assert!(breaker.acquire().is_ok(), "old failures are gone");
}

#[test]
fn a_failed_probe_doubles_the_pause_up_to_the_maximum() {
    let (breaker, hand) = breaker();
    run(&breaker, 20, 0);
    for seconds in [5, 10, 20, 40, 60, 60] {
        let wait = breaker.acquire().expect_err("open");
        assert_eq!(wait, Duration::from_secs(seconds));
        hand.advance(wait);
        breaker.acquire().expect("a probe").failed();
    }
}

#[test]
fn an_abandoned_probe_frees_its_place() {
    let (breaker, hand) = breaker();
    run(&breaker, 20, 0);
    hand.advance(Duration::from_secs(5));
    for _ in 0..10 {
        drop(breaker.acquire().expect("a probe"));
    }
}

#[test]
fn a_slow_call_from_before_the_opening_does_not_count_as_a_probe() {
    let (breaker, hand) = breaker();
    let slow = breaker.acquire().expect("closed");
    run(&breaker, 20, 0);
    hand.advance(Duration::from_secs(5));
    let probe = breaker.acquire().expect("a probe");
    slow.failed();
    probe.succeeded();
    assert!(breaker.acquire().is_ok());
}

//! A circuit breaker: after enough failures calls are held back, then a few probes decide whether
//! the other side has recovered. Time comes from the injected clock.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use clock::Clock;

/// When a [`Breaker`] opens and how it closes again.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settings {
    /// Failures are counted over about this long (two half windows).
    pub window: Duration,
    /// Fewer calls than this in the window prove nothing.
    pub minimum_calls: u32,
    /// Share of failed calls that opens the circuit, 0 to 1.
    pub failure_ratio: f64,
    /// How long the circuit stays open the first time; doubles while probes fail.
    pub open_for: Duration,
    /// Upper end of the doubling.
    pub open_for_max: Duration,
    /// Probes allowed at once, and successes needed to close.
    pub probes: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            window: Duration::from_secs(10),
            minimum_calls: 20,
            failure_ratio: 0.5,
            open_for: Duration::from_secs(5),
            open_for_max: Duration::from_mins(1),
            probes: 3,
        }
    }
}

/// The breaker of one party.
#[derive(Debug)]
pub struct Breaker {
    name: &'static str,
    settings: Settings,
    clock: Clock,
    state: Mutex<Tracked>,
}

#[derive(Debug)]
struct Tracked {
    /// Changes with every transition, so that a slow call started before it is not counted after.
    generation: u64,
    state: State,
}

#[derive(Debug)]
enum State {
    Closed {
        started: DateTime<Utc>,
        previous: Tally,
        current: Tally,
    },
    Open {
        until: DateTime<Utc>,
        times: u32,
    },
    HalfOpen {
        in_flight: u32,
        succeeded: u32,
        times: u32,
    },
}

#[derive(Debug, Default, Clone, Copy)]
struct Tally {
    calls: u32,
    failures: u32,
}

impl State {
    fn closed(now: DateTime<Utc>) -> Self {
        Self::Closed {
            started: now,
            previous: Tally::default(),
            current: Tally::default(),
        }
    }
}

/// Leave to make one call. Dropping it without a verdict (the caller gave up) counts as nothing.
#[derive(Debug)]
pub struct Permit<'b> {
    breaker: &'b Breaker,
    generation: u64,
    probe: bool,
}

impl Breaker {
    /// A closed breaker; `name` is what the log calls the other side.
    pub fn new(name: &'static str, settings: Settings, clock: Clock) -> Self {
        let state = State::closed(clock.now());
        Self {
            name,
            settings,
            clock,
            state: Mutex::new(Tracked {
                generation: 0,
                state,
            }),
        }
    }

    /// Asks to make a call.
    ///
    /// # Errors
    /// How long to wait, when the circuit is open.
    pub fn acquire(&self) -> Result<Permit<'_>, Duration> {
        let now = self.clock.now();
        let mut tracked = self.lock();
        if let State::Open { until, times } = tracked.state {
            if let Ok(left) = (until - now).to_std()
                && !left.is_zero()
            {
                return Err(left);
            }
            tracked.turn(State::HalfOpen {
                in_flight: 0,
                succeeded: 0,
                times,
            });
        }
        let generation = tracked.generation;
        let probe = match &mut tracked.state {
            State::HalfOpen { in_flight, .. } if *in_flight >= self.settings.probes => {
                // A probe is on its way; its verdict comes within one deadline.
                return Err(self.settings.open_for);
            }
            State::HalfOpen { in_flight, .. } => {
                *in_flight += 1;
                true
            }
            State::Closed { .. } | State::Open { .. } => false,
        };
        Ok(Permit {
            breaker: self,
            generation,
            probe,
        })
    }

    fn record(&self, generation: u64, failed: bool) {
        let now = self.clock.now();
        let mut tracked = self.lock();
        if tracked.generation != generation {
            return;
        }
        let next = match &mut tracked.state {
            State::Closed {
                started,
                previous,
                current,
            } => {
                self.roll(now, started, previous, current);
                current.calls += 1;
                current.failures += u32::from(failed);
                let calls = previous.calls + current.calls;
                let failures = previous.failures + current.failures;
                let over = f64::from(failures) >= f64::from(calls) * self.settings.failure_ratio;
                (failed && calls >= self.settings.minimum_calls && over).then(|| self.open(now, 0))
            }
            State::HalfOpen { times, .. } if failed => {
                let times = *times + 1;
                Some(self.open(now, times))
            }
            State::HalfOpen { succeeded, .. } => {
                *succeeded += 1;
                (*succeeded >= self.settings.probes).then(|| State::closed(now))
            }
            State::Open { .. } => None,
        };
        if let Some(next) = next {
            if matches!(next, State::Open { .. }) {
                tracing::warn!(peer.service = self.name, "the circuit has opened");
            } else {
                tracing::info!(peer.service = self.name, "the circuit has closed");
            }
            tracked.turn(next);
        }
    }

    fn roll(
        &self,
        now: DateTime<Utc>,
        started: &mut DateTime<Utc>,
        previous: &mut Tally,
        current: &mut Tally,
    ) {
        let half = delta(self.settings.window / 2);
        let age = now - *started;
        if age >= half + half {
            *previous = Tally::default();
        } else if age >= half {
            *previous = *current;
        } else {
            return;
        }
        *current = Tally::default();
        *started = now;
    }

    fn open(&self, now: DateTime<Utc>, times: u32) -> State {
        let doubled = self.settings.open_for.saturating_mul(1 << times.min(16));
        State::Open {
            until: now + delta(doubled.min(self.settings.open_for_max)),
            times,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Tracked> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tracked {
    fn turn(&mut self, state: State) {
        self.generation += 1;
        self.state = state;
    }
}

impl Permit<'_> {
    /// The call got through to a working other side.
    pub fn succeeded(self) {
        self.breaker.record(self.generation, false);
    }

    /// The call failed in a way that says something about the other side as a whole.
    pub fn failed(self) {
        self.breaker.record(self.generation, true);
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        if !self.probe {
            return;
        }
        let mut tracked = self.breaker.lock();
        if tracked.generation == self.generation
            && let State::HalfOpen { in_flight, .. } = &mut tracked.state
        {
            *in_flight = in_flight.saturating_sub(1);
        }
    }
}

fn delta(duration: Duration) -> TimeDelta {
    TimeDelta::from_std(duration).unwrap_or(TimeDelta::MAX)
}

#[cfg(test)]
mod tests;

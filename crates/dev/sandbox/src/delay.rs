use std::time::Duration;

use rand::{Rng, rngs::StdRng};
use serde::{Deserialize, Serialize};

/// A delay drawn evenly between two bounds, both included. JSON: `[80, 400]`.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
pub struct DelayRange(pub u64, pub u64);

impl DelayRange {
    pub(crate) fn draw(self, rng: &mut StdRng) -> Duration {
        if self.1 <= self.0 {
            return Duration::from_millis(self.0);
        }
        Duration::from_millis(rng.random_range(self.0..=self.1))
    }
}

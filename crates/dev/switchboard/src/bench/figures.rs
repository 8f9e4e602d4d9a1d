//! Counting, timing and writing numbers the way people read them.

use std::time::Duration;

/// A count as a number to calculate with. No measurement counts to four billion.
pub(super) fn float(count: u64) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

/// Happenings per second.
pub(super) fn per_second(count: u64, took: Duration) -> f64 {
    let seconds = took.as_secs_f64();
    if seconds > 0.0 {
        float(count) / seconds
    } else {
        0.0
    }
}

/// `9,123`, for people.
pub(super) fn grouped(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `12.3 ms`.
pub(super) fn milliseconds(duration: Duration) -> String {
    format!("{:.1} ms", duration.as_secs_f64() * 1_000.0)
}

/// How long things took, in microseconds.
#[derive(Debug, Default)]
pub(super) struct Latencies {
    micros: Vec<u32>,
    sorted: bool,
}

impl Latencies {
    pub(super) fn push(&mut self, took: Duration) {
        let micros = u32::try_from(took.as_micros()).unwrap_or(u32::MAX);
        self.micros.push(micros);
        self.sorted = false;
    }

    pub(super) fn append(&mut self, mut other: Self) {
        self.micros.append(&mut other.micros);
        self.sorted = false;
    }

    /// The latency that `per_mille` of a thousand do not exceed; zero when nothing was measured.
    pub(super) fn quantile(&mut self, per_mille: usize) -> Duration {
        if !self.sorted {
            self.micros.sort_unstable();
            self.sorted = true;
        }
        let last = self.micros.len().saturating_sub(1);
        let rank = (last * per_mille).div_ceil(1_000).min(last);
        let micros = self.micros.get(rank).copied().unwrap_or(0);
        Duration::from_micros(micros.into())
    }

    pub(super) fn p50(&mut self) -> Duration {
        self.quantile(500)
    }

    pub(super) fn p99(&mut self) -> Duration {
        self.quantile(990)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_thousands() {
        for (number, text) in [
            (0.0, "0"),
            (999.4, "999"),
            (1_000.0, "1,000"),
            (1_234_567.0, "1,234,567"),
        ] {
            assert_eq!(grouped(number), text);
        }
    }

    #[test]
    fn a_quantile_is_a_latency_that_was_measured() {
        let mut latencies = Latencies::default();
        for millis in (1..=200).rev() {
            latencies.push(Duration::from_millis(millis));
        }
        assert_eq!(latencies.p50(), Duration::from_millis(101));
        assert_eq!(latencies.p99(), Duration::from_millis(199));
        assert_eq!(latencies.quantile(1_000), Duration::from_millis(200));
        assert_eq!(Latencies::default().p99(), Duration::ZERO);
    }
}

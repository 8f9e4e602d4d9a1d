//! The table.

use std::{fmt::Write as _, time::Duration};

use super::figures::{grouped, milliseconds};

/// How a measurement stands to its budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Ok,
    Missed,
    /// There is no budget for it, or it could not be measured.
    None,
}

/// A line of the table.
#[derive(Debug, Clone)]
pub(super) struct Row {
    path: String,
    measured: String,
    budget: String,
    verdict: Verdict,
}

impl Row {
    fn new(path: impl Into<String>, measured: String, budget: String, kept: bool) -> Self {
        Self {
            path: path.into(),
            measured,
            budget,
            verdict: if kept { Verdict::Ok } else { Verdict::Missed },
        }
    }

    /// A rate that must be at least `budget`.
    pub(super) fn rate(path: impl Into<String>, per_second: f64, budget: u32) -> Self {
        let least = f64::from(budget);
        Self::new(
            path,
            format!("{}/s", grouped(per_second)),
            format!("≥ {}/s", grouped(least)),
            per_second >= least,
        )
    }

    /// A time that must be below `budget`.
    pub(super) fn time(path: impl Into<String>, took: Duration, budget: Duration) -> Self {
        Self::new(
            path,
            milliseconds(took),
            format!("< {} ms", budget.as_millis()),
            took < budget,
        )
    }

    /// A time of microseconds that must be below `budget`.
    pub(super) fn micros(path: impl Into<String>, took: Duration, budget: Duration) -> Self {
        Self::new(
            path,
            format!("{:.2} µs", took.as_secs_f64() * 1_000_000.0),
            format!("< {} µs", budget.as_micros()),
            took < budget,
        )
    }

    /// How many times something may be what it was, at most.
    pub(super) fn ratio(path: impl Into<String>, ratio: f64, budget: f64) -> Self {
        Self::new(
            path,
            format!("{ratio:.2} ×"),
            format!("≤ {budget} ×"),
            ratio <= budget,
        )
    }

    /// Memory that must be below `budget`, both in MB.
    pub(super) fn memory(path: impl Into<String>, megabytes: f64, budget: u32) -> Self {
        Self::new(
            path,
            format!("{megabytes:.1} MB"),
            format!("< {budget} MB"),
            megabytes < f64::from(budget),
        )
    }

    /// Something worth knowing that has no budget.
    pub(super) fn fact(path: impl Into<String>, measured: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            measured: measured.into(),
            budget: "–".to_owned(),
            verdict: Verdict::None,
        }
    }

    /// The figure is not what it claims to be: something failed meanwhile.
    #[must_use]
    pub(super) fn spoiled_by(mut self, failed: u64, failure: Option<&str>) -> Self {
        if failed > 0 {
            let example = failure.unwrap_or("no answer");
            let _written = write!(self.measured, "; {failed} FAILED ({example})");
            self.verdict = Verdict::Missed;
        }
        self
    }

    fn missed(&self) -> bool {
        self.verdict == Verdict::Missed
    }

    fn cells(&self) -> [&str; 4] {
        let verdict = match self.verdict {
            Verdict::Ok => "ok",
            Verdict::Missed => "MISSED",
            Verdict::None => "",
        };
        [&self.path, &self.measured, &self.budget, verdict]
    }
}

/// One measurement: its lines, and where its time went.
#[derive(Debug, Clone, Default)]
pub(super) struct Section {
    pub(super) rows: Vec<Row>,
    pub(super) notes: Vec<String>,
}

/// Everything measured so far.
#[derive(Debug)]
pub(super) struct Report {
    /// Machine and build.
    pub(super) facts: Vec<String>,
    /// Why the figures are not the ones to compare with the budgets.
    pub(super) warnings: Vec<String>,
    pub(super) sections: Vec<Section>,
}

const HEADINGS: [&str; 4] = ["path", "measured", "budget", ""];

impl Report {
    /// For a terminal.
    pub(super) fn text(&self) -> String {
        let lines: Vec<[&str; 4]> = std::iter::once(HEADINGS)
            .chain(self.rows().map(Row::cells))
            .collect();
        let width = |column: usize| {
            let cells = lines.iter().map(|line| line[column].chars().count());
            cells.max().unwrap_or(0)
        };
        let widths = [width(0), width(1), width(2)];
        let mut text = format!("{}\n\n", self.facts.join("\n"));
        for [path, measured, budget, verdict] in &lines {
            let line = format!(
                "{path:<0$}  {measured:>1$}  {budget:>2$}  {verdict}",
                widths[0], widths[1], widths[2]
            );
            let _written = writeln!(text, "{}", line.trim_end());
        }
        let _written = write!(text, "\nWhere the time went:\n{}", self.notes());
        text.push_str(&self.ending(""));
        text
    }

    /// For docs/performance.md.
    pub(super) fn markdown(&self) -> String {
        let mut text = format!(
            "{}\n\n| {} |\n|---|---:|---:|---|\n",
            self.facts.join("  \n"),
            HEADINGS.join(" | ")
        );
        for row in self.rows() {
            let _written = writeln!(text, "| {} |", row.cells().join(" | "));
        }
        let _written = write!(text, "\nWhere the time went:\n\n{}", self.notes());
        text.push_str(&self.ending("**"));
        text
    }

    fn rows(&self) -> impl Iterator<Item = &Row> {
        self.sections.iter().flat_map(|section| &section.rows)
    }

    fn notes(&self) -> String {
        let notes = self.sections.iter().flat_map(|section| &section.notes);
        let lines: Vec<String> = notes.map(|note| format!("- {note}\n")).collect();
        lines.concat()
    }

    fn ending(&self, mark: &str) -> String {
        let missed = self.rows().filter(|row| row.missed()).count();
        let mut text = String::new();
        if missed > 0 {
            let _written = writeln!(text, "\n{mark}{missed} MISSED{mark}");
        }
        for warning in &self.warnings {
            let _written = writeln!(text, "\n{mark}WARNING: {warning}{mark}");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        let rows = vec![
            Row::rate("webhooks accepted", 9_123.4, 8_000),
            Row::time(
                "… p99",
                Duration::from_millis(51),
                Duration::from_millis(50),
            ),
            Row::fact("machine", "warm"),
        ];
        Report {
            facts: vec!["2 cores".to_owned()],
            warnings: vec!["not a release build".to_owned()],
            sections: vec![Section {
                rows,
                notes: vec!["in PostgreSQL".to_owned()],
            }],
        }
    }

    #[test]
    fn what_was_missed_is_said_aloud_and_counted() {
        let text = report().text();
        let lines: Vec<Vec<&str>> = text
            .lines()
            .map(|line| line.split("  ").collect())
            .collect();
        let line = |path: &str| -> Vec<&str> {
            let found = lines.iter().find(|line| line[0] == path).expect("a line");
            let cells = found.iter().map(|cell| cell.trim());
            cells.filter(|cell| !cell.is_empty()).collect()
        };
        let accepted = ["webhooks accepted", "9,123/s", "≥ 8,000/s", "ok"];
        assert_eq!(line("webhooks accepted"), accepted);
        assert_eq!(line("… p99"), ["… p99", "51.0 ms", "< 50 ms", "MISSED"]);
        assert!(text.contains("\n1 MISSED\n"));
        assert!(text.contains("WARNING: not a release build"));
    }

    #[test]
    fn the_page_gets_a_table() {
        let text = report().markdown();
        assert!(text.contains("| webhooks accepted | 9,123/s | ≥ 8,000/s | ok |"));
        assert!(text.contains("- in PostgreSQL"));
    }

    #[test]
    fn a_rate_with_failures_is_missed() {
        let row = Row::rate("x", 9_000.0, 8_000).spoiled_by(3, Some("503"));
        assert!(row.missed());
        assert!(row.measured.ends_with("3 FAILED (503)"));
    }
}

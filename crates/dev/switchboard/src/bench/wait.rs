//! Waiting until rows are there, without asking so often that the asking is measured.

use std::time::Duration;

use anyhow::{Context, Result};
use sqlx::{PgConnection, types::Uuid};
use tokio::time::Instant;

use super::figures::float;

const OFTEN: Duration = Duration::from_millis(10);
const SELDOM: Duration = Duration::from_millis(500);
/// Share of the expected rest of the time after which we ask again.
const PART: f64 = 0.25;

/// Rows of messages whose ids lie in a range.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rows {
    /// Counts them: takes organization, first id, id after the last.
    pub(super) sql: &'static str,
    pub(super) organization: Uuid,
    pub(super) first: Uuid,
    pub(super) end: Uuid,
}

impl Rows {
    pub(super) async fn count(&self, admin: &mut PgConnection) -> Result<u64> {
        let count: i64 = sqlx::query_scalar(self.sql)
            .bind(self.organization)
            .bind(self.first)
            .bind(self.end)
            .fetch_one(admin)
            .await
            .context("count rows")?;
        u64::try_from(count).context("a count is not negative")
    }

    /// Returns when there are `wanted`, or after `most`, with their number then.
    pub(super) async fn wait(
        &self,
        admin: &mut PgConnection,
        wanted: u64,
        most: Duration,
    ) -> Result<u64> {
        let started = Instant::now();
        loop {
            let found = self.count(admin).await?;
            let passed = started.elapsed();
            if found >= wanted || passed >= most {
                return Ok(found);
            }
            let rest = float(wanted - found) / float(found.max(1));
            let pause = passed.mul_f64((rest * PART).min(1_000.0));
            tokio::time::sleep(pause.clamp(OFTEN, SELDOM)).await;
        }
    }
}

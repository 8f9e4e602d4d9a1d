//! Rows that a test keeps locked, so that a call stops in its midst.

use std::time::Duration;

use sqlx::{AssertSqlSafe, PgConnection};
use testkit::eventually;
use tokio::task::JoinSet;

use crate::world::World;

const DEADLINE: Duration = Duration::from_secs(30);

pub(crate) struct Held<'w> {
    world: &'w World,
    tx: PgConnection,
}

impl World {
    /// Locks what the query locks.
    pub(crate) async fn hold(&self, query: &str) -> Held<'_> {
        let mut tx = self.db.admin().await;
        run(&mut tx, &format!("begin; {query}")).await;
        Held { world: self, tx }
    }
}

impl Held<'_> {
    /// Until somebody waits for the rows.
    pub(crate) async fn waited_for(&self) {
        let waiting = "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
        eventually(DEADLINE, async || self.world.execute(waiting).await > 0).await;
    }

    /// In the transaction that has the rows.
    pub(crate) async fn execute(&mut self, sql: &str) {
        run(&mut self.tx, sql).await;
    }

    pub(crate) async fn release(mut self) {
        run(&mut self.tx, "commit").await;
    }
}

/// A call that goes on beside the test.
pub(crate) struct UnderWay<T>(JoinSet<T>);

impl<T: Send + 'static> UnderWay<T> {
    pub(crate) fn begin(call: impl Future<Output = T> + Send + 'static) -> Self {
        let mut tasks = JoinSet::new();
        tasks.spawn(call);
        Self(tasks)
    }

    pub(crate) async fn end(mut self) -> T {
        self.0.join_next().await.unwrap().unwrap()
    }
}

async fn run(tx: &mut PgConnection, sql: &str) {
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))
        .execute(tx)
        .await
        .unwrap();
}

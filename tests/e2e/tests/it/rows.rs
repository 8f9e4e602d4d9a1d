//! A test's own view into its database, and time that passes for what is written there.

use std::time::Duration;

use testkit::TestDb;

/// A number query as the administrator.
pub(crate) async fn count(db: &TestDb, query: &'static str) -> i64 {
    let mut admin = db.admin().await;
    sqlx::query_scalar(query)
        .fetch_one(&mut admin)
        .await
        .expect("a count")
}

/// The leases of lanes run out, whose owners are dead.
pub(crate) async fn leases_run_out(db: &TestDb) {
    let mut admin = db.admin().await;
    sqlx::query("update messaging.lanes set lease_until = least(lease_until, now())")
        .execute(&mut admin)
        .await
        .expect("leases run out");
}

/// Time passes for the sends nobody can tell about (a lost answer without a status): their attempts
/// and the jobs that look after them are older by this much. The clock of the platform goes on as it
/// was, because timers of its servers would not follow it.
pub(crate) async fn time_passes(db: &TestDb, by: Duration) {
    let mut admin = db.admin().await;
    for statement in [
        "update messaging.attempts set started_at = started_at - make_interval(secs => $1) where state = 'unknown'",
        "update messaging.jobs set due_at = due_at - make_interval(secs => $1)
         where state = 'waiting' and kind = 'messaging.reconcile_attempt'",
    ] {
        sqlx::query(statement)
            .bind(by.as_secs_f64())
            .execute(&mut admin)
            .await
            .expect("time passes");
    }
}

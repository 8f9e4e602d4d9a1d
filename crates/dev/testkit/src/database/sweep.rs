//! Databases of tests that were killed, and templates that nobody has needed for long.

use std::{
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
};

use sqlx::{AssertSqlSafe, PgConnection};

static DONE: AtomicBool = AtomicBool::new(false);

/// One sweep at a time on the whole server.
const LOCK: i64 = 0x0074_6573_746b_6974;

/// Kept for a day after a panic, a template for a week after it was built, and the rest as long as its process lives.
const OLD: &str = "
    select datname, is_kept, hours
    from (
        select datname, coalesce(shobj_description(oid, 'pg_database') = 'kept', false) as is_kept,
               (extract(epoch from now() - (pg_stat_file('base/' || oid || '/PG_VERSION', true)).modification)
                   / 3600)::float8 as hours
        from pg_database
        -- An invalid one is being dropped right now, or its drop was interrupted.
        where datname ~ '^(t|tmpl)_' and datconnlimit <> -2
    ) found
    where hours is not null";

/// Marks a database that a failed test leaves behind.
pub(super) fn keep(name: &str) -> String {
    format!("comment on database {name} is 'kept'")
}

/// Sweeps, once per process.
pub(super) async fn once(admin: &mut PgConnection) {
    if DONE.swap(true, Ordering::Relaxed) {
        return;
    }
    let mine: bool = sqlx::query_scalar("select pg_try_advisory_lock($1)")
        .bind(LOCK)
        .fetch_one(&mut *admin)
        .await
        .expect("lock the sweep");
    if !mine {
        return;
    }
    let found: Vec<(String, bool, f64)> = sqlx::query_as(OLD)
        .fetch_all(&mut *admin)
        .await
        .expect("list the databases of tests");
    for (name, is_kept, hours) in found {
        let old = if name.starts_with("tmpl_") {
            hours > 7.0 * 24.0
        } else if is_kept {
            hours > 24.0
        } else {
            is_dead(&name, hours)
        };
        if old {
            // Another process may be faster or begin to use it; then it is not ours to care.
            let template = format!("alter database {name} with is_template false");
            let drop = format!("drop database if exists {name} with (force)");
            // Altering a database that is just being dropped would cost us our connection.
            let statements = if name.starts_with("tmpl_") {
                vec![template, drop]
            } else {
                vec![drop]
            };
            for statement in statements {
                let swept = sqlx::raw_sql(AssertSqlSafe(statement))
                    .execute(&mut *admin)
                    .await;
                if swept.is_err() {
                    break;
                }
            }
        }
    }
    sqlx::query("select pg_advisory_unlock($1)")
        .bind(LOCK)
        .execute(admin)
        .await
        .expect("unlock the sweep");
}

/// Whether the process in `t_<label>_<pid>_<number>` is gone. Where processes can't be looked up, an hour is the limit.
fn is_dead(name: &str, hours: f64) -> bool {
    let pid = name
        .rsplit('_')
        .nth(1)
        .and_then(|pid| pid.parse::<u32>().ok());
    match pid {
        Some(pid) if Path::new("/proc/self").exists() => {
            !Path::new(&format!("/proc/{pid}")).exists()
        }
        _ => hours > 1.0,
    }
}

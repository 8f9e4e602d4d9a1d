//! Where the time went: processor time of services, load generator, PostgreSQL and RabbitMQ, and
//! what PostgreSQL did, between two moments.

use std::{fs, path::Path, time::Duration};

use anyhow::{Context, Result};
use sqlx::PgConnection;
use tokio::time::Instant;

use super::{
    figures::{float, grouped, per_second},
    load,
};

/// Linux counts processor time in `/proc` in hundredths of a second on every architecture.
const TICK: Duration = Duration::from_millis(10);

/// Takes the measurements. Follows one database.
#[derive(Debug)]
pub(super) struct Meter {
    admin: PgConnection,
    postmaster: Option<u32>,
    broker: Option<u32>,
    cores: usize,
}

/// A moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    at: Instant,
    services: Duration,
    generator: Duration,
    postgres: Duration,
    /// `None` where its process is not known.
    rabbitmq: Option<Duration>,
    commits: i64,
    /// Sum over all sessions.
    active_ms: f64,
    wal_bytes: f64,
}

impl Meter {
    /// `broker` is RabbitMQ's process id, where known.
    pub(super) async fn new(mut admin: PgConnection, broker: Option<u32>) -> Result<Self> {
        let backend: i32 = sqlx::query_scalar("select pg_backend_pid()")
            .fetch_one(&mut admin)
            .await
            .context("ask PostgreSQL for its process")?;
        let backend = u32::try_from(backend).ok().and_then(read_stat);
        Ok(Self {
            admin,
            postmaster: backend.map(|stat| stat.parent),
            broker,
            cores: std::thread::available_parallelism().map_or(1, usize::from),
        })
    }

    /// The superuser's connection.
    pub(super) fn admin(&mut self) -> &mut PgConnection {
        &mut self.admin
    }

    pub(super) async fn now(&mut self) -> Result<Moment> {
        let (commits, active_ms, wal_bytes) = sqlx::query_as(
            "select xact_commit, active_time, (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::float8
             from pg_stat_database where datname = current_database()",
        )
        .fetch_one(&mut self.admin)
        .await
        .context("read PostgreSQL's statistics")?;
        let own = read_stat(std::process::id()).map_or(Duration::ZERO, |stat| stat.own);
        let generator = generator_threads();
        Ok(Moment {
            at: Instant::now(),
            services: own.saturating_sub(generator),
            generator,
            postgres: self.postmaster.map_or(Duration::ZERO, with_children),
            rabbitmq: self.broker.and_then(read_stat).map(|stat| stat.own),
            commits,
            active_ms,
            wal_bytes,
        })
    }

    /// A sentence about what happened from `since` until now, in which `count` things were done.
    pub(super) async fn since(&mut self, since: Moment, what: &str, count: u64) -> Result<String> {
        let now = self.now().await?;
        let took = now.at - since.at;
        let seconds = took.as_secs_f64().max(0.001);
        let spent = [
            Some(now.services.saturating_sub(since.services)),
            Some(now.generator.saturating_sub(since.generator)),
            Some(now.postgres.saturating_sub(since.postgres)),
            now.rabbitmq
                .zip(since.rabbitmq)
                .map(|(now, since)| now.saturating_sub(since)),
        ];
        let all: Duration = spent.iter().flatten().sum();
        let [services, generator, postgres, rabbitmq] = spent.map(|part| percent(part, took));
        let [service, _, query, message] = spent.map(|part| each(part, count));
        let commits = u64::try_from(now.commits - since.commits).unwrap_or(0);
        Ok(format!(
            "{what}: {} of {} % processor time (services {services}, load and sandbox {generator}, \
             PostgreSQL {postgres}, RabbitMQ {rabbitmq}); each costs services {service}, \
             PostgreSQL {query}, RabbitMQ {message}; {} commits/s, {:.1} sessions active, {:.1} MB/s of WAL",
            percent(Some(all), took),
            self.cores * 100,
            grouped(per_second(commits, took)),
            (now.active_ms - since.active_ms).max(0.0) / 1e3 / seconds,
            (now.wal_bytes - since.wal_bytes) / 1e6 / seconds,
        ))
    }
}

fn percent(spent: Option<Duration>, took: Duration) -> String {
    spent.map_or_else(unmeasured, |spent| {
        format!(
            "{:.0}",
            100.0 * spent.as_secs_f64() / took.as_secs_f64().max(0.001)
        )
    })
}

fn each(spent: Option<Duration>, count: u64) -> String {
    spent.map_or_else(unmeasured, |spent| {
        let micros = spent.as_secs_f64() * 1e6 / float(count.max(1));
        format!("{} µs", grouped(micros))
    })
}

fn unmeasured() -> String {
    "not measured".to_owned()
}

#[derive(Debug, Clone, Copy)]
struct Stat {
    parent: u32,
    own: Duration,
    /// Of children that have ended.
    children: Duration,
}

fn read_stat(pid: u32) -> Option<Stat> {
    parse(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// proc(5): after the name in parentheses come state, parent and, as 14th to 17th of all fields,
/// the times.
fn parse(stat: &str) -> Option<Stat> {
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |first: usize| -> Option<Duration> {
        let user: u32 = fields.get(first)?.parse().ok()?;
        let system: u32 = fields.get(first + 1)?.parse().ok()?;
        Some(TICK * (user + system))
    };
    Some(Stat {
        parent: fields.get(1)?.parse().ok()?,
        own: ticks(11)?,
        children: ticks(13)?,
    })
}

/// Processor time of a process, its children and those of them that have ended.
fn with_children(parent: u32) -> Duration {
    let mut sum = read_stat(parent).map_or(Duration::ZERO, |stat| stat.own + stat.children);
    for pid in numbered(Path::new("/proc")) {
        if let Some(stat) = read_stat(pid).filter(|stat| stat.parent == parent) {
            sum += stat.own;
        }
    }
    sum
}

/// Processor time of the load generator's threads.
fn generator_threads() -> Duration {
    let mut sum = Duration::ZERO;
    for thread in numbered(Path::new("/proc/self/task")) {
        let stat = fs::read_to_string(format!("/proc/self/task/{thread}/stat")).unwrap_or_default();
        if stat.contains(&format!("({})", load::THREAD)) {
            sum += parse(&stat).map_or(Duration::ZERO, |stat| stat.own);
        }
    }
    sum
}

fn numbered(folder: &Path) -> Vec<u32> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_spaces_and_parentheses_does_not_shift_the_fields() {
        let line = "42 (post) gres: x (y) S 7 42 42 0 -1 4194304 100 0 0 0 150 50 30 20 20 0 1 0";
        let stat = parse(line).expect("readable");
        assert_eq!(stat.parent, 7);
        assert_eq!(stat.own, Duration::from_secs(2));
        assert_eq!(stat.children, Duration::from_millis(500));
    }
}

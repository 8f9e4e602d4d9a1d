//! What the figures were measured on, and what makes them worth less.

use std::{fs, time::Duration};

use anyhow::{Context, Result};
use reqwest::Method;
use serde_json::Value;
use sqlx::PgConnection;

use super::scratch::Management;

/// The machine has other work when more of its processor time than this is used before we begin.
/// The load average would still show the build that came before.
const BUSY_PERCENT: u64 = 10;
const LOOK: Duration = Duration::from_secs(1);
const BROKER_LOOKS: u32 = 20;

/// The machine, the build and the servers.
#[derive(Debug)]
pub(super) struct Machine {
    pub(super) facts: Vec<String>,
    pub(super) warnings: Vec<String>,
    /// RabbitMQ's process.
    pub(super) broker: Option<u32>,
}

pub(super) async fn look(admin: &mut PgConnection, management: &Management) -> Result<Machine> {
    let mut warnings = Vec::new();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let busy = busy_percent().await;
    if busy.is_some_and(|busy| busy > BUSY_PERCENT) {
        let words = "other programs were busy when the measurement began";
        warnings.push(words.to_owned());
    }
    let build = if cfg!(debug_assertions) {
        warnings.push("this is not a release build: use `make bench`".to_owned());
        "debug build"
    } else {
        "release build"
    };
    let postgres: String = sqlx::query_scalar("show server_version")
        .fetch_one(&mut *admin)
        .await
        .context("ask PostgreSQL for its version")?;
    let durable: bool = sqlx::query_scalar(
        "select bool_and(current_setting(name) = 'on')
         from unnest(array['fsync', 'synchronous_commit', 'full_page_writes']) as name",
    )
    .fetch_one(admin)
    .await
    .context("ask PostgreSQL how durable it is")?;
    if !durable {
        let words =
            "PostgreSQL does not wait for the disk, so nothing here is durable: use `make bench`";
        warnings.push(words.to_owned());
    }
    let rabbitmq = management
        .call(Method::GET, "/overview", &Value::Null)
        .await?;
    let facts = vec![
        format!(
            "{cores} cores ({}), shared by services, sandbox, load generator and servers; \
             {} % busy before, load average {}",
            processor().unwrap_or_else(unknown),
            busy.map_or_else(unknown, |busy| busy.to_string()),
            load_average().unwrap_or_else(unknown),
        ),
        format!(
            "{build}; PostgreSQL {postgres} ({}), RabbitMQ {}",
            if durable { "durable" } else { "not durable" },
            rabbitmq["rabbitmq_version"]
                .as_str()
                .unwrap_or("of unknown version"),
        ),
    ];
    Ok(Machine {
        facts,
        warnings,
        broker: broker(management).await?,
    })
}

/// RabbitMQ's process, if the broker runs on this machine. A broker that has just started does not
/// know its own for some seconds.
async fn broker(management: &Management) -> Result<Option<u32>> {
    for _ in 0..BROKER_LOOKS {
        let nodes = management.call(Method::GET, "/nodes", &Value::Null).await?;
        if let Some(pid) = nodes[0]["os_pid"].as_str() {
            return Ok(pid.parse().ok());
        }
        tokio::time::sleep(LOOK).await;
    }
    Ok(None)
}

fn unknown<T: From<&'static str>>() -> T {
    T::from("unknown")
}

/// Of the last minute, the last five and the last fifteen.
fn load_average() -> Option<String> {
    let text = fs::read_to_string("/proc/loadavg").ok()?;
    Some(text.split(' ').take(3).collect::<Vec<_>>().join(" "))
}

/// How much of its time the machine worked during a second in which we do nothing.
async fn busy_percent() -> Option<u64> {
    let (idle_before, all_before) = processor_time()?;
    tokio::time::sleep(LOOK).await;
    let (idle, all) = processor_time()?;
    let (idle, all) = (idle.checked_sub(idle_before)?, all.checked_sub(all_before)?);
    Some(100 - (100 * idle / all.max(1)).min(100))
}

/// proc(5): the fourth and fifth number of the first line are idle time, all together are all.
fn processor_time() -> Option<(u64, u64)> {
    let text = fs::read_to_string("/proc/stat").ok()?;
    let numbers: Vec<u64> = text
        .lines()
        .next()?
        .split_whitespace()
        .filter_map(|field| field.parse().ok())
        .collect();
    Some((numbers.get(3)? + numbers.get(4)?, numbers.iter().sum()))
}

fn processor() -> Option<String> {
    let text = fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = text.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

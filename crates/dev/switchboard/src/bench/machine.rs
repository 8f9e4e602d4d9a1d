//! What the figures were measured on, and what makes them worth less.

use std::fs;

use anyhow::{Context, Result};
use reqwest::Method;
use serde_json::Value;
use sqlx::PgConnection;

use super::scratch::Management;

/// More than this many processes ready to run before we begin: the machine has other work.
const BUSY: f64 = 0.7;

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
    let load = load_average();
    if load.is_some_and(|load| load > BUSY) {
        warnings.push("other programs were busy when the measurement began".to_owned());
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
    let nodes = management.call(Method::GET, "/nodes", &Value::Null).await?;
    let facts = vec![
        format!(
            "{cores} cores ({}), shared by services, sandbox, load generator and servers; load average {} at the beginning",
            processor().unwrap_or_else(|| "unknown".to_owned()),
            load.map_or_else(|| "unknown".to_owned(), |load| format!("{load:.2}")),
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
        broker: nodes[0]["os_pid"].as_str().and_then(|pid| pid.parse().ok()),
    })
}

fn load_average() -> Option<f64> {
    fs::read_to_string("/proc/loadavg")
        .ok()?
        .split(' ')
        .next()?
        .parse()
        .ok()
}

fn processor() -> Option<String> {
    let text = fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = text.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

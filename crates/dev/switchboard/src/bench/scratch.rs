//! A database and a virtual host of the benchmark's own, removed at its end.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use reqwest::{Method, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, ConnectOptions, PgConnection, postgres::PgConnectOptions};
use url::Url;

use crate::{api, backing::Backing};

/// Databases and virtual hosts with this prefix and a process id are ours.
const PREFIX: &str = "bench_";

/// RabbitMQ's management API.
#[derive(Debug, Clone)]
pub(super) struct Management {
    http: reqwest::Client,
    base: SecretString,
}

impl Management {
    pub(super) fn new(base: SecretString) -> Result<Self> {
        let http = api::http()?;
        Ok(Self { http, base })
    }

    /// `path` is what stands behind `/api`.
    pub(super) async fn call(&self, method: Method, path: &str, body: &Value) -> Result<Value> {
        let base: Url = self
            .base
            .expose_secret()
            .parse()
            .context("read the address")?;
        let url = base
            .join(&format!("/api{path}"))
            .context("make the address")?;
        let mut request = self
            .http
            .request(method.clone(), url)
            .timeout(super::PATIENCE);
        if !body.is_null() {
            request = request.json(body);
        }
        let answer = request.send().await.context("ask RabbitMQ")?;
        let status = answer.status();
        let gone = method == Method::DELETE && status == StatusCode::NOT_FOUND;
        ensure!(
            status.is_success() || gone,
            "RabbitMQ answered {status} to {path}"
        );
        Ok(answer.json().await.unwrap_or_default())
    }
}

/// The scratch of one run.
#[derive(Debug)]
pub(super) struct Scratch {
    name: String,
    stack: Backing,
    management: Management,
    /// For the services.
    pub(super) backing: Backing,
}

impl Scratch {
    /// Makes both; `purpose` tells several of one process apart.
    pub(super) async fn create(
        stack: &Backing,
        management: &Management,
        purpose: &str,
    ) -> Result<Self> {
        let name = format!("{PREFIX}{}_{purpose}", std::process::id());
        let mut connection = connect(&stack.database_admin_url).await?;
        execute(&mut connection, format!("create database {name}")).await?;
        management
            .call(Method::PUT, &format!("/vhosts/{name}"), &Value::Null)
            .await?;
        let mut amqp: Url = stack
            .amqp_url
            .expose_secret()
            .parse()
            .context("read AMQP_URL")?;
        let permissions = format!("/permissions/{name}/{}", amqp.username());
        let all = json!({ "configure": ".*", "write": ".*", "read": ".*" });
        management.call(Method::PUT, &permissions, &all).await?;

        amqp.set_path(&name);
        let mut database: Url = stack
            .database_admin_url
            .expose_secret()
            .parse()
            .context("read DATABASE_ADMIN_URL")?;
        database.set_path(&name);
        let mut backing = stack.clone();
        backing.database_admin_url = SecretString::from(String::from(database));
        backing.amqp_url = SecretString::from(String::from(amqp));
        Ok(Self {
            name,
            stack: stack.clone(),
            management: management.clone(),
            backing,
        })
    }

    /// The virtual host's name.
    pub(super) fn vhost(&self) -> &str {
        &self.name
    }

    /// A superuser's connection.
    pub(super) async fn admin(&self) -> Result<PgConnection> {
        connect(&self.backing.database_admin_url).await
    }

    /// Removes both, if they are still there.
    pub(super) async fn remove(&self) -> Result<()> {
        let mut connection = connect(&self.stack.database_admin_url).await?;
        remove(&mut connection, &self.management, &self.name).await
    }
}

/// Removes what runs left behind that were killed.
pub(super) async fn sweep(stack: &Backing, management: &Management) -> Result<()> {
    let mut connection = connect(&stack.database_admin_url).await?;
    let found: Vec<String> =
        sqlx::query_scalar("select datname from pg_database where starts_with(datname, $1)")
            .bind(PREFIX)
            .fetch_all(&mut connection)
            .await
            .context("list databases")?;
    for name in found {
        let pid = name
            .strip_prefix(PREFIX)
            .and_then(|rest| rest.split('_').next());
        if pid.is_some_and(|pid| !Path::new("/proc").join(pid).exists()) {
            remove(&mut connection, management, &name).await?;
        }
    }
    Ok(())
}

async fn remove(connection: &mut PgConnection, management: &Management, name: &str) -> Result<()> {
    // The name is ours or was found in the catalogue by our prefix and a process id.
    execute(
        connection,
        format!("drop database if exists {name} with (force)"),
    )
    .await?;
    let vhost = format!("/vhosts/{name}");
    management
        .call(Method::DELETE, &vhost, &Value::Null)
        .await?;
    Ok(())
}

async fn connect(url: &SecretString) -> Result<PgConnection> {
    let options: PgConnectOptions = url
        .expose_secret()
        .parse()
        .context("read the database URL")?;
    options
        .connect()
        .await
        .context("connect to PostgreSQL: is the stack up (`make up`)?")
}

async fn execute(connection: &mut PgConnection, statement: String) -> Result<()> {
    sqlx::raw_sql(AssertSqlSafe(statement))
        .execute(connection)
        .await
        .context("make or remove the scratch database")?;
    Ok(())
}

//! PostgreSQL and RabbitMQ, as `scripts/stack.sh` wrote them down.

use std::path::Path;

use anyhow::{Context, Result};
use bus::BusConfig;
use db::DbConfig;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

/// Where the platform keeps its data.
#[derive(Debug, Clone)]
pub struct Backing {
    /// A superuser's URL of the database that all schemas live in.
    pub database_admin_url: SecretString,
    /// The broker's URL with its vhost.
    pub amqp_url: SecretString,
}

impl Backing {
    /// Reads the stack's environment file.
    pub fn read(path: &Path) -> Result<Self> {
        Ok(Self {
            database_admin_url: value(path, "DATABASE_ADMIN_URL")?,
            amqp_url: value(path, "AMQP_URL")?,
        })
    }

    /// The broker's management API, from the same file.
    pub fn management_url(path: &Path) -> Result<SecretString> {
        value(path, "RABBITMQ_MANAGEMENT_URL")
    }

    /// The database section of a service. On a laptop the login roles have the superuser's password.
    pub fn db(&self, schema: &str) -> Result<DbConfig> {
        let url = |role: &str| -> Result<SecretString> {
            let mut url: Url = self
                .database_admin_url
                .expose_secret()
                .parse()
                .context("read the database URL")?;
            let name = format!("{schema}_{role}");
            if url.set_username(&name).is_err() {
                anyhow::bail!("the database URL can't name a user");
            }
            Ok(SecretString::from(url.to_string()))
        };
        let mut config = DbConfig::new(url("app")?, url("system")?);
        config.migrate_url = Some(self.database_admin_url.clone());
        Ok(config)
    }

    /// The broker section of a service.
    pub fn bus(&self) -> BusConfig {
        BusConfig::new(self.amqp_url.clone())
    }
}

fn value(path: &Path, name: &str) -> Result<SecretString> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("read {}: start the stack with `make up`", path.display()))?;
    let mut lines = text.lines().filter_map(|line| line.split_once('='));
    let (_, value) = lines
        .find(|(key, _)| *key == name)
        .with_context(|| format!("{} has no {name}", path.display()))?;
    Ok(SecretString::from(value))
}

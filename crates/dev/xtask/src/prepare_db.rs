//! A database with every service's migrations, against which the build checks queries.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use db::{DbConfig, Schema};
use secrecy::SecretString;
use sqlx::migrate::Migrator;
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection};
use url::Url;

/// Where and what to create.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Address of the server as a superuser.
    #[arg(long, env = "DATABASE_ADMIN_URL", hide_env_values = true)]
    admin_url: Url,
    /// The database; dropped first if it exists.
    #[arg(long)]
    name: String,
}

/// Prints the address of the new database.
pub(crate) fn run(root: &Path, arguments: &Arguments) -> Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("start the runtime")?;
    let url = runtime.block_on(prepare(root, arguments))?;
    println!("{url}");
    Ok(ExitCode::SUCCESS)
}

async fn prepare(root: &Path, arguments: &Arguments) -> Result<Url> {
    recreate(&arguments.admin_url, &arguments.name).await?;
    let mut url = arguments.admin_url.clone();
    url.set_path(&arguments.name);
    for schema in schemas(root)? {
        migrate(root, &url, schema).await?;
    }
    Ok(url)
}

async fn recreate(admin: &Url, name: &str) -> Result<()> {
    // The name becomes part of a statement, which has no place for parameters.
    ensure!(
        !name.is_empty()
            && name
                .bytes()
                .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_')),
        "`{name}`: use lower-case letters, digits and underscores"
    );
    let mut connection = PgConnection::connect(admin.as_str())
        .await
        .context("connect to the server")?;
    for statement in [
        format!("drop database if exists {name} with (force)"),
        format!("create database {name}"),
    ] {
        sqlx::raw_sql(AssertSqlSafe(statement))
            .execute(&mut connection)
            .await
            .with_context(|| format!("create the database {name}"))?;
    }
    connection.close().await.context("close the connection")
}

/// The folders of `migrations/`, each named for the schema it makes; `_platform` is part of all.
fn schemas(root: &Path) -> Result<Vec<&'static str>> {
    let folder = root.join("migrations");
    let mut schemas = Vec::new();
    for entry in fs::read_dir(&folder).with_context(|| format!("list {}", folder.display()))? {
        let name = entry.context("list the migrations")?.file_name();
        let name = name.to_str().context("read a folder's name")?;
        if !name.starts_with('_') {
            // A schema's name is a constant of the program everywhere else; here it lives as long as the process.
            schemas.push(&*name.to_owned().leak());
        }
    }
    schemas.sort_unstable();
    Ok(schemas)
}

async fn migrate(root: &Path, url: &Url, schema: &'static str) -> Result<()> {
    let migrator = Migrator::new(root.join("migrations").join(schema))
        .await
        .with_context(|| format!("read migrations/{schema}"))?;
    let name = Schema::new(schema)?;
    let mut config = DbConfig::new(
        login(url, &name.app_role())?,
        login(url, &name.system_role())?,
    );
    config.migrate_url = Some(SecretString::from(url.as_str()));
    db::migrate::apply(&config, schema, &migrator)
        .await
        .with_context(|| format!("migrate the schema {schema}"))
}

/// The same server as one of the service's roles. Roles belong to the whole server, so that on a development stack they
/// all have the superuser's password: everyone who prepares a database there comes to the same.
fn login(url: &Url, role: &str) -> Result<SecretString> {
    let mut login = url.clone();
    login
        .set_username(role)
        .ok()
        .context("the address of the server has no place for a user")?;
    Ok(SecretString::from(login.as_str()))
}

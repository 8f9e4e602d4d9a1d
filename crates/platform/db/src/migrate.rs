//! Roles, schema and tables of one service, made by its `migrate` command before it serves.
//!
//! Three roles per schema: the owner, which nobody logs in as; the app role, bound by row level security; the system
//! role, which a policy lets see every row. First the platform's own migrations run (`migrations/_platform`, recorded in
//! `<schema>._platform_migrations`), then the service's (`<schema>._migrations`).

mod platform;
mod roles;
mod scram;

use std::{collections::HashSet, str::FromStr, time::Duration};

use secrecy::{ExposeSecret, SecretString};
use sqlx::{
    AssertSqlSafe, ConnectOptions, Connection, PgConnection,
    migrate::{Migrate, Migrator},
    postgres::PgConnectOptions,
};

use crate::{AsTx, Db, DbConfig, DbError, Schema, SchemaNameInvalid, SystemTx, advisory};

pub use platform::fingerprint;
pub use roles::{RolePasswords, bootstrap_roles};

/// Longest wait for another process that migrates the same schema.
const PATIENCE: Duration = Duration::from_mins(5);
/// Between attempts to get the lock.
const PAUSE: Duration = Duration::from_millis(100);

/// Why a schema could not be brought up to date.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// The schema has an impossible name.
    #[error(transparent)]
    SchemaName(#[from] SchemaNameInvalid),
    /// `migrate_url` is missing or not a PostgreSQL URL.
    #[error("migrate_url: name the PostgreSQL URL of a role that may migrate")]
    Url,
    /// The URL of a login role names another role.
    #[error("{field}: the login role must be `{role}`")]
    RoleName {
        /// The configuration field.
        field: &'static str,
        /// The role it must name.
        role: String,
    },
    /// A password can't be stored.
    #[error("the password of role `{role}` must be 1 or more printable ASCII characters")]
    Password {
        /// The role.
        role: String,
    },
    /// A role that requests run as could go around row level security.
    #[error("role `{role}` is a superuser or bypasses row level security")]
    TooPowerful {
        /// The role.
        role: String,
    },
    /// A role is missing, and the migrating role may not create roles.
    #[error("role `{role}` does not exist and can't be created by this login")]
    RoleMissing {
        /// The role.
        role: String,
    },
    /// Somebody else has been migrating for too long.
    #[error("another process has been migrating schema `{schema}` for {} s", PATIENCE.as_secs())]
    Busy {
        /// The schema.
        schema: Schema,
    },
    /// A migration failed, or an applied one was changed.
    #[error("run the {which} migrations")]
    Run {
        /// `platform` or `service`.
        which: &'static str,
        /// What happened.
        source: sqlx::migrate::MigrateError,
    },
    /// The database failed.
    #[error("{attempted}")]
    Db {
        /// What was attempted.
        attempted: &'static str,
        /// What happened.
        source: DbError,
    },
}

trait Attempted<T> {
    fn attempted(self, attempted: &'static str) -> Result<T, MigrateError>;
}

impl<T> Attempted<T> for Result<T, sqlx::Error> {
    fn attempted(self, attempted: &'static str) -> Result<T, MigrateError> {
        self.map_err(|error| MigrateError::Db {
            attempted,
            source: error.into(),
        })
    }
}

/// Everything that `migrate` does: the roles that the configuration's URLs name, the schema, and all migrations. Safe to
/// repeat and to run at the same time in several processes.
///
/// # Errors
/// See [`MigrateError`]; what was applied before stays applied.
pub async fn apply(
    config: &DbConfig,
    schema: &'static str,
    migrator: &Migrator,
) -> Result<(), MigrateError> {
    let name = Schema::new(schema)?;
    let url = config.migrate_url.as_ref().ok_or(MigrateError::Url)?;
    let passwords = RolePasswords::from_config(config, name)?;
    let mut connection = connect(url).await?;
    bootstrap_roles(&mut connection, name, &passwords).await?;
    connection.close().await.attempted("close the connection")?;
    run(url, schema, migrator).await
}

/// Applies the pending migrations of a schema whose roles exist ([`bootstrap_roles`]).
///
/// # Errors
/// See [`MigrateError`]; what was applied before stays applied.
pub async fn run(
    url: &SecretString,
    schema: &'static str,
    migrator: &Migrator,
) -> Result<(), MigrateError> {
    let schema = Schema::new(schema)?;
    let mut connection = connect(url).await?;
    lock(&mut connection, schema, "migrate").await?;
    let prepare = format!(
        "set role {}; set search_path = {schema}; set lock_timeout = '10s'",
        schema.owner_role()
    );
    sqlx::raw_sql(AssertSqlSafe(prepare))
        .execute(&mut connection)
        .await
        .attempted("become the owner of the schema")?;
    let mut platform = platform::migrator(schema);
    let mut service = Migrator::with_migrations(migrator.iter().cloned().collect());
    for (migrator, table) in [
        (&mut platform, platform_table(schema)),
        (&mut service, service_table(schema)),
    ] {
        // Both exist before the first migration, which grants the right to read them.
        connection
            .ensure_migrations_table(&table)
            .await
            .map_err(|source| MigrateError::Run {
                which: "platform",
                source,
            })?;
        migrator.dangerous_set_table_name(table);
        // Our own lock is held. sqlx would wait for its one inside a statement, and a waiting statement holds a snapshot
        // that `create index concurrently` of the process we wait for would wait for in turn.
        migrator.set_locking(false);
        // A release that is rolled back finds migrations it does not know; they are compatible with it by rule.
        migrator.set_ignore_missing(true);
    }
    for (migrator, which) in [(&platform, "platform"), (&service, "service")] {
        migrator
            .run_direct(None, &mut connection, false)
            .await
            .map_err(|source| MigrateError::Run { which, source })?;
    }
    tracing::info!(db.schema = %schema, "schema {schema} is up to date");
    // Ends the session, and the lock with it.
    connection.close().await.attempted("close the connection")
}

/// The migrations that this program knows and the database does not have, by name. `serve` refuses to start unless it is
/// empty.
///
/// # Errors
/// When the database fails.
pub async fn pending(db: &Db, migrator: &Migrator) -> Result<Vec<String>, DbError> {
    let schema = db.schema();
    let platform = platform::migrator(schema);
    let mut pending = Vec::new();
    for (migrator, table) in [
        (&platform, platform_table(schema)),
        (migrator, service_table(schema)),
    ] {
        let applied = applied(db, &table).await?;
        pending.extend(
            migrator
                .iter()
                .filter(|migration| !migration.migration_type.is_down_migration())
                .filter(|migration| !applied.contains(&migration.version))
                .map(|migration| format!("{:04} {}", migration.version, migration.description)),
        );
    }
    Ok(pending)
}

async fn applied(db: &Db, table: &str) -> Result<HashSet<i64>, DbError> {
    let mut tx = SystemTx::begin(db, "compare migrations").await?;
    // Asked for by name, so that a missing table is an answer and not an error.
    let exists: bool = sqlx::query_scalar("select to_regclass($1) is not null")
        .bind(table)
        .fetch_one(tx.conn())
        .await?;
    if !exists {
        return Ok(HashSet::new());
    }
    let versions: Vec<i64> = sqlx::query_scalar(AssertSqlSafe(format!(
        "select version from {table} where success"
    )))
    .fetch_all(AsTx::conn(&mut tx))
    .await?;
    Ok(versions.into_iter().collect())
}

fn platform_table(schema: Schema) -> String {
    format!("{schema}._platform_migrations")
}

fn service_table(schema: Schema) -> String {
    format!("{schema}._migrations")
}

async fn connect(url: &SecretString) -> Result<PgConnection, MigrateError> {
    PgConnectOptions::from_str(url.expose_secret())
        .map_err(|_| MigrateError::Url)?
        .application_name("migrate")
        .connect()
        .await
        .attempted("connect to migrate")
}

/// A session lock, asked for again and again instead of waited for: see [`run`].
async fn lock(
    connection: &mut PgConnection,
    schema: Schema,
    name: &str,
) -> Result<(), MigrateError> {
    let attempt = async {
        loop {
            let locked = advisory::try_lock(&mut *connection, advisory::key(schema, name))
                .await
                .attempted("lock the schema")?;
            if locked {
                return Ok(());
            }
            tokio::time::sleep(PAUSE).await;
        }
    };
    tokio::time::timeout(PATIENCE, attempt)
        .await
        .unwrap_or(Err(MigrateError::Busy { schema }))
}

//! The roles of one schema. Roles belong to the cluster, not to the database, so two processes that prepare two
//! databases can still meet here.

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use sqlx::{AssertSqlSafe, PgConnection};

use super::{Attempted, MigrateError, lock, scram};
use crate::{DbConfig, Schema};

/// Attempts against processes that change the same roles from another database.
const ATTEMPTS: u32 = 20;
const PAUSE: Duration = Duration::from_millis(50);

/// The passwords of the two login roles.
#[derive(Debug, Clone)]
pub struct RolePasswords {
    /// Of `<schema>_app`.
    pub app: SecretString,
    /// Of `<schema>_system`.
    pub system: SecretString,
}

impl RolePasswords {
    /// The passwords in the URLs that the service will log in with.
    ///
    /// # Errors
    /// When a URL names another role: the policies are made for these two.
    pub fn from_config(config: &DbConfig, schema: Schema) -> Result<Self, MigrateError> {
        Ok(Self {
            app: password("url", &config.url, schema.app_role())?,
            system: password("system_url", &config.system_url, schema.system_role())?,
        })
    }
}

fn password(
    field: &'static str,
    url: &SecretString,
    role: String,
) -> Result<SecretString, MigrateError> {
    let Ok(url) = url::Url::parse(url.expose_secret()) else {
        return Err(MigrateError::RoleName { field, role });
    };
    if url.username() != role {
        return Err(MigrateError::RoleName { field, role });
    }
    let encoded = url.password().unwrap_or_default().replace('+', "%2B");
    let password = url::form_urlencoded::parse(format!("p={encoded}").as_bytes())
        .next()
        .map(|(_, password)| password.into_owned())
        .unwrap_or_default();
    Ok(SecretString::from(password))
}

/// Makes the three roles and the schema, or brings them to what they should be. `connection` may create roles and
/// schemas; where roles are made by somebody else, it must be a member of the owner role. Safe to repeat, and to run in
/// several processes and databases at once.
///
/// # Errors
/// When a role is missing and can't be made, or has more power than it may have.
pub async fn bootstrap_roles(
    connection: &mut PgConnection,
    schema: Schema,
    passwords: &RolePasswords,
) -> Result<(), MigrateError> {
    lock(connection, schema, "roles").await?;
    let mut attempts = 0;
    loop {
        attempts += 1;
        match attempt(connection, schema, passwords).await {
            Err(error) if attempts < ATTEMPTS && met_another(&error) => {
                roll_back(connection).await?;
                tokio::time::sleep(PAUSE).await;
            }
            Err(error) => {
                roll_back(connection).await?;
                return Err(error);
            }
            Ok(()) => return Ok(()),
        }
    }
}

async fn roll_back(connection: &mut PgConnection) -> Result<(), MigrateError> {
    execute(connection, "rollback".to_owned(), "roll back the roles").await
}

/// The catalogues have no row locks for us: the loser of a race gets a unique violation or "tuple concurrently updated",
/// which has no code of its own.
fn met_another(error: &MigrateError) -> bool {
    let MigrateError::Db { source, .. } = error else {
        return false;
    };
    let chain = errors::chain(source);
    source.constraint().is_some()
        || source.retryable()
        || ["XX000", "42710", "42P06"]
            .iter()
            .any(|state| chain.contains(state))
}

async fn attempt(
    connection: &mut PgConnection,
    schema: Schema,
    passwords: &RolePasswords,
) -> Result<(), MigrateError> {
    execute(connection, "begin".to_owned(), "begin").await?;
    let may_create: bool = sqlx::query_scalar(
        "select rolsuper or rolcreaterole from pg_catalog.pg_roles where rolname = current_user",
    )
    .fetch_one(&mut *connection)
    .await
    .attempted("look at the migrating role")?;
    let owner = schema.owner_role();
    role(connection, &owner, may_create, "nologin noinherit").await?;
    if may_create {
        execute(
            connection,
            format!("grant {owner} to current_user"),
            "join the owner role",
        )
        .await?;
    }
    for (name, password) in [
        (schema.app_role(), &passwords.app),
        (schema.system_role(), &passwords.system),
    ] {
        if may_create {
            let verifier = verifier(connection, &name, password).await?;
            // A name of ours and a verifier of base64 digits: nothing in it can end the literal.
            let login = format!("login noinherit connection limit -1 password '{verifier}'");
            role(connection, &name, true, &login).await?;
            let pin = format!("alter role {name} set search_path = {schema}");
            execute(connection, pin, "pin the search path").await?;
        } else {
            role(connection, &name, false, "").await?;
        }
        refuse_power(connection, &name).await?;
    }
    grant_schema(connection, schema).await?;
    execute(connection, "commit".to_owned(), "commit the roles").await
}

async fn grant_schema(connection: &mut PgConnection, schema: Schema) -> Result<(), MigrateError> {
    let (owner, app, system) = (schema.owner_role(), schema.app_role(), schema.system_role());
    let exists: bool = sqlx::query_scalar("select to_regnamespace($1) is not null")
        .bind(schema.as_str())
        .fetch_one(&mut *connection)
        .await
        .attempted("look for the schema")?;
    if !exists {
        let create = format!("create schema {schema} authorization {owner}");
        execute(connection, create, "create the schema").await?;
    }
    let grant = format!(
        "revoke all on schema {schema} from public; grant usage on schema {schema} to {app}, {system}"
    );
    execute(connection, grant, "grant the schema").await
}

async fn role(
    connection: &mut PgConnection,
    name: &str,
    may_create: bool,
    attributes: &str,
) -> Result<(), MigrateError> {
    let exists: bool =
        sqlx::query_scalar("select exists (select 1 from pg_catalog.pg_roles where rolname = $1)")
            .bind(name)
            .fetch_one(&mut *connection)
            .await
            .attempted("look for a role")?;
    match (exists, may_create) {
        (true, false) => Ok(()),
        (false, false) => Err(MigrateError::RoleMissing {
            role: name.to_owned(),
        }),
        (true, true) => {
            execute(
                connection,
                format!("alter role {name} {attributes}"),
                "change a role",
            )
            .await
        }
        (false, true) => {
            execute(
                connection,
                format!("create role {name} {attributes}"),
                "create a role",
            )
            .await
        }
    }
}

async fn refuse_power(connection: &mut PgConnection, name: &str) -> Result<(), MigrateError> {
    let powerful: bool = sqlx::query_scalar(
        "select coalesce(bool_or(rolsuper or rolbypassrls), false) from pg_catalog.pg_roles
         where rolname = $1",
    )
    .bind(name)
    .fetch_one(&mut *connection)
    .await
    .attempted("look at a role's power")?;
    if powerful {
        Err(MigrateError::TooPowerful {
            role: name.to_owned(),
        })
    } else {
        Ok(())
    }
}

/// The password never travels in a statement, which the server may log.
async fn verifier(
    connection: &mut PgConnection,
    role: &str,
    password: &SecretString,
) -> Result<String, MigrateError> {
    let salt: Vec<u8> = sqlx::query_scalar("select uuid_send(gen_random_uuid())")
        .fetch_one(&mut *connection)
        .await
        .attempted("choose a salt")?;
    scram::verifier(password.expose_secret(), &salt).ok_or_else(|| MigrateError::Password {
        role: role.to_owned(),
    })
}

async fn execute(
    connection: &mut PgConnection,
    statement: String,
    attempted: &'static str,
) -> Result<(), MigrateError> {
    sqlx::raw_sql(AssertSqlSafe(statement))
        .execute(connection)
        .await
        .attempted(attempted)?;
    Ok(())
}

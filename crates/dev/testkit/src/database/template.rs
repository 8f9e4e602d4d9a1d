//! Migrated databases that tests copy.

use db::{Schema, migrate};
use secrecy::SecretString;
use sqlx::{Connection, PgConnection, migrate::Migrator};
use url::Url;

use super::{connect, execute};

/// The template of these migrations; built now if no test has needed it yet.
pub(super) async fn ensure(
    admin: &mut PgConnection,
    url: &Url,
    label: &str,
    schemas: &[(&'static str, &Migrator)],
) -> String {
    let hash = migrate::fingerprint(schemas.iter().copied());
    let name = format!("tmpl_{label}_{}", hex::encode(&hash[..8]));
    if exists(admin, &name).await {
        return name;
    }
    let mut key = [0; 8];
    key.copy_from_slice(&hash[..8]);
    let key = i64::from_be_bytes(key);
    lock(admin, key).await;
    if !exists(admin, &name).await {
        build(admin, url, &name, schemas).await;
    }
    sqlx::query("select pg_advisory_unlock($1)")
        .bind(key)
        .execute(admin)
        .await
        .expect("unlock the template");
    name
}

/// Built under another name, so that a template is complete as soon as it can be seen.
async fn build(
    admin: &mut PgConnection,
    url: &Url,
    name: &str,
    schemas: &[(&'static str, &Migrator)],
) {
    let unfinished = format!("{name}_building");
    execute(
        admin,
        format!("drop database if exists {unfinished} with (force)"),
    )
    .await;
    execute(admin, format!("create database {unfinished}")).await;
    let mut own = url.clone();
    own.set_path(&unfinished);
    let password = SecretString::from(url.password().unwrap_or_default().to_owned());
    let passwords = migrate::RolePasswords {
        app: password.clone(),
        system: password,
    };
    for (schema, migrator) in schemas {
        let mut connection = connect(&own).await;
        let name = Schema::new(schema).expect("a schema name");
        migrate::bootstrap_roles(&mut connection, name, &passwords)
            .await
            .expect("make the roles");
        connection.close().await.expect("close the connection");
        migrate::run(&SecretString::from(own.to_string()), schema, migrator)
            .await
            .expect("migrate the template");
    }
    execute(
        admin,
        format!("alter database {unfinished} rename to {name}"),
    )
    .await;
    // A single connection to it would stop tests from copying.
    execute(
        admin,
        format!("alter database {name} with is_template true allow_connections false"),
    )
    .await;
}

async fn exists(admin: &mut PgConnection, name: &str) -> bool {
    sqlx::query_scalar("select exists (select 1 from pg_database where datname = $1)")
        .bind(name)
        .fetch_one(admin)
        .await
        .expect("look for the template")
}

async fn lock(admin: &mut PgConnection, key: i64) {
    sqlx::query("select pg_advisory_lock($1)")
        .bind(key)
        .execute(admin)
        .await
        .expect("lock the template");
}

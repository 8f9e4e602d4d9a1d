//! The tables that every schema has, from `migrations/_platform`.

use sha2::{Digest, Sha256};
use sqlx::{
    AssertSqlSafe, SqlSafeStr,
    migrate::{Migration, Migrator},
};

use crate::Schema;

static TEMPLATE: Migrator = sqlx::migrate!("../../../migrations/_platform");

/// The migrations for one schema. Their checksums are the template's.
pub(super) fn migrator(schema: Schema) -> Migrator {
    let migrations = TEMPLATE.iter().map(|migration| Migration {
        sql: AssertSqlSafe(migration.sql.as_str().replace("{schema}", schema.as_str()))
            .into_sql_str(),
        ..migration.clone()
    });
    Migrator::with_migrations(migrations.collect())
}

/// A hash of everything that `migrations` and the platform's own would do to a database: the name of a template that
/// tests copy.
pub fn fingerprint<'m>(
    migrations: impl IntoIterator<Item = (&'static str, &'m Migrator)>,
) -> [u8; 32] {
    let mut hash = Sha256::new();
    for migration in TEMPLATE.iter() {
        hash.update(&migration.checksum);
    }
    for (schema, migrator) in migrations {
        hash.update(schema.as_bytes());
        hash.update([0]);
        for migration in migrator.iter() {
            hash.update(migration.version.to_be_bytes());
            hash.update(&migration.checksum);
        }
    }
    hash.finalize().into()
}

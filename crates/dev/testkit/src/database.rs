//! A database per test, copied from a migrated template.

mod sweep;
mod template;

use std::{
    str::FromStr,
    sync::{
        atomic::{AtomicU32, Ordering},
        mpsc,
    },
    time::Duration,
};

use clock::Clock;
use db::{Db, DbConfig, Schema};
use secrecy::SecretString;
use sqlx::{
    AssertSqlSafe, ConnectOptions, PgConnection, migrate::Migrator, postgres::PgConnectOptions,
};
use url::Url;

use crate::Stack;

/// A database that belongs to one test: dropped when the test succeeds; kept, and its address printed, when it panics.
#[derive(Debug)]
pub struct TestDb {
    name: String,
    admin: Url,
    schemas: Vec<Schema>,
}

/// For the server to drop a database, which takes a tenth of it.
const PATIENCE: Duration = Duration::from_secs(1);

/// Tells apart the databases of one process.
static NUMBER: AtomicU32 = AtomicU32::new(0);

impl TestDb {
    /// Makes a database with these schemas: roles, platform tables and the schemas' own migrations. The first test of a
    /// set of migrations builds a template, all others copy it.
    ///
    /// The login roles' passwords are the administrator's: roles belong to the whole server, which tests share with the
    /// services that are started by hand.
    ///
    /// # Panics
    /// When the servers are not up, or a migration fails.
    pub async fn new(label: &str, schemas: &[(&'static str, &Migrator)]) -> Self {
        let label = label.replace('-', "_");
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        assert!(
            label.bytes().all(plain),
            "`{label}` becomes part of a database's name"
        );
        let admin = Url::parse(&Stack::find().database_admin_url()).expect("DATABASE_ADMIN_URL");
        let mut connection = connect(&admin).await;
        sweep::once(&mut connection).await;
        let template = template::ensure(&mut connection, &admin, &label, schemas).await;
        let name = format!(
            "t_{label}_{}_{}",
            std::process::id(),
            NUMBER.fetch_add(1, Ordering::Relaxed)
        );
        // Left by a process of an earlier start of this machine that had our number.
        let earlier = format!("drop database if exists {name} with (force)");
        execute(&mut connection, earlier).await;
        execute(
            &mut connection,
            format!("create database {name} template {template}"),
        )
        .await;
        Self {
            name,
            admin,
            schemas: schemas
                .iter()
                .map(|(schema, _)| Schema::new(schema).expect("a schema name"))
                .collect(),
        }
    }

    /// The schemas it was made with.
    pub fn schemas(&self) -> &[Schema] {
        &self.schemas
    }

    /// `postgres://` URL of a login role, such as `messaging_app`.
    pub fn url(&self, role: &str) -> String {
        let mut url = self.admin_url();
        url.set_username(role).expect("a URL with a host");
        url.into()
    }

    /// The configuration of a service for this database, small pools.
    pub fn config(&self, schema: &'static str) -> DbConfig {
        let schema = Schema::new(schema).expect("a schema name");
        let mut config = DbConfig::new(
            SecretString::from(self.url(&schema.app_role())),
            SecretString::from(self.url(&schema.system_role())),
        );
        config.migrate_url = Some(SecretString::from(String::from(self.admin_url())));
        config.max_connections = 4;
        config.system_max_connections = 4;
        config
    }

    /// A handle on the machine's time.
    pub async fn db(&self, schema: &'static str) -> Db {
        self.db_at(schema, Clock::system()).await
    }

    /// A handle on the test's time.
    pub async fn db_at(&self, schema: &'static str, clock: Clock) -> Db {
        Db::connect(&self.config(schema), schema, clock)
            .await
            .expect("connect to the test's database")
    }

    /// A superuser's connection: it sees everything, and no policy applies to it.
    pub async fn admin(&self) -> PgConnection {
        connect(&self.admin_url()).await
    }

    /// A bare connection of a login role, without a tenant: for tests of what happens then.
    pub async fn login(&self, role: &str) -> PgConnection {
        PgConnectOptions::from_str(&self.url(role))
            .expect("a PostgreSQL URL")
            .connect()
            .await
            .expect("log in")
    }

    fn admin_url(&self) -> Url {
        let mut url = self.admin.clone();
        url.set_path(&self.name);
        url
    }
}

impl Drop for TestDb {
    fn drop(&mut self) {
        let keep = std::thread::panicking();
        let statement = if keep {
            eprintln!("kept for you to look at: {}", self.admin_url());
            sweep::keep(&self.name)
        } else {
            format!("drop database if exists {} with (force)", self.name)
        };
        let admin = self.admin.clone();
        let (done, waiting) = mpsc::channel();
        // A thread of its own: the test's runtime can't be waited on from inside.
        std::thread::spawn(move || {
            tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime")
                .block_on(async {
                    let mut connection = connect(&admin).await;
                    execute(&mut connection, statement).await;
                });
            // Nobody may be waiting any more.
            let _unheard = done.send(());
        });
        // Not until it is done: the server waits for every client that is logging in, and such a client may be a task of
        // the runtime that is blocked here. The server goes on by itself once it has the statement; should it never get
        // it, a later sweep finds the database.
        let _patience = waiting.recv_timeout(PATIENCE);
    }
}

async fn connect(url: &Url) -> PgConnection {
    PgConnectOptions::from_str(url.as_str())
        .expect("a PostgreSQL URL")
        .connect()
        .await
        .unwrap_or_else(|error| panic!("PostgreSQL does not answer, run `make up`: {error}"))
}

async fn execute(connection: &mut PgConnection, statement: String) {
    sqlx::raw_sql(AssertSqlSafe(statement.clone()))
        .execute(connection)
        .await
        .unwrap_or_else(|error| panic!("{statement}: {error}"));
}

//! T-02 and T-03: what a login role can really do.

use sqlx::{AssertSqlSafe, PgConnection};

use crate::TestDb;

/// A tenant that exists nowhere.
const NOBODY: &str = "00000000-0000-7000-8000-000000000000";

/// Asserts that no role of one schema can touch a table of another.
///
/// # Panics
/// When one can, or when the database has a single schema.
pub async fn assert_schemas_are_isolated(db: &TestDb) {
    assert!(db.schemas().len() > 1, "isolation needs two schemas");
    let mut admin = db.admin().await;
    for own in db.schemas() {
        for role in [own.app_role(), own.system_role()] {
            let mut login = db.login(&role).await;
            for other in db.schemas().iter().filter(|other| *other != own) {
                for table in tables(&mut admin, other.as_str(), "").await {
                    let answer = verdict(&mut login, format!("select from {table}")).await;
                    assert_eq!(answer, Verdict::Denied, "{role} reads {table}");
                }
            }
            for statement in [
                format!("create table {own}.mine ()"),
                "create table public.mine ()".to_owned(),
            ] {
                let answer = verdict(&mut login, statement.clone()).await;
                assert_eq!(answer, Verdict::Denied, "{role}: {statement}");
            }
        }
    }
}

/// Asserts that the app role sees, changes and adds nothing without a tenant, nor with one that owns nothing: on a fresh
/// connection, and on one that had a tenant before.
///
/// An empty table shows nothing to anybody, policy or not, so the test puts a row of a tenant into every table first; this
/// function adds those of the platform's tables. None is needed by a table the app role has no grant for, and by a
/// partition, which is like its siblings (T-01 looks at each one's policy). `empty` names tables that stay without a row;
/// each must be needed, so the list only shrinks.
///
/// # Panics
/// When a row can be reached, or a table is empty.
pub async fn assert_nothing_without_tenant(db: &TestDb, schema: &str, empty: &[&str]) {
    let mut admin = db.admin().await;
    let rows = PLATFORM_ROWS.replace("{schema}", schema);
    let added = verdict(&mut admin, rows).await;
    assert!(matches!(added, Verdict::Rows(_)), "{added:?}");
    let mut login = db.login(&format!("{schema}_app")).await;
    let tables = tables(&mut admin, schema, "organization_id").await;
    let mut unproved = Vec::new();
    for table in &tables {
        let all = verdict(&mut admin, format!("select from {table}")).await;
        let seen = verdict(&mut login, format!("select from {table}")).await;
        if all == Verdict::Rows(0)
            && seen != Verdict::Denied
            && !is_partition(&mut admin, table).await
        {
            unproved.push(table.trim_start_matches(schema).trim_start_matches('.'));
        }
    }
    assert_eq!(
        unproved, empty,
        "tables of {schema} without a row, and those that are allowed to have none"
    );

    nothing(&mut login, &tables, "on a fresh connection").await;
    let tenant = format!("select set_config('app.organization_id', '{NOBODY}', true)");
    for statement in ["begin", &tenant, "commit"] {
        verdict(&mut login, statement.to_owned()).await;
    }
    nothing(&mut login, &tables, "on a used connection").await;
    verdict(&mut login, tenant.replace("true", "false")).await;
    nothing(&mut login, &tables, "as another tenant").await;
}

/// A row of some tenant in each of the platform's tables.
const PLATFORM_ROWS: &str = "
    insert into {schema}.outbox (event_id, organization_id, event_type, routing_key, key, payload, headers, occurred_at,
                                 published_at)
    values (gen_random_uuid(), gen_random_uuid(), 'none', 'none', '', '', '{}', now(), now());
    insert into {schema}.idempotency_keys
    values (gen_random_uuid(), 'none', 'k', '', null, now(), 'infinity');
    insert into {schema}.jobs (id, kind, organization_id, payload, due_at, state, max_attempts, created_at, finished_at)
    values (gen_random_uuid(), 'none', gen_random_uuid(), '{}', now(), 'done', 1, now(), now());
    insert into {schema}.data_keys
    values (gen_random_uuid(), 'none', gen_random_uuid(), '', now(), null);";

async fn nothing(login: &mut PgConnection, tables: &[String], when: &str) {
    for table in tables {
        for statement in [
            format!("select from {table}"),
            format!("update {table} set organization_id = organization_id"),
            format!("delete from {table}"),
        ] {
            let answer = verdict(login, statement.clone()).await;
            let harmless = matches!(answer, Verdict::Denied | Verdict::Rows(0));
            assert!(harmless, "{when}, {statement}: {answer:?}");
        }
        // Of a tenant that is never the one that is set.
        let insert = format!(
            "insert into {table} (organization_id) values ('{}')",
            NOBODY.replace('7', "8")
        );
        let answer = verdict(login, insert).await;
        assert_eq!(answer, Verdict::Denied, "{when}, an insert into {table}");
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    /// insufficient_privilege: no grant, or refused by a policy.
    Denied,
    /// Done, to this many rows.
    Rows(u64),
    /// Another error.
    Failed(String),
}

async fn verdict(connection: &mut PgConnection, statement: String) -> Verdict {
    match sqlx::raw_sql(AssertSqlSafe(statement))
        .execute(connection)
        .await
    {
        Ok(done) => Verdict::Rows(done.rows_affected()),
        Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some("42501") => {
            Verdict::Denied
        }
        Err(error) => Verdict::Failed(error.to_string()),
    }
}

async fn is_partition(admin: &mut PgConnection, table: &str) -> bool {
    sqlx::query_scalar("select relispartition from pg_class where oid = to_regclass($1)")
        .bind(table)
        .fetch_one(admin)
        .await
        .expect("look at the table")
}

/// The schema's tables, qualified; only those with `column`, unless it is empty.
async fn tables(admin: &mut PgConnection, schema: &str, column: &str) -> Vec<String> {
    sqlx::query_scalar(
        "select format('%I.%I', $1, c.relname) from pg_class c
         where c.relnamespace = to_regnamespace($1) and c.relkind in ('r', 'p')
           and ($2 = '' or exists (
               select 1 from pg_attribute a where a.attrelid = c.oid and a.attname = $2 and not a.attisdropped))
         order by c.relname",
    )
    .bind(schema)
    .bind(column)
    .fetch_all(admin)
    .await
    .expect("list the tables")
}

//! T-01: what the catalogue says about a schema.

use std::collections::BTreeSet;

use sqlx::PgConnection;

use crate::TestDb;

/// What the platform's own tables are excused from, in every schema.
const PLATFORM: &[&str] = &[
    // Numbered and found across organizations, by the system role; the app role can't choose these values.
    "outbox_pkey",
    "outbox_event_id_key",
    "jobs_pkey",
    "deferred_deliveries_pkey",
    "deferred_deliveries_consumer_event_id_key",
    // No tenant's data.
    "outbox_floor",
    "_migrations",
    "_platform_migrations",
];

/// Each row of an answer is an object that is not as it should be. `$1` is the schema; `tenant_tables` are those with an
/// `organization_id`.
struct Check {
    problem: &'static str,
    sql: &'static str,
}

macro_rules! on_tenant_tables {
    ($sql:literal) => {
        concat!(
            "with tenant_tables as (
                 select c.oid, c.relname, c.relowner, c.relrowsecurity, c.relforcerowsecurity, c.relispartition,
                        a.attnum as tenant
                 from pg_class c
                 join pg_attribute a on a.attrelid = c.oid and a.attname = 'organization_id' and not a.attisdropped
                 where c.relnamespace = to_regnamespace($1) and c.relkind in ('r', 'p'))",
            $sql
        )
    };
}

const CHECKS: &[Check] = &[
    Check {
        problem: "row level security is not enabled and forced",
        sql: on_tenant_tables!(
            "select relname::text from tenant_tables t
             where not (relrowsecurity and relforcerowsecurity)
               -- A partition is reached through its parent, unless somebody may go around it.
               and not (relispartition and not has_any_column_privilege($1 || '_app', t.oid, 'select, insert, update')
                        and not has_table_privilege($1 || '_app', t.oid, 'delete'))"
        ),
    },
    Check {
        problem: "no policy with USING and WITH CHECK limits the app role to its organization",
        sql: on_tenant_tables!(
            "select relname::text from tenant_tables t
             where relrowsecurity and not exists (
                 select 1 from pg_policy p
                 where p.polrelid = t.oid and p.polcmd = '*'
                   and to_regrole($1 || '_app') = any(p.polroles)
                   and pg_get_expr(p.polqual, t.oid) like '%app.organization_id%'
                   and pg_get_expr(p.polwithcheck, t.oid) like '%app.organization_id%')"
        ),
    },
    Check {
        problem: "a permissive policy for the app role or everybody does not look at the organization",
        sql: on_tenant_tables!(
            "select p.polname::text || ' on ' || relname from tenant_tables t
             join pg_policy p on p.polrelid = t.oid
             where p.polpermissive and (to_regrole($1 || '_app') = any(p.polroles) or 0 = any(p.polroles))
               and (coalesce(pg_get_expr(p.polqual, t.oid), 'app.organization_id') not like '%app.organization_id%'
                 or coalesce(pg_get_expr(p.polwithcheck, t.oid), 'app.organization_id')
                    not like '%app.organization_id%')"
        ),
    },
    Check {
        problem: "a unique index does not begin with organization_id, so it tells tenants about each other",
        sql: on_tenant_tables!(
            "select ic.relname::text from tenant_tables t
             join pg_index i on i.indrelid = t.oid
             join pg_class ic on ic.oid = i.indexrelid
             where i.indisunique and i.indkey[0] <> t.tenant"
        ),
    },
    Check {
        problem: "no index begins with organization_id",
        sql: on_tenant_tables!(
            "select relname::text from tenant_tables t
             where not exists (select 1 from pg_index i where i.indrelid = t.oid and i.indkey[0] = t.tenant)"
        ),
    },
    Check {
        problem: "a foreign key between tenant tables does not pair their organization_ids",
        sql: on_tenant_tables!(
            "select c.conname::text from tenant_tables t
             join pg_constraint c on c.conrelid = t.oid and c.contype = 'f'
             join tenant_tables parent on parent.oid = c.confrelid
             where not exists (
                 select 1 from unnest(c.conkey, c.confkey) pair(own, theirs)
                 where pair.own = t.tenant and pair.theirs = parent.tenant)"
        ),
    },
    Check {
        problem: "the app role may use a table without organization_id",
        sql: on_tenant_tables!(
            "select c.relname::text from pg_class c
             where c.relnamespace = to_regnamespace($1) and c.relkind in ('r', 'p', 'm', 'f')
               and c.oid not in (select oid from tenant_tables)
               and (has_any_column_privilege($1 || '_app', c.oid, 'select, insert, update')
                 or has_table_privilege($1 || '_app', c.oid, 'delete'))"
        ),
    },
    Check {
        problem: "a login role may TRUNCATE, which no policy stops",
        sql: "select c.relname::text from pg_class c
              where c.relnamespace = to_regnamespace($1) and c.relkind in ('r', 'p')
                and (has_table_privilege($1 || '_app', c.oid, 'truncate')
                  or has_table_privilege($1 || '_system', c.oid, 'truncate'))",
    },
    Check {
        problem: "a login role has a power that goes around policies",
        sql: "select rolname::text from pg_roles
              where rolname in ($1 || '_app', $1 || '_system')
                and (rolsuper or rolbypassrls or rolcreaterole or rolcreatedb or rolreplication
                  or exists (select 1 from pg_auth_members m where m.member = pg_roles.oid))",
    },
    Check {
        problem: "the owner of the schema can log in",
        sql: "select rolname::text from pg_roles where rolname = $1 || '_owner' and (rolcanlogin or rolsuper)",
    },
    Check {
        problem: "is not owned by the schema's owner",
        sql: "select c.relname::text from pg_class c
              where c.relnamespace = to_regnamespace($1) and c.relowner <> to_regrole($1 || '_owner')
              union all
              select p.proname::text from pg_proc p
              where p.pronamespace = to_regnamespace($1) and p.proowner <> to_regrole($1 || '_owner')
              union all
              select n.nspname::text from pg_namespace n
              where n.nspname = $1 and n.nspowner <> to_regrole($1 || '_owner')",
    },
    Check {
        problem: "runs with its owner's rights but takes its search_path from the caller",
        sql: "select p.proname::text from pg_proc p
              where p.pronamespace = to_regnamespace($1) and p.prosecdef
                and not exists (select 1 from unnest(p.proconfig) s where s like 'search_path=%')",
    },
    Check {
        problem: "is a view that reads with its owner's rights",
        sql: "select c.relname::text from pg_class c
              where c.relnamespace = to_regnamespace($1) and c.relkind = 'v'
                and not coalesce('security_invoker=true' = any(c.reloptions)
                              or 'security_invoker=on' = any(c.reloptions), false)",
    },
    Check {
        problem: "is granted to everybody",
        sql: "select c.relname::text from pg_class c cross join lateral aclexplode(c.relacl) acl
              where c.relnamespace = to_regnamespace($1) and acl.grantee = 0
              union all
              select n.nspname::text from pg_namespace n cross join lateral aclexplode(n.nspacl) acl
              where n.nspname = $1 and acl.grantee = 0",
    },
];

/// Asserts that the catalogue gives no tenant a way to another: row level security enabled and forced with a policy for
/// reading and writing, `organization_id` first in every key, composite foreign keys, no powerful login role, no grant
/// that goes around. `exemptions` are names of tables, indexes, constraints or functions; each must be needed, so the
/// list only shrinks.
///
/// # Panics
/// When something is not as it should be, with everything that is not.
pub async fn assert_catalogue_is_tenant_safe(db: &TestDb, schema: &str, exemptions: &[&str]) {
    let mut admin = db.admin().await;
    let mut excused = BTreeSet::new();
    let mut problems = Vec::new();
    for check in CHECKS {
        for object in objects(&mut admin, check.sql, schema).await {
            if exemptions.contains(&object.as_str()) {
                excused.insert(object);
            } else if !PLATFORM.contains(&object.as_str()) {
                problems.push(format!("{object}: {}", check.problem));
            }
        }
    }
    for exemption in exemptions {
        if !excused.contains(*exemption) {
            problems.push(format!(
                "{exemption}: is exempt without need, remove it from the list"
            ));
        }
    }
    assert!(
        problems.is_empty(),
        "schema {schema}:\n  {}",
        problems.join("\n  ")
    );
}

async fn objects(admin: &mut PgConnection, sql: &'static str, schema: &str) -> Vec<String> {
    sqlx::query_scalar(sql)
        .bind(schema)
        .fetch_all(admin)
        .await
        .unwrap_or_else(|error| panic!("{error}: {sql}"))
}

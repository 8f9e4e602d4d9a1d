-- Every schema starts with these tables and rules. `{schema}` is replaced by the schema's name when the file runs, so
-- the files know no service. They run as `{schema}_owner`; the roles and the schema itself exist by then.

-- What a service's own migrations create is usable at once, and only by its two login roles. TRUNCATE is missing on
-- purpose: row level security does not apply to it.
alter default privileges in schema {schema} grant select, insert, update, delete on tables to {schema}_app, {schema}_system;
alter default privileges in schema {schema} grant usage, select on sequences to {schema}_app, {schema}_system;
alter default privileges revoke execute on routines from public;
alter default privileges in schema {schema} grant execute on routines to {schema}_app, {schema}_system;

-- `serve` compares these with what it was built for.
grant select on {schema}._platform_migrations, {schema}._migrations to {schema}_app, {schema}_system;

-- Puts a table with an `organization_id` behind row level security:
--     call {schema}.enforce_tenancy('{schema}.contacts');
-- FORCE binds the owner too. The setting is read in a sub-select so that it is evaluated once per statement, not per
-- row; `nullif` because the setting is the empty string, not NULL, once a pooled connection has had a tenant.
create procedure {schema}.enforce_tenancy(tenant_table regclass)
    language plpgsql
    set search_path = pg_catalog
as $$
declare
    own constant text := 'organization_id = (select nullif(current_setting(''app.organization_id'', true), '''')::uuid)';
begin
    execute format('alter table %s enable row level security', tenant_table);
    execute format('alter table %s force row level security', tenant_table);
    execute format('create policy tenant on %s for all to {schema}_app using (%s) with check (%s)', tenant_table, own, own);
    execute format('create policy system on %s for all to {schema}_system using (true) with check (true)', tenant_table);
end
$$;
revoke all on procedure {schema}.enforce_tenancy(regclass) from {schema}_app, {schema}_system;

-- Which installation this is: a random name, made once with the database. It is also written into the store of files,
-- so that a service whose database and store do not belong together deletes nothing there.
create table messaging.installation (
    singleton boolean primary key default true check (singleton),
    id uuid not null default gen_random_uuid()
);
insert into messaging.installation default values;
-- It has no tenant, so no tenant may see it.
revoke all on messaging.installation from messaging_app;

-- Files of the store that no row named when somebody looked. One is deleted when a day later still none does, and
-- whoever comes to name it before takes it out of here.
create table messaging.doomed_files (
    organization_id uuid not null,
    sha256 bytea not null check (length(sha256) = 32),
    doomed_at timestamptz not null,
    -- Since then the store may be deleting it: nobody may keep the same bytes until it is known that this is over.
    deleting_since timestamptz,
    primary key (organization_id, sha256)
);
create index doomed_files_by_age on messaging.doomed_files (doomed_at);
call messaging.enforce_tenancy('messaging.doomed_files');

-- Files of a number that are fetched take turns among tenants: found tenant by tenant, and how many each has under way.
create index jobs_of_tenants on messaging.jobs (kind, organization_id, claimable_at) where claimable_at is not null;
create index jobs_under_way on messaging.jobs (kind, organization_id) where state = 'running';

-- A tenant's customers.
create table messaging.contacts (
    organization_id uuid not null,
    id uuid not null,
    name text not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (organization_id, id)
);
call messaging.enforce_tenancy('messaging.contacts');

-- What a customer is known by. WhatsApp may show a phone number, a business-scoped user id or both,
-- so one contact has several. Values are kept as WhatsApp writes them and never rewritten.
create table messaging.contact_identities (
    organization_id uuid not null,
    kind text not null check (kind in ('phone', 'user_id', 'username')),
    value text not null,
    contact_id uuid not null,
    created_at timestamptz not null,
    primary key (organization_id, kind, value),
    foreign key (organization_id, contact_id) references messaging.contacts (organization_id, id) on delete cascade
);
create index contact_identities_of_contact on messaging.contact_identities (organization_id, contact_id);
call messaging.enforce_tenancy('messaging.contact_identities');

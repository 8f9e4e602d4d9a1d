use testkit::{TestDb, assert_catalogue_is_tenant_safe, assert_nothing_without_tenant};

async fn database() -> TestDb {
    TestDb::new("messaging", &[("messaging", &messaging::MIGRATOR)]).await
}

/// T-01. A number's route is unique platform-wide on purpose: two tenants can't own one number, and
/// whoever meets the other has proved to hold the number's token.
#[tokio::test(flavor = "multi_thread")]
async fn the_catalogue_keeps_tenants_apart() {
    let db = database().await;
    let exemptions = ["channel_routes_phone_number_id_key"];
    assert_catalogue_is_tenant_safe(&db, "messaging", &exemptions).await;
}

/// T-03
#[tokio::test(flavor = "multi_thread")]
async fn without_a_tenant_nothing_is_seen_changed_or_added() {
    let db = database().await;
    let mut admin = db.admin().await;
    sqlx::raw_sql(ROWS)
        .execute(&mut admin)
        .await
        .expect("rows of a tenant");
    assert_nothing_without_tenant(&db, "messaging", &[]).await;
}

/// One row in every table of a tenant.
const ROWS: &str = "
    insert into messaging.channels (organization_id, id, name, phone_number_id, waba_id, app, display_phone_number,
        verified_name, access_token, created_at, updated_at)
    values ('00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000002', 'n', '1', '2',
        'default', '+1', 'v', 'sealed', now(), now());
    insert into messaging.channel_routes (organization_id, channel_id, phone_number_id, waba_id, app, display_digits)
    values ('00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000002', '1', '2', 'default', '1');
    insert into messaging.lanes (organization_id, channel_id)
    values ('00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000002');
    insert into messaging.channel_notices
    values ('00000000-0000-7000-8000-000000000001', gen_random_uuid(), '00000000-0000-7000-8000-000000000002', 'f',
        '{}', 'k', now());
    insert into messaging.channel_health (organization_id, channel_id)
    values ('00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000002');
    insert into messaging.doomed_files
    values ('00000000-0000-7000-8000-000000000001', sha256('a'), now(), null);
    insert into messaging.templates (organization_id, id, waba_id, name, language, category, category_at, parameter_format, status,
        status_at, definition, revision, created_at, updated_at)
    values ('00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000006', '2', 'n', 'en', 'utility', now(),
        'positional', 'draft', now(), '{}', 1, now(), now());
    insert into messaging.template_revisions
    values ('00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000006', 1, '{}', 'a', now());
    insert into messaging.template_syncs (organization_id, waba_id)
    values ('00000000-0000-7000-8000-000000000001', '2');
    insert into messaging.contacts
    values ('00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000003', 'Ada', now(), now());
    insert into messaging.contact_identities
    values ('00000000-0000-7000-8000-000000000001', 'phone', '49', '00000000-0000-7000-8000-000000000003', now());
    insert into messaging.contact_notes
    values ('00000000-0000-7000-8000-000000000001', gen_random_uuid(), '00000000-0000-7000-8000-000000000003', 'a', 'b',
        now(), now());
    insert into messaging.contact_merges (organization_id, id, kept_id, merged_id, reason, actor, moved, merged_at)
    values ('00000000-0000-7000-8000-000000000001', gen_random_uuid(), '00000000-0000-7000-8000-000000000003',
        '00000000-0000-7000-8000-000000000003', 'manual', 'a', '{}', now());
    insert into messaging.consents (organization_id, id, contact_id, purpose, granted, source, proof, actor, occurred_at,
        recorded_at)
    values ('00000000-0000-7000-8000-000000000001', gen_random_uuid(), '00000000-0000-7000-8000-000000000003',
        'marketing', false, 'keyword', '{}', 'a', now(), now());
    insert into messaging.attribute_definitions (organization_id, key, name, kind, position, created_at)
    values ('00000000-0000-7000-8000-000000000001', 'k', 'n', 'text', 0, now());
    insert into messaging.conversations (organization_id, id, channel_id, contact_id, last_message_at, created_at)
    values ('00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000004',
        '00000000-0000-7000-8000-000000000002', '00000000-0000-7000-8000-000000000003', now(), now());
    insert into messaging.messages (organization_id, id, conversation_id, channel_id, contact_id, direction, status,
        status_at, content, author, created_at, sent_at)
    select '00000000-0000-7000-8000-000000000001', id, '00000000-0000-7000-8000-000000000004',
        '00000000-0000-7000-8000-000000000002', '00000000-0000-7000-8000-000000000003', 1, 100, now(), '{}', 'contact',
        now(), now()
    from unnest(array['00000000-0000-7000-8000-000000000005', messaging.uuid_at(now())::uuid]) as id;
    insert into messaging.message_keys
    values ('00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000002', 'wamid.1',
        '00000000-0000-7000-8000-000000000005');
    insert into messaging.message_statuses
    values ('00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000002', 'wamid.1', 'sent', '', now(),
        null, null, true, now());
    insert into messaging.send_queue (organization_id, message_id, channel_id, conversation_id, priority, due_at, expires_at)
    values ('00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000005',
        '00000000-0000-7000-8000-000000000002', '00000000-0000-7000-8000-000000000004', 0, now(), now());
    insert into messaging.attempts (organization_id, id, message_id, channel_id, number, state, lane_epoch, started_at)
    values ('00000000-0000-7000-8000-000000000001', gen_random_uuid(), '00000000-0000-7000-8000-000000000005',
        '00000000-0000-7000-8000-000000000002', 1, 'sending', 1, now());
    insert into messaging.media (organization_id, id, direction, kind, state, created_at)
    values ('00000000-0000-7000-8000-000000000001', gen_random_uuid(), 'outbound', 'image', 'pending', now());
    insert into messaging.media_uploads
    values ('00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000002', sha256('x'), 'image/png',
        '1', now(), now());
    insert into messaging.agents values ('00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000009', true, now());
    insert into messaging.teams values ('00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000009', false, now());
    insert into messaging.team_agents values ('00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000009', '00000000-0000-7000-8000-000000000009');
    insert into messaging.labels values ('00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000009', 'VIP', '#000000', now());
    insert into messaging.conversation_labels values ('00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000004', '00000000-0000-7000-8000-000000000009');
    insert into messaging.conversation_participants values ('00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000004', '00000000-0000-7000-8000-000000000009', now());
    insert into messaging.conversation_reads values ('00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000004', '00000000-0000-7000-8000-000000000009', 1, now());
    insert into messaging.mentions values ('00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000009', '00000000-0000-7000-8000-000000000009', '00000000-0000-7000-8000-000000000004');
    insert into messaging.views values ('00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000009', '00000000-0000-7000-8000-000000000009', false, 'n', '{}', now(), now());
    insert into messaging.canned_replies values ('00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000009', 'hi', 't', 'b', now(), now());
";

use std::{collections::BTreeSet, time::Duration};

use auth::Role;
use proto::identity::v1::{
    AuditBreak, AuditBreakReason, AuditCheckpoint, AuditEntry, ExportAuditEntriesRequest,
    ExportAuditEntriesResponse, ExportedAuditEntry, ListAuditEntriesRequest,
    ListAuditEntriesResponse, VerifyAuditChainRequest, VerifyAuditChainResponse,
    audit_service_client::AuditServiceClient,
};
use sha2::{Digest, Sha256};
use tonic::{Code, Status, transport::Channel};

use crate::world::{World, as_caller, code};

fn client(world: &World) -> AuditServiceClient<Channel> {
    AuditServiceClient::new(world.channel.clone())
}

async fn list(
    world: &World,
    token: &str,
    request: ListAuditEntriesRequest,
) -> Result<ListAuditEntriesResponse, Status> {
    let answer = client(world)
        .list_audit_entries(as_caller(request, token))
        .await?;
    Ok(answer.into_inner())
}

async fn entries(world: &World, token: &str, request: ListAuditEntriesRequest) -> Vec<AuditEntry> {
    list(world, token, request).await.unwrap().entries
}

async fn export(world: &World, token: &str, size: u32, page: &str) -> ExportAuditEntriesResponse {
    let request = ExportAuditEntriesRequest {
        page_size: size,
        page_token: page.to_owned(),
    };
    client(world)
        .export_audit_entries(as_caller(request, token))
        .await
        .unwrap()
        .into_inner()
}

async fn verify(
    world: &World,
    token: &str,
    known: Option<AuditCheckpoint>,
) -> VerifyAuditChainResponse {
    let request = VerifyAuditChainRequest {
        known,
        ..VerifyAuditChainRequest::default()
    };
    client(world)
        .verify_audit_chain(as_caller(request, token))
        .await
        .unwrap()
        .into_inner()
}

async fn broken(world: &World, token: &str) -> Option<(u64, AuditBreakReason)> {
    let found = verify(world, token, None).await.first_break;
    found.map(|found: AuditBreak| (found.seq, found.reason()))
}

/// An owner with `keys` keys: an entry for the organization and one for the login, then one for each key.
async fn with_entries(world: &World, keys: usize) -> String {
    let owner = world.owner("ada@example.com").await;
    for _ in 0..keys {
        world.create_key(&owner, Role::Viewer, &[]).await.unwrap();
    }
    owner
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_begins_with_the_organization() {
    let world = World::start().await;
    let signed_up = world.sign_up("ada@example.com").await;
    let owner = signed_up.tokens.unwrap().access_token;
    let all = entries(&world, &owner, ListAuditEntriesRequest::default()).await;
    let first = all.last().unwrap();
    assert_eq!((&*first.action, first.seq), ("organization.created", 1));
    assert_eq!(first.target, signed_up.organization.unwrap().id);
    assert!(first.actor.contains(&signed_up.user.unwrap().id));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_says_who_did_what_to_what_and_is_narrowed_by_it() {
    let world = World::start().await;
    let signed_up = world.sign_up("ada@example.com").await;
    let owner = signed_up.tokens.unwrap().access_token;
    world.hand.advance(Duration::from_mins(1));
    let since = world.clock.now();
    let key = world.create_key(&owner, Role::Agent, &[]).await.unwrap();
    let key = key.api_key.unwrap();

    let all = entries(&world, &owner, ListAuditEntriesRequest::default()).await;
    let newest = &all[0];
    let actor = signed_up.user.unwrap().id;
    assert_eq!(
        (&*newest.action, &newest.target, newest.seq),
        ("api_key.created", &key.id, all.len() as u64)
    );
    assert!(newest.actor.contains(&actor), "{}", newest.actor);
    let after = serde_json::to_value(newest.after.clone().unwrap()).unwrap();
    assert_eq!(
        (&after["name"], &after["role"]),
        (&"shop".into(), &"agent".into())
    );
    assert!(newest.before.is_none());

    let none = ListAuditEntriesRequest::default;
    for (request, expected) in [
        (
            ListAuditEntriesRequest {
                action: "api_key.created".into(),
                ..none()
            },
            1,
        ),
        (
            ListAuditEntriesRequest {
                action: "api_key.revoked".into(),
                ..none()
            },
            0,
        ),
        (
            ListAuditEntriesRequest {
                target: key.id.clone(),
                ..none()
            },
            1,
        ),
        (
            ListAuditEntriesRequest {
                actor: newest.actor.clone(),
                ..none()
            },
            all.len(),
        ),
        (
            ListAuditEntriesRequest {
                actor: "usr_nobody".into(),
                ..none()
            },
            0,
        ),
        (
            ListAuditEntriesRequest {
                since: Some(since.into()),
                ..none()
            },
            1,
        ),
        (
            ListAuditEntriesRequest {
                until: Some(since.into()),
                ..none()
            },
            all.len() - 1,
        ),
    ] {
        let found = entries(&world, &owner, request.clone()).await;
        assert_eq!(found.len(), expected, "{request:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_follow_one_another_and_belong_to_their_conditions() {
    let world = World::start().await;
    let owner = with_entries(&world, 5).await;
    let (mut seqs, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = ListAuditEntriesRequest {
            page_size: 2,
            page_token,
            action: "api_key.created".into(),
            ..ListAuditEntriesRequest::default()
        };
        let page = list(&world, &owner, request).await.unwrap();
        assert!(page.entries.len() <= 2);
        seqs.extend(page.entries.iter().map(|entry| entry.seq));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
        let elsewhere = ListAuditEntriesRequest {
            page_token: page_token.clone(),
            ..ListAuditEntriesRequest::default()
        };
        let refused = list(&world, &owner, elsewhere).await.unwrap_err();
        assert_eq!(code(&refused), "request.page_token_invalid");
    }
    assert_eq!(seqs.len(), 5);
    assert!(seqs.windows(2).all(|two| two[0] > two[1]), "{seqs:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_is_for_admins_of_its_organization() {
    let world = World::start().await;
    with_entries(&world, 1).await;
    let stranger = world.owner("eve@example.com").await;
    let shown = entries(&world, &stranger, ListAuditEntriesRequest::default()).await;
    assert!(shown.iter().all(|entry| entry.action != "api_key.created"));
    assert!(export(&world, &stranger, 0, "").await.entries.len() == shown.len());

    let agent = world.member("bob@example.com", Role::Agent).await;
    let refused = list(&world, &agent, ListAuditEntriesRequest::default())
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
    let admin = world.member("amy@example.com", Role::Admin).await;
    assert_eq!(broken(&world, &admin).await, None);
}

fn hash(entry: &ExportedAuditEntry) -> Vec<u8> {
    Sha256::new()
        .chain_update(&entry.previous_hash)
        .chain_update(&entry.record)
        .finalize()
        .to_vec()
}

async fn exported(world: &World, token: &str) -> Vec<ExportedAuditEntry> {
    let (mut all, mut page) = (Vec::new(), String::new());
    loop {
        let answer = export(world, token, 2, &page).await;
        all.extend(answer.entries);
        page = answer.next_page_token;
        if page.is_empty() {
            return all;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_is_verified_without_us() {
    let world = World::start().await;
    let owner = with_entries(&world, 5).await;
    let all = exported(&world, &owner).await;
    let mut previous = vec![0; 32];
    for (position, entry) in all.iter().enumerate() {
        assert_eq!(entry.seq, position as u64 + 1);
        assert_eq!(entry.previous_hash, previous);
        assert_eq!(entry.hash, hash(entry));
        let record: serde_json::Value = serde_json::from_str(&entry.record).unwrap();
        assert_eq!(record[0], entry.seq);
        previous = entry.hash.clone();
    }
    let verified = verify(&world, &owner, None).await;
    assert_eq!(verified.checked, all.len() as u64);
    assert_eq!(verified.last.unwrap().hash, previous);
    assert!(verified.first_break.is_none() && verified.next_page_token.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_the_administrator_of_the_database_does_to_it_shows() {
    let world = World::start().await;
    let owner = with_entries(&world, 6).await;
    assert_eq!(broken(&world, &owner).await, None);
    let last = verify(&world, &owner, None).await.last.unwrap().seq;
    let tampered = [
        (
            "update identity.audit_entries set actor = 'usr_other' where seq = 3",
            (3, AuditBreakReason::Altered),
        ),
        (
            "update identity.audit_entries set after = '{\"name\": \"x\"}' where seq = 4",
            (4, AuditBreakReason::Altered),
        ),
        (
            "update identity.audit_entries set occurred_at = occurred_at + interval '1 second' where seq = 2",
            (2, AuditBreakReason::Altered),
        ),
        (
            "delete from identity.audit_entries where seq = 3",
            (3, AuditBreakReason::Removed),
        ),
        (
            "delete from identity.audit_entries where seq = 1",
            (1, AuditBreakReason::Removed),
        ),
        (
            "update identity.audit_entries set seq = 1000 where seq = 3;
          update identity.audit_entries set seq = 3 where seq = 4;
          update identity.audit_entries set seq = 4 where seq = 1000",
            (3, AuditBreakReason::Reordered),
        ),
        (
            "delete from identity.audit_entries where seq = (select max(seq) from identity.audit_entries)",
            (last, AuditBreakReason::Removed),
        ),
        (
            "update identity.audit_heads set seq = seq - 1",
            (last, AuditBreakReason::Added),
        ),
    ];
    for (statement, expected) in tampered {
        world
            .execute(
                "create table if not exists kept as select * from identity.audit_entries;
                      create table if not exists kept_heads as select * from identity.audit_heads",
            )
            .await;
        world.execute(statement).await;
        assert_eq!(broken(&world, &owner).await, Some(expected), "{statement}");
        world
            .execute("delete from identity.audit_entries; insert into identity.audit_entries select * from kept;
                      delete from identity.audit_heads; insert into identity.audit_heads select * from kept_heads")
            .await;
        assert_eq!(broken(&world, &owner).await, None, "put back");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chain_that_was_rewritten_whole_shows_to_whoever_kept_its_end() {
    let world = World::start().await;
    let owner = with_entries(&world, 4).await;
    let known = verify(&world, &owner, None).await.last.unwrap();

    world
        .execute("update identity.audit_entries set actor = 'usr_other' where seq = 2")
        .await;
    let mut previous = vec![0; 32];
    for mut entry in exported(&world, &owner).await {
        entry.previous_hash = previous;
        previous = hash(&entry);
        world
            .execute(&format!(
                "update identity.audit_entries set previous_hash = '\\x{}', hash = '\\x{}' where seq = {};
                 update identity.audit_heads set hash = '\\x{1}'",
                hex::encode(&entry.previous_hash),
                hex::encode(&previous),
                entry.seq
            ))
            .await;
    }
    assert_eq!(broken(&world, &owner).await, None, "sound in itself");
    let compared = verify(&world, &owner, Some(known.clone())).await;
    assert_eq!(compared.first_break.unwrap().seq, known.seq);

    let beyond = AuditCheckpoint {
        seq: known.seq + 1,
        hash: vec![1; 32],
    };
    let compared = verify(&world, &owner, Some(beyond)).await;
    assert_eq!(
        compared.first_break.unwrap().reason(),
        AuditBreakReason::Removed
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn entries_added_at_the_same_time_leave_no_gap() {
    let world = World::start().await;
    let owner = world.owner("ada@example.com").await;
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let (mut client, owner) = (world.client.clone(), owner.clone());
        tasks.spawn(async move {
            let request = proto::identity::v1::CreateApiKeyRequest {
                name: "shop".to_owned(),
                role: proto::identity::v1::Role::Viewer.into(),
                ..Default::default()
            };
            client
                .create_api_key(as_caller(request, &owner))
                .await
                .unwrap();
        });
    }
    tasks.join_all().await;
    let all = exported(&world, &owner).await;
    let seqs: BTreeSet<u64> = all.iter().map(|entry| entry.seq).collect();
    assert_eq!(seqs, (1..=all.len() as u64).collect());
    assert!(all.len() >= 17);
    assert_eq!(broken(&world, &owner).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_role_of_the_service_can_alter_or_remove_entries() {
    let world = World::start().await;
    with_entries(&world, 1).await;
    for role in ["identity_app", "identity_system"] {
        let mut login = world.db.login(role).await;
        for statement in [
            "update identity.audit_entries set actor = 'usr_other'",
            "delete from identity.audit_entries",
            "truncate identity.audit_entries",
        ] {
            let refused = sqlx::raw_sql(statement)
                .execute(&mut login)
                .await
                .unwrap_err();
            assert_eq!(
                refused.as_database_error().unwrap().code().unwrap(),
                "42501",
                "{role}: {statement}"
            );
        }
    }
}

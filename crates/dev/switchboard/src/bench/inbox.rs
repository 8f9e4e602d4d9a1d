//! What a team asks of its inbox all day, in a database that has been filled for years: each at 100 requests a second
//! through the gateway. And whether what comes in is stored as fast as on the first day.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, Result, ensure};
use ids::ConversationId;
use sqlx::types::Uuid;

use super::{
    Bench,
    figures::{grouped, milliseconds},
    load::{Plan, Write, send},
    pipeline::{self, Stored},
    report::{Row, Section},
    wire::Connection,
    world::World,
};

const RATE: u32 = 100;
const P99: Duration = Duration::from_millis(50);
/// How much slower the inbound pipeline may become.
const SLOWER: f64 = 1.2;
/// Messages of a webhook while the pipeline is measured.
const GATHERED: u64 = 10;
/// Conversations that are opened, in turn.
const OPENED: i64 = 500;

/// The paths that are asked in turn.
struct Question {
    what: &'static str,
    paths: Vec<String>,
}

/// Webhooks into the database as it is now.
pub(super) async fn store(bench: &Bench, world: &mut World) -> Result<Stored> {
    pipeline::store(bench, world, "first-day", 30, GATHERED).await
}

pub(super) async fn measure(bench: &Bench, world: &mut World, empty: &Stored) -> Result<Section> {
    let full = pipeline::store(bench, world, "later", 31, GATHERED).await?;
    let ratio = empty.rate / full.rate.max(f64::EPSILON);
    let slower = Row::ratio("inbound pipeline, empty to full database", ratio, SLOWER);
    let mut section = Section {
        rows: vec![full.spoil(empty.spoil(slower))],
        notes: vec![format!(
            "inbound pipeline: {}/s into the empty database, {}/s into the full one",
            grouped(empty.rate),
            grouped(full.rate)
        )],
    };
    let token = world.log_in().await?.token().to_owned();
    for question in questions(world).await? {
        ask(bench, world, &token, question, &mut section).await?;
    }
    Ok(section)
}

async fn questions(world: &mut World) -> Result<Vec<Question>> {
    let organization = world.tenant.organization_id.as_uuid();
    let ids: Vec<Uuid> = sqlx::query_scalar(
        "select id from messaging.conversations where organization_id = $1 order by md5(id::text) limit $2",
    )
    .bind(organization)
    .bind(OPENED)
    .fetch_all(world.meter.admin())
    .await
    .context("choose conversations")?;
    let open = ids
        .into_iter()
        .map(ConversationId::from_uuid)
        .flat_map(|id| {
            let conversation = format!("/v1/conversations/{id}");
            let messages = format!("{conversation}/messages?pageSize=50");
            [conversation, messages]
        });
    let lists = [
        "",
        "&status=CONVERSATION_STATUS_OPEN",
        "&status=CONVERSATION_STATUS_OPEN&assignee=nobody",
        "&assignee=me",
        "&unread=true",
    ];
    Ok(vec![
        Question {
            what: "lists of conversations",
            paths: lists
                .map(|filter| format!("/v1/conversations?pageSize=25{filter}"))
                .to_vec(),
        },
        Question {
            what: "conversations opened",
            paths: open.collect(),
        },
    ])
}

async fn ask(
    bench: &Bench,
    world: &World,
    token: &str,
    question: Question,
    section: &mut Section,
) -> Result<()> {
    let requests: Vec<String> = question
        .paths
        .iter()
        .map(|path| {
            format!(
                "GET {path} HTTP/1.1\r\nhost: {}\r\naccept: application/json\r\nauthorization: Bearer {token}\r\n\r\n",
                world.gateway
            )
        })
        .collect();
    check(world, &requests).await?;
    let write: Write = Arc::new(move |number, buffer| {
        let turn = usize::try_from(number).unwrap_or_default() % requests.len();
        buffer.extend_from_slice(requests[turn].as_bytes());
    });
    let mut outcome = None;
    for lasts in [bench.sizes.warm, bench.sizes.lasts] {
        let plan = Plan {
            address: world.gateway,
            connections: 16,
            rate: Some(RATE),
            count: u64::MAX,
            lasts,
        };
        outcome = Some(
            bench
                .generator
                .run(send(plan, Arc::clone(&write)))
                .await??,
        );
    }
    let mut outcome = outcome.context("nothing was asked")?;
    let path = format!("{} at {RATE}/s, full database, p99", question.what);
    let row = Row::time(path, outcome.latencies.p99(), P99);
    section
        .rows
        .push(row.spoiled_by(outcome.failed, outcome.failure.as_deref()));
    let p50 = milliseconds(outcome.latencies.p50());
    section
        .notes
        .push(format!("{} at {RATE}/s, p50: {p50}", question.what));
    Ok(())
}

/// The first of each kind is answered.
async fn check(world: &World, requests: &[String]) -> Result<()> {
    let mut connection = Connection::open(world.gateway)
        .await
        .context("connect to the gateway")?;
    for request in requests.iter().take(5) {
        let answer = connection
            .call(request.as_bytes())
            .await
            .context("ask the gateway")?;
        let line = request.lines().next().unwrap_or_default();
        ensure!(
            answer.status == 200,
            "{line} was answered {}",
            answer.status
        );
    }
    Ok(())
}

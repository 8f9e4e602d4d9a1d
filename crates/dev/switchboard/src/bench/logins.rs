//! What it costs to know who calls: verifying a token, deciding what its holder may do, and logging in.

use std::{hint::black_box, sync::Arc, time::Duration};

use anyhow::{Context, Result};
use async_trait::async_trait;
use auth::{
    Jwks, KeySource, KeySourceError, LIFETIME, Membership, News, Policy, Principal, Proof,
    RevocationSource, Revocations, RevocationsUnknown, Role, Scopes, TokenKey, Verifier, View,
};
use chrono::{DateTime, Utc};
use clock::Clock;
use ids::{OrganizationId, SessionId, UserId};
use proto::identity::v1::Jwk;
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use tokio::time::Instant;

use super::{
    Bench,
    figures::milliseconds,
    load::{Outcome, Plan, Write, send},
    report::{Row, Section},
    world::{EMAIL, PASSWORD, World},
};

const VERIFICATION: Duration = Duration::from_micros(30);
const DECISION: Duration = Duration::from_micros(20);
const LOGIN_P99: Duration = Duration::from_millis(400);
/// How much slower others may get while many log in.
const SLOWER: f64 = 2.0;

/// Members whose tokens are verified, and how often each after the first time.
const TOKENS: u32 = 2_000;
const ROUNDS: u32 = 10;
const ORGANIZATIONS: usize = 10_000;
/// Logins under way at once, and how fast new ones come.
const CROWD: usize = 200;
const CROWD_RATE: u32 = 100;

pub(super) async fn measure(bench: &Bench, world: &World) -> Result<Section> {
    let (first, again) = verify().await?;
    let deciding = decide().await?;
    let mut calm = log_in(bench, world, 4, Some(10), bench.sizes.lasts).await?;
    let login = Row::time(
        "password login at 10/s, p99",
        calm.latencies.p99(),
        LOGIN_P99,
    );

    let read = reading(world).await?;
    let mut alone = read_at(bench, world, &read).await?;
    // Open loop: a crowd does not wait for answers before it grows.
    let crowd = log_in(bench, world, CROWD, Some(CROWD_RATE), bench.sizes.lasts);
    let (crowd, beside) = tokio::try_join!(crowd, read_at(bench, world, &read))?;
    let mut beside = beside;
    let (alone_p99, beside_p99) = (alone.latencies.p99(), beside.latencies.p99());
    let ratio = beside_p99.as_secs_f64() / alone_p99.as_secs_f64().max(f64::EPSILON);
    let notes = vec![
        format!(
            "a login's wait, p50: {}; it is one argon2id hash of 46 MiB",
            milliseconds(calm.latencies.p50())
        ),
        format!(
            "reads beside {CROWD} logins at once: p99 {} instead of {}; {} logins were let in, {} told to come back",
            milliseconds(beside_p99),
            milliseconds(alone_p99),
            crowd.done,
            crowd.failed
        ),
    ];
    Ok(Section {
        rows: vec![
            Row::micros(
                "an access token verified in a service, shown before",
                again,
                VERIFICATION,
            ),
            // One Ed25519 verification is longer than the budget on most processors.
            Row::fact(
                "… shown for the first time",
                format!("{:.2} µs", first.as_secs_f64() * 1_000_000.0),
            ),
            Row::micros(
                "an access decision, 10,000 organizations with roles of their own",
                deciding,
                DECISION,
            ),
            login.spoiled_by(calm.failed, calm.failure.as_deref()),
            Row::ratio(
                "reads' p99 while 200 log in, to theirs alone",
                ratio,
                SLOWER,
            )
            .spoiled_by(beside.failed, beside.failure.as_deref()),
        ],
        notes,
    })
}

struct Known(Jwk);

#[async_trait]
impl KeySource for Known {
    async fn fetch(&self) -> Result<Vec<Jwk>, KeySourceError> {
        Ok(vec![self.0.clone()])
    }
}

#[async_trait]
impl RevocationSource for Known {
    async fn fetch(&self, _: Option<DateTime<Utc>>) -> Result<News, RevocationsUnknown> {
        Ok(News::default())
    }
}

/// Mean times of a verification: of a token that is shown for the first time, and of one that was shown before.
async fn verify() -> Result<(Duration, Duration)> {
    let (key, clock) = (TokenKey::generate(), Clock::system());
    let known = Arc::new(Known(key.jwk()));
    let verifier = Verifier::new(
        Jwks::new(known.clone(), clock.clone()),
        Revocations::new(known, clock.clone()),
        clock.clone(),
    );
    let tokens = (0..TOKENS)
        .map(|_| key.sign(&member(&clock, Scopes::All), clock.now(), LIFETIME))
        .collect::<Result<Vec<_>, _>>()
        .context("sign tokens")?;
    let first = verify_all(&verifier, &tokens, 1).await?;
    let again = verify_all(&verifier, &tokens, ROUNDS).await?;
    Ok((first, again))
}

async fn verify_all(verifier: &Verifier, tokens: &[SecretString], rounds: u32) -> Result<Duration> {
    let started = Instant::now();
    for _ in 0..rounds {
        for token in tokens {
            let caller = verifier.verify(token.expose_secret()).await;
            black_box(caller.context("verify")?);
        }
    }
    Ok(started.elapsed() / rounds / u32::try_from(tokens.len()).context("a small number")?)
}

/// The mean time of a decision about members whose roles are all different.
async fn decide() -> Result<Duration> {
    let policy = Policy::load().await.context("load the policy")?;
    let all: Vec<&str> = policy.of_role(Role::Admin).collect();
    let clock = Clock::system();
    let members: Vec<Principal> = (0..ORGANIZATIONS)
        .map(|number| {
            let chosen = all.iter().enumerate();
            let chosen = chosen.filter(|(position, _)| number >> (position % 14) & 1 == 1);
            let scopes = chosen.map(|(_, permission)| (*permission).to_owned());
            member(&clock, Scopes::Only(scopes.collect()))
        })
        .collect();
    let started = Instant::now();
    for member in &members {
        for permission in &all {
            black_box(policy.allows(member, permission));
        }
    }
    let decisions = u32::try_from(members.len() * all.len()).context("a small number")?;
    Ok(started.elapsed() / decisions)
}

fn member(clock: &Clock, scopes: Scopes) -> Principal {
    Principal::User {
        id: UserId::generate(),
        session_id: SessionId::generate(),
        member: Membership {
            organization_id: OrganizationId::generate(),
            role: match scopes {
                Scopes::All => Role::Admin,
                Scopes::Only(_) => Role::Custom,
            },
            scopes,
            view: View::default(),
        },
        proof: Proof {
            at: clock.now(),
            strong: true,
        },
    }
}

async fn log_in(
    bench: &Bench,
    world: &World,
    connections: usize,
    rate: Option<u32>,
    lasts: Duration,
) -> Result<Outcome> {
    let body = json!({ "email": EMAIL, "password": PASSWORD }).to_string();
    let request = format!(
        "POST /v1/sessions HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\naccept: application/json\r\n\
         content-length: {}\r\n\r\n{body}",
        world.gateway,
        body.len(),
    );
    run(bench, world, request, connections, rate, lasts).await
}

/// A read that has nothing to do with logins.
async fn reading(world: &World) -> Result<String> {
    Ok(format!(
        "GET /v1/conversations?pageSize=25 HTTP/1.1\r\nhost: {}\r\naccept: application/json\r\n\
         authorization: Bearer {}\r\n\r\n",
        world.gateway,
        world.log_in().await?.token(),
    ))
}

async fn read_at(bench: &Bench, world: &World, request: &str) -> Result<Outcome> {
    run(
        bench,
        world,
        request.to_owned(),
        8,
        Some(100),
        bench.sizes.lasts,
    )
    .await
}

async fn run(
    bench: &Bench,
    world: &World,
    request: String,
    connections: usize,
    rate: Option<u32>,
    lasts: Duration,
) -> Result<Outcome> {
    let plan = Plan {
        address: world.gateway,
        connections,
        rate,
        count: u64::MAX,
        lasts,
    };
    let write: Write = Arc::new(move |_, buffer| buffer.extend_from_slice(request.as_bytes()));
    bench.generator.run(send(plan, write)).await?
}

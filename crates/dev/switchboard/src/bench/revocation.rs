//! How long a session that was ended is still let in somewhere.

use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::json;
use tokio::time::Instant;

use super::{
    report::{Row, Section},
    world::World,
};
use crate::doors::Doors;

const BUDGET: Duration = Duration::from_secs(1);
/// Each ends somewhere else in the half second after which services ask.
const SESSIONS: u32 = 12;
const PAUSE: Duration = Duration::from_millis(5);
/// A service that never hears of it must not hold the figures up.
const PATIENCE: Duration = Duration::from_secs(10);

pub(super) async fn measure(world: &World) -> Result<Section> {
    let doors = Doors::of(&world.platform).await?;
    let mut waits = Vec::new();
    for _ in 0..SESSIONS {
        waits.push(revoke_one(world, &doors).await?);
    }
    waits.sort();
    let slowest = waits.last().copied().unwrap_or_default();
    Ok(Section {
        rows: vec![Row::time(
            format!(
                "a revoked session refused by gateway, identity and messaging, slowest of {SESSIONS}"
            ),
            slowest,
            BUDGET,
        )],
        notes: Vec::new(),
    })
}

/// The time from the answer to the revocation until nobody lets the session in.
async fn revoke_one(world: &World, doors: &Doors) -> Result<Duration> {
    let (doomed, staying) = (world.log_in().await?, world.log_in().await?);
    let open = doors.open_to(doomed.token()).await?;
    ensure!(open.len() == 3, "a session was not let in: {open:?}");
    let path = "/v1/sessions/revoke-others";
    staying.post(path, "revocation", &json!({})).await?;
    let revoked_at = Instant::now();
    while !doors.open_to(doomed.token()).await?.is_empty() {
        ensure!(
            revoked_at.elapsed() < PATIENCE,
            "a revoked session lives on"
        );
        tokio::time::sleep(PAUSE).await;
    }
    Ok(revoked_at.elapsed())
}

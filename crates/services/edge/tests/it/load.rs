//! How much the edge takes, on whatever machine and build this is. For a person to run and read:
//! `cargo nextest run -p edge --run-ignored only --no-capture`. The figures that count are those of `make bench`.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use futures::future;
use tokio::io::AsyncReadExt;

use crate::stage::{HOOK, SECRET, Stage, Wire, sign};

const CONNECTIONS: usize = 64;
const REQUESTS: usize = 20_000;

/// A text message as Meta sends it, more or less.
fn request(number: usize) -> Vec<u8> {
    let body = format!(
        r#"{{"object":"whatsapp_business_account","entry":[{{"id":"1","changes":[{{"field":"messages","value":{{"messaging_product":"whatsapp","metadata":{{"display_phone_number":"15550783881","phone_number_id":"106540352242922"}},"contacts":[{{"profile":{{"name":"Customer"}},"wa_id":"15550000000"}}],"messages":[{{"from":"15550000000","id":"wamid.{number:064}","timestamp":"1749416383","type":"text","text":{{"body":"Does it come in another color?"}}}}]}}}}]}}]}}"#
    );
    let signature = sign(SECRET, body.as_bytes());
    format!(
        "POST {HOOK} HTTP/1.1\r\nhost: edge\r\nx-hub-signature-256: {signature}\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement, not a test"]
async fn how_many_webhooks_a_second() {
    let stage = Stage::new().await;
    let running = stage.run().await;
    let requests: Vec<Vec<u8>> = (0..REQUESTS).map(request).collect();
    let next = AtomicUsize::new(0);
    let started = Instant::now();
    let connection = async || {
        let mut wire = Wire::open(running.http).await;
        let mut took = Vec::new();
        let mut answer = vec![0; 4096];
        while let Some(request) = requests.get(next.fetch_add(1, Ordering::Relaxed)) {
            let started = Instant::now();
            wire.write(request).await;
            let length = wire.0.read(&mut answer).await.expect("an answer");
            assert!(answer[..length].starts_with(b"HTTP/1.1 200"));
            took.push(started.elapsed());
        }
        took
    };
    let took = future::join_all((0..CONNECTIONS).map(|_| connection())).await;
    let elapsed = started.elapsed();
    let mut took: Vec<Duration> = took.concat();
    took.sort();
    let rate = took.len() as u128 * 1_000_000 / elapsed.as_micros();
    let percentile = |of: usize| took[took.len() * of / 100];
    println!(
        "{rate} webhooks/s over {CONNECTIONS} connections; p50 {:?}, p99 {:?}",
        percentile(50),
        percentile(99)
    );
    assert_eq!(stage.stored().await, (20_000, 20_000));
    running.stop().await;
}

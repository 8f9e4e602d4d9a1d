use std::time::{Duration, Instant};

use futures::future;
use tokio::io::AsyncWriteExt;

use crate::stage::{Running, SECRET, SOON, Stage, Wire, bodies, sign};

/// Connections of each kind.
const EACH: usize = 500;
/// The promise, and what a busy machine may add.
const CUT_OFF: Duration = Duration::from_secs(12);

/// Sends a byte each second until the connection is closed, and answers how long that took.
async fn drip(running: &Running, head: Option<String>) -> Duration {
    let started = Instant::now();
    let mut wire = Wire::open(running.http).await;
    let mut drops = format!(
        "POST /webhooks/whatsapp/default HTTP/1.1\r\nhost: edge\r\nx-fill: {}",
        "x".repeat(100)
    );
    if let Some(head) = head {
        wire.begin(&sign(SECRET, b"")).await;
        wire.write(head.as_bytes()).await;
        drops = "x".repeat(200);
    }
    let (mut reading, mut writing) = wire.0.into_split();
    let dripping = async {
        for byte in drops.bytes() {
            if writing.write_all(&[byte]).await.is_err() {
                break;
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    };
    let closed = async {
        let mut buffer = [0; 1024];
        while let Ok(1..) = tokio::io::AsyncReadExt::read(&mut reading, &mut buffer).await {}
    };
    tokio::select! {
        () = dripping => {}
        () = closed => {}
    }
    started.elapsed()
}

/// How long each of some good deliveries took, sorted. They are spread over as many beats of a clock.
async fn good(running: &Running, bodies: &[Vec<u8>]) -> Vec<Duration> {
    let mut waits = Vec::new();
    let mut beat = tokio::time::interval(Duration::from_millis(20));
    for body in bodies {
        beat.tick().await;
        let started = Instant::now();
        assert_eq!(running.deliver(body).await, 200);
        waits.push(started.elapsed());
    }
    waits.sort_unstable();
    waits
}

/// W-15
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_clients_are_cut_off_within_ten_seconds_and_good_ones_do_not_notice() {
    let mut stage = Stage::new().await;
    // All of them come from one address here, as do the good.
    stage.config.intake.max_unverified_per_address = 2 * EACH;
    let running = stage.run().await;
    let all = bodies(250);
    let (before, meanwhile) = all.split_at(50);
    let alone = good(&running, before).await;
    let headers = (0..EACH).map(|_| drip(&running, None));
    let bodies_slow =
        (0..EACH).map(|_| drip(&running, Some("content-length: 200\r\n\r\n".to_owned())));
    let slow = future::join(future::join_all(headers), future::join_all(bodies_slow));
    let both = future::join(slow, good(&running, meanwhile));
    let ((headers, bodies), crowded) = tokio::time::timeout(2 * SOON, both).await.expect("an end");
    for took in headers {
        assert!(took < CUT_OFF, "headers: {took:?}");
    }
    for took in bodies {
        // The lowest speed ends them long before the whole-body timeout would.
        assert!(took < Duration::from_secs(6), "bodies: {took:?}");
    }
    // Who waited behind the slow would lose seconds; the slow themselves, who run in this process too, cost some
    // milliseconds.
    let median = |waits: &[Duration]| waits[waits.len() / 2];
    assert!(
        median(&crowded) < 4 * median(&alone) + Duration::from_millis(50),
        "alone {alone:?}, meanwhile {crowded:?}"
    );
    assert_eq!(stage.stored().await, (250, 250));
    running.stop().await;
}

#[tokio::test]
async fn a_body_that_is_too_slow_is_told_so_and_the_connection_closed() {
    let stage = Stage::new().await;
    let running = stage.run().await;
    let mut wire = Wire::open(running.http).await;
    wire.begin(&sign(SECRET, b"{}")).await;
    wire.write(b"content-length: 2\r\n\r\n{").await;
    let answer = wire.read_to_end().await;
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    assert!(
        answer.to_lowercase().contains("connection: close"),
        "{answer}"
    );
    assert_eq!(stage.stored().await, (0, 0));
    running.stop().await;
}

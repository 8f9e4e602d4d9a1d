use std::time::{Duration, Instant};

use futures::future;
use tokio::io::AsyncWriteExt;

use crate::stage::{Running, SECRET, SOON, Stage, Wire, bodies, sign};

/// One connection of each kind.
const EACH: usize = 100;
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

/// W-15, with 200 sockets.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_clients_are_cut_off_within_ten_seconds_and_good_ones_do_not_notice() {
    let stage = Stage::new().await;
    let running = stage.run().await;
    let headers = (0..EACH).map(|_| drip(&running, None));
    let bodies_slow =
        (0..EACH).map(|_| drip(&running, Some("content-length: 200\r\n\r\n".to_owned())));
    let slow = future::join(future::join_all(headers), future::join_all(bodies_slow));
    let good = async {
        let mut waits = Vec::new();
        for body in bodies(200) {
            let started = Instant::now();
            assert_eq!(running.deliver(&body).await, 200);
            waits.push(started.elapsed());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        waits.sort_unstable();
        waits
    };
    let all = future::join(slow, good);
    let ((headers, bodies), waits) = tokio::time::timeout(2 * SOON, all).await.expect("an end");
    for took in headers {
        assert!(took < CUT_OFF, "headers: {took:?}");
    }
    for took in bodies {
        // The lowest speed ends them long before the whole-body timeout would.
        assert!(took < Duration::from_secs(6), "bodies: {took:?}");
    }
    // Waiting behind the slow would cost each of them seconds. What the machine does to one in a
    // hundred is for the bench to say.
    let median = waits[waits.len() / 2];
    assert!(median < Duration::from_secs(1), "{waits:?}");
    assert_eq!(stage.stored().await, (200, 200));
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

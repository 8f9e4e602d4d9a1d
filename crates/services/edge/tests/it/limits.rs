use std::{
    io::Write as _,
    time::{Duration, Instant},
};

use futures::{StreamExt, stream};
use testkit::eventually;
use tokio::io::AsyncWriteExt;

use crate::stage::{HOOK, SECRET, SOON, Stage, Wire, bodies, sign};

const MIB: usize = 1024 * 1024;

/// W-14.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_megabytes_are_accepted_and_a_byte_over_four_mebibytes_is_refused() {
    let stage = Stage::new().await;
    let running = stage.run().await;
    assert_eq!(running.deliver(&vec![b'x'; 3_000_000]).await, 200);
    assert_eq!(running.deliver(&vec![b'y'; 4 * MIB]).await, 200);
    assert_eq!(stage.stored().await, (2, 2));

    let body = vec![b'z'; 4 * MIB + 1];
    let mut wire = Wire::open(running.http).await;
    wire.begin(&sign(SECRET, &body)).await;
    let length = format!("content-length: {}\r\n\r\n", body.len());
    wire.write(length.as_bytes()).await;
    // The answer does not wait for the body, and the connection may close before all is written.
    let _refused = wire.0.write_all(&body).await;
    let answer = wire.read_to_end().await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    assert!(answer.contains(r#""code":"request.too_large""#), "{answer}");
    assert_eq!(stage.stored().await, (2, 2));
    running.stop().await;
}

/// W-14.
#[tokio::test]
async fn a_monstrous_length_is_refused_at_once_and_unread() {
    let stage = Stage::new().await;
    let running = stage.run().await;
    let mut wire = Wire::open(running.http).await;
    wire.begin(&sign(SECRET, b"")).await;
    let started = Instant::now();
    wire.write(b"content-length: 99999999999\r\n\r\n").await;
    assert_eq!(wire.status().await, "413");
    assert!(
        started.elapsed() < Duration::from_secs(1),
        "{:?}",
        started.elapsed()
    );
    running.stop().await;
}

/// W-14.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_endless_body_in_chunks_is_refused_at_the_limit() {
    let stage = Stage::new().await;
    let running = stage.run().await;
    let mut wire = Wire::open(running.http).await;
    wire.begin(&sign(SECRET, b"")).await;
    wire.write(b"transfer-encoding: chunked\r\n\r\n").await;
    let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x10000)).into_bytes();
    let (mut reading, mut writing) = wire.0.into_split();
    let endless = async {
        let mut sent = 0;
        while tokio::io::AsyncWriteExt::write_all(&mut writing, &chunk)
            .await
            .is_ok()
        {
            sent += 0x10000;
        }
        sent
    };
    let answer = async {
        let mut line = [0; 12];
        tokio::io::AsyncReadExt::read_exact(&mut reading, &mut line)
            .await
            .expect("an answer");
        line
    };
    let both = async { tokio::join!(endless, answer) };
    let (sent, line) = tokio::time::timeout(SOON, both).await.expect("an end");
    assert_eq!(&line, b"HTTP/1.1 413");
    // What the kernel's buffers of both sides hold comes on top of the limit.
    assert!(sent < 16 * MIB, "{sent} bytes were taken");
    assert_eq!(stage.stored().await, (0, 0));
    running.stop().await;
}

/// W-16.
#[tokio::test]
async fn a_compressed_body_is_refused_and_never_opened() {
    let stage = Stage::new().await;
    let running = stage.run().await;
    let bomb = vec![0x1f; 64 * 1024];
    for encoding in ["gzip", "br", "deflate", "zstd", "identity, gzip"] {
        let request = running
            .post(HOOK, bomb.clone())
            .header("content-encoding", encoding);
        let request = request.header("x-hub-signature-256", sign(SECRET, &bomb));
        let answer = request.send().await.expect("an answer");
        assert_eq!(answer.status(), 415, "{encoding}");
        let problem: serde_json::Value = answer.json().await.expect("JSON");
        assert_eq!(problem["code"], "webhook.encoding_unsupported");
    }
    assert_eq!(stage.stored().await, (0, 0));
    running.stop().await;
}

/// Ten megabytes that are ten gigabytes: members of a gzip file may follow each other.
struct Bomb {
    member: Vec<u8>,
    members: usize,
}

impl Bomb {
    fn new() -> Self {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        packer.write_all(&vec![0; 16 * MIB]).expect("pack");
        let member = packer.finish().expect("pack");
        Self {
            member,
            members: 640,
        }
    }

    fn len(&self) -> usize {
        self.member.len() * self.members
    }
}

/// The memory of this process, in bytes.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("our status");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes = line.and_then(|line| line.trim().strip_suffix(" kB"));
    let kibibytes: usize = kibibytes.expect("a size").trim().parse().expect("a number");
    kibibytes * 1024
}

/// W-16
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bomb_costs_no_memory() {
    let stage = Stage::new().await;
    let running = stage.run().await;
    let bomb = Bomb::new();
    assert!(bomb.len() > 9 * MIB, "{} bytes", bomb.len());
    // Other tests may run in this process and grow meanwhile.
    let mut growth = Vec::new();
    for _ in 0..5 {
        let before = resident();
        let mut wire = Wire::open(running.http).await;
        wire.begin(&sign(SECRET, b"")).await;
        let head = format!(
            "content-encoding: gzip\r\ncontent-length: {}\r\n\r\n",
            bomb.len()
        );
        wire.write(head.as_bytes()).await;
        for _ in 0..bomb.members {
            // The answer does not wait for the body, and the connection may close before all is written.
            if wire.0.write_all(&bomb.member).await.is_err() {
                break;
            }
        }
        let answer = wire.read_to_end().await;
        assert!(answer.starts_with("HTTP/1.1 415"), "{answer}");
        growth.push(resident().saturating_sub(before));
    }
    let least = growth.iter().min().expect("five");
    assert!(*least < 5 * MIB, "{growth:?}");
    assert_eq!(stage.stored().await, (0, 0));
    running.stop().await;
}

#[tokio::test]
async fn strangers_beyond_the_limit_are_turned_away_until_one_leaves() {
    let mut stage = Stage::new().await;
    stage.config.intake.max_unverified_per_address = 2;
    let running = stage.run().await;
    let mut strangers = Vec::new();
    for _ in 0..2 {
        let mut wire = Wire::open(running.http).await;
        wire.begin(&sign(SECRET, b"{}")).await;
        wire.write(b"content-length: 2\r\n\r\n{").await;
        strangers.push(wire);
    }
    eventually(SOON, || async { running.deliver(b"[]").await == 503 }).await;
    let answer = running
        .deliver_signed(HOOK, b"[]", &sign(SECRET, b"[]"))
        .await;
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["retry-after"]),
        (503, &"1".parse().expect("a header"))
    );
    // One finishes its body, the other goes away.
    strangers[0].write(b"}").await;
    assert_eq!(strangers[0].status().await, "200");
    drop(strangers);
    eventually(SOON, || async { running.deliver(b"[]").await == 200 }).await;
    running.stop().await;
}

#[tokio::test]
async fn the_limit_of_an_address_behind_our_proxy_is_the_clients_own() {
    let mut stage = Stage::new().await;
    stage.config.intake.max_unverified_per_address = 1;
    stage.config.intake.trusted_proxies = vec!["127.0.0.0/8".parse().expect("a network")];
    let running = stage.run().await;
    let mut wire = Wire::open(running.http).await;
    wire.write(
        b"POST /webhooks/whatsapp/default HTTP/1.1\r\nhost: edge\r\nx-forwarded-for: 192.0.2.1\r\n",
    )
    .await;
    wire.write(
        format!(
            "x-hub-signature-256: {}\r\ncontent-length: 2\r\n\r\n{{",
            sign(SECRET, b"{}")
        )
        .as_bytes(),
    )
    .await;
    let from = async |client: &'static str, body: &'static str| {
        let request = running
            .post(HOOK, body)
            .header("x-hub-signature-256", sign(SECRET, body.as_bytes()));
        let answer = request
            .header("x-forwarded-for", client)
            .send()
            .await
            .expect("an answer");
        answer.status().as_u16()
    };
    eventually(SOON, || async { from("192.0.2.1", "1").await == 503 }).await;
    assert_eq!(from("192.0.2.2", "2").await, 200);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_than_the_queue_holds_is_refused_at_once_and_what_waits_too_long_is_not_stored() {
    let mut stage = Stage::new().await;
    stage.config.intake.queue = 4;
    stage.config.intake.writers = 1;
    stage.config.intake.batch_max = 1;
    stage.config.intake.answer_timeout_ms = 1_500;
    let running = stage.run().await;
    let blockade = stage.block_storing().await;
    let all = bodies(20);
    let timed = stream::iter(&all).map(|body| async {
        let started = Instant::now();
        (running.deliver(body).await, started.elapsed())
    });
    let timed: Vec<(u16, Duration)> = timed.buffer_unordered(20).collect().await;
    assert!(timed.iter().all(|(status, _)| *status == 503), "{timed:?}");
    let at_once = timed
        .iter()
        .filter(|(_, took)| *took < Duration::from_secs(1))
        .count();
    assert!(
        at_once >= 10,
        "at most the queue and one of the writer wait: {timed:?}"
    );
    assert!(
        timed.iter().all(|(_, took)| *took < Duration::from_secs(4)),
        "{timed:?}"
    );
    blockade.release().await;
    // The one writer takes them in order: with this one stored, it has seen all that waited. One more at most had been
    // taken up when its sender's time was over.
    eventually(SOON, || async { running.deliver(b"after").await == 200 }).await;
    let (receipts, events) = stage.stored().await;
    assert!(
        receipts == events && (1..=2).contains(&receipts),
        "{receipts}"
    );
    // Whoever was told 503 comes again.
    let again = || async {
        running
            .deliver_all(&all, 4)
            .await
            .iter()
            .all(|status| *status == 200)
    };
    eventually(SOON, again).await;
    assert_eq!(stage.stored().await, (21, 21));
    running.stop().await;
}

//! A name server on loopback that answers with the TXT records that a test gives it.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use tokio::{net::UdpSocket, task::JoinSet};

type Records = Arc<Mutex<BTreeMap<String, Vec<String>>>>;

pub(crate) struct NameServer {
    pub(crate) address: SocketAddr,
    records: Records,
    _tasks: JoinSet<()>,
}

impl NameServer {
    pub(crate) async fn start() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        let records = Records::default();
        let mut tasks = JoinSet::new();
        tasks.spawn(serve(socket, Arc::clone(&records)));
        Self {
            address,
            records,
            _tasks: tasks,
        }
    }

    /// Beside what is there.
    pub(crate) fn publish(&self, name: &str, text: &str) {
        let mut records = self.records.lock().unwrap();
        let texts = records.entry(name.to_owned()).or_default();
        texts.push(text.to_owned());
    }

    pub(crate) fn withdraw(&self, name: &str, text: &str) {
        let mut records = self.records.lock().unwrap();
        records.get_mut(name).unwrap().retain(|one| one != text);
    }
}

async fn serve(socket: UdpSocket, records: Records) {
    let mut buffer = [0; 1_500];
    while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
        let answer = answer(&buffer[..length], &records);
        socket.send_to(&answer, from).await.unwrap();
    }
}

/// RFC 1035 section 4.1, for one question.
fn answer(query: &[u8], records: &Records) -> Vec<u8> {
    let (name, end) = question(query);
    let found = records
        .lock()
        .unwrap()
        .get(&name)
        .cloned()
        .unwrap_or_default();
    let mut message = query[..2].to_vec();
    // An authoritative answer; without a record there is no such name.
    message.extend([0x84, if found.is_empty() { 3 } else { 0 }]);
    message.extend([0, 1, 0, u8::try_from(found.len()).unwrap(), 0, 0, 0, 0]);
    message.extend(&query[12..end]);
    for text in found {
        let length = u8::try_from(text.len()).unwrap();
        // The name of the question, TXT, IN, a TTL of a minute.
        message.extend([0xc0, 12, 0, 16, 0, 1, 0, 0, 0, 60, 0, length + 1, length]);
        message.extend(text.as_bytes());
    }
    message
}

/// The name, and where the question ends.
fn question(query: &[u8]) -> (String, usize) {
    let mut labels = Vec::new();
    let mut at = 12;
    while query[at] != 0 {
        let length = usize::from(query[at]);
        let label = &query[at + 1..=at + length];
        labels.push(String::from_utf8_lossy(label).to_lowercase());
        at += length + 1;
    }
    (labels.join("."), at + 5)
}

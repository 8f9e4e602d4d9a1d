//! The example program as a process of its own.

use std::{
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    thread,
};

use serde_json::Value;

use super::eventually;

/// What the program needs to start at all.
pub(crate) const RIGHT: [(&str, &str); 5] = [
    ("SWITCHBOARD_ENV", "development"),
    ("LOG_FORMAT", "json"),
    ("HELLO__TOKEN", "hunter2"),
    ("HELLO__HTTP__LISTEN", "127.0.0.1:0"),
    ("HELLO__ADMIN__LISTEN", "127.0.0.1:0"),
];

fn program() -> PathBuf {
    let test = std::env::current_exe().expect("tests know their path");
    let target = test.ancestors().nth(2).expect("tests lie in target/…/deps");
    target.join("examples/hello")
}

fn command(arguments: &[&str], variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(program());
    command
        .args(arguments)
        .env_clear()
        .envs(variables.iter().copied())
        .stdin(Stdio::null());
    command
}

/// What a program that ends by itself leaves: exit code, standard output, standard error.
pub(crate) fn run(arguments: &[&str], variables: &[(&str, &str)]) -> (i32, String, String) {
    let output = command(arguments, variables)
        .output()
        .expect("start the program");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    let code = output.status.code().expect("not killed");
    (code, text(output.stdout), text(output.stderr))
}

/// A running program and what it has logged so far. Killed when dropped.
pub(crate) struct Process {
    child: Child,
    lines: Arc<Mutex<Vec<Value>>>,
}

impl Process {
    /// Starts `hello serve` with further variables and waits until it serves.
    pub(crate) async fn serve(more: &[(&str, &str)]) -> Self {
        let process = Self::start(more);
        eventually("the service has started", || async {
            process.find("service started").is_some()
        })
        .await;
        process
    }

    pub(crate) fn start(more: &[(&str, &str)]) -> Self {
        let variables = [&RIGHT[..], more].concat();
        let mut child = command(&["serve"], &variables)
            .stdout(Stdio::piped())
            .spawn()
            .expect("start the program");
        let output = child.stdout.take().expect("piped");
        let lines = Arc::new(Mutex::new(Vec::new()));
        let read = Arc::clone(&lines);
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                let line = serde_json::from_str(&line).expect("every line is JSON");
                read.lock().expect("not poisoned").push(line);
            }
        });
        Self { child, lines }
    }

    pub(crate) fn lines(&self) -> Vec<Value> {
        self.lines.lock().expect("not poisoned").clone()
    }

    /// The first line with this message.
    pub(crate) fn find(&self, message: &str) -> Option<Value> {
        self.lines()
            .into_iter()
            .find(|line| line["message"] == message)
    }

    pub(crate) fn address(&self) -> SocketAddr {
        let line = self.find("service started").expect("it has started");
        let text = line["http"].as_str().expect("it serves HTTP");
        text.parse().expect("an address")
    }

    pub(crate) fn admin(&self) -> String {
        let line = self.find("probes and metrics").expect("it has started");
        line["admin"]
            .as_str()
            .expect("it has an admin server")
            .to_owned()
    }

    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &id]).status();
        assert!(sent.expect("run kill").success());
    }

    /// Waits for its end and gives the exit code.
    pub(crate) async fn end(&mut self) -> i32 {
        let mut code = None;
        eventually("the process ends", || {
            let status = self.child.try_wait().expect("ask for its status");
            code = status.map(|status| status.code().expect("not killed"));
            std::future::ready(code.is_some())
        })
        .await;
        code.expect("it has ended")
    }

    /// Memory in use, in bytes.
    pub(crate) fn resident(&self) -> u64 {
        let path = format!("/proc/{}/status", self.child.id());
        let status = std::fs::read_to_string(path).expect("it is alive");
        let line = status.lines().find(|line| line.starts_with("VmRSS:"));
        let kilobytes = line.and_then(|line| line.split_whitespace().nth(1));
        kilobytes
            .expect("a number")
            .parse::<u64>()
            .expect("a number")
            * 1024
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It has usually ended by now.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

//! How much memory each service takes when it has nothing to do, and how soon it is ready: the real
//! programs, each a process of its own, configured by the environment.

use std::{
    io::Read,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use secrecy::ExposeSecret;
use tokio::time::{Instant, timeout};

use super::{
    Bench, PATIENCE,
    report::{Row, Section},
    scratch::Scratch,
    wire::Connection,
};
use crate::{
    backing::Backing,
    platform::{self, APP, APP_SECRET, VERIFY_TOKEN},
};

const ONE: u32 = 40;
const ALL: u32 = 250;
const START: Duration = Duration::from_secs(2);
/// Between two questions whether a service is ready.
const LOOK: Duration = Duration::from_millis(5);
/// Any 32 characters: the processes talk to each other only.
const SECRET: &str = "only-processes-of-this-run-use-it";

/// Those that others ask at their start come first.
const SERVICES: [&str; 7] = [
    "identity",
    "messaging",
    "edge",
    "billing",
    "ai",
    "crm-sync",
    "gateway",
];

pub(super) async fn measure(bench: &Bench, scratch: &Scratch) -> Result<Section> {
    let folder = folder()?;
    let missing: Vec<&str> = SERVICES
        .into_iter()
        .filter(|name| !folder.join(name).exists())
        .collect();
    if !missing.is_empty() {
        let words = format!("not built: {}; use `make bench`", missing.join(", "));
        let rows = vec![Row::fact("memory and start of each service", words)];
        return Ok(Section {
            rows,
            notes: Vec::new(),
        });
    }
    platform::migrate(&scratch.backing).await?;
    let ports = Ports::find()?;
    let mut running = Vec::new();
    for (position, name) in SERVICES.into_iter().enumerate() {
        let variables = variables(bench, &scratch.backing, &ports, position, name)?;
        let program = Program::start(&folder.join(name), name, variables, ports.admin(position))?;
        running.push(program.ready().await?);
    }
    tokio::time::sleep(bench.sizes.settle).await;

    let (mut section, mut sum) = (Section::default(), 0.0);
    let mut starts = Vec::new();
    for Ready { program, took } in &running {
        let megabytes = program.resident_megabytes()?;
        sum += megabytes;
        let path = format!("memory of {}, idle", program.name);
        section.rows.push(Row::memory(path, megabytes, ONE));
        starts.push(Row::time(
            format!("{}, start to ready", program.name),
            *took,
            START,
        ));
    }
    section
        .rows
        .push(Row::memory("memory of all seven, idle", sum, ALL));
    section.rows.extend(starts);
    Ok(section)
}

/// Where the services' programs are: beside ours.
fn folder() -> Result<PathBuf> {
    let own = std::env::current_exe().context("find our own program")?;
    Ok(own.parent().context("a program is in a folder")?.to_owned())
}

/// Three free ports for each service.
#[derive(Debug)]
struct Ports(Vec<u16>);

impl Ports {
    fn find() -> Result<Self> {
        // All at once, so that none is found twice. They are free again when this returns.
        let listeners: Vec<TcpListener> = (0..SERVICES.len() * 3)
            .map(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))
            .collect::<Result<_, _>>()
            .context("find free ports")?;
        let ports = listeners
            .iter()
            .map(|listener| Ok(listener.local_addr()?.port()));
        Ok(Self(ports.collect::<Result<_>>()?))
    }

    fn at(&self, service: usize, which: usize) -> SocketAddr {
        let port = self.0.get(service * 3 + which).copied().unwrap_or(0);
        SocketAddr::from((Ipv4Addr::LOCALHOST, port))
    }

    fn admin(&self, service: usize) -> SocketAddr {
        self.at(service, 2)
    }

    fn grpc_of(&self, name: &str) -> String {
        let service = SERVICES
            .iter()
            .position(|known| *known == name)
            .unwrap_or(0);
        format!("http://{}", self.at(service, 1))
    }
}

type Variables = Vec<(String, String)>;

fn variables(
    bench: &Bench,
    backing: &Backing,
    ports: &Ports,
    position: usize,
    name: &str,
) -> Result<Variables> {
    let prefix = name.to_uppercase().replace('-', "_");
    let mut variables = vec![
        ("SWITCHBOARD_ENV".to_owned(), "development".to_owned()),
        ("RUST_LOG".to_owned(), "warn".to_owned()),
    ];
    let mut set = |key: &str, value: String| variables.push((format!("{prefix}__{key}"), value));
    let served = if matches!(name, "gateway" | "edge") {
        ("HTTP", 0)
    } else {
        ("GRPC", 1)
    };
    for (server, which) in [served, ("ADMIN", 2)] {
        set(
            &format!("{server}__LISTEN"),
            ports.at(position, which).to_string(),
        );
    }
    let key_path = bench.options.key_path.display().to_string();
    if matches!(name, "identity" | "messaging" | "edge") {
        let db = backing.db(name)?;
        set("DB__URL", db.url.expose_secret().to_owned());
        set("DB__SYSTEM_URL", db.system_url.expose_secret().to_owned());
        set("BUS__URL", backing.amqp_url.expose_secret().to_owned());
    }
    match name {
        "identity" => {
            set("VAULT__KEY_PATH", key_path);
            set("SERVICE_CLIENTS__GATEWAY", SECRET.to_owned());
        }
        "messaging" => {
            set("VAULT__KEY_PATH", key_path);
            set("IDENTITY__URL", ports.grpc_of("identity"));
            set("WHATSAPP__CALLBACK_SECRET", SECRET.to_owned());
            let files = ports.at(position, 0);
            let files_path = bench.options.files_path().display().to_string();
            set("HTTP__LISTEN", files.to_string());
            set("MEDIA__STORE__PATH", files_path);
            set("MEDIA__PUBLIC_URL", format!("http://{files}"));
            set("MEDIA__LINK_SECRET", SECRET.to_owned());
        }
        "edge" => {
            let app = format!("WHATSAPP__APPS__{}", APP.to_uppercase());
            set(&format!("{app}__SECRETS"), APP_SECRET.to_owned());
            set(&format!("{app}__VERIFY_TOKEN"), VERIFY_TOKEN.to_owned());
        }
        "gateway" => {
            set("IDENTITY__URL", ports.grpc_of("identity"));
            set("MESSAGING__URL", ports.grpc_of("messaging"));
            set("CLIENT__ID", "gateway".to_owned());
            set("CLIENT__SECRET", SECRET.to_owned());
        }
        _ => {}
    }
    Ok(variables)
}

/// A service's process. It ends when this is dropped.
#[derive(Debug)]
struct Program {
    name: &'static str,
    child: Child,
    admin: SocketAddr,
    started: Instant,
}

#[derive(Debug)]
struct Ready {
    program: Program,
    took: Duration,
}

impl Program {
    fn start(
        path: &Path,
        name: &'static str,
        variables: Variables,
        admin: SocketAddr,
    ) -> Result<Self> {
        let started = Instant::now();
        let child = Command::new(path)
            .arg("serve")
            .env_clear()
            .envs(variables)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("start {name}"))?;
        Ok(Self {
            name,
            child,
            admin,
            started,
        })
    }

    /// Waits until it says that it is ready.
    async fn ready(mut self) -> Result<Ready> {
        let request = format!("GET /readyz HTTP/1.1\r\nhost: {}\r\n\r\n", self.admin);
        while self.started.elapsed() < PATIENCE {
            if let Some(status) = self.child.try_wait().context("look after a process")? {
                let words = self.last_words();
                bail!("{} ended: {status}: {words}", self.name);
            }
            let asking = async {
                let mut connection = Connection::open(self.admin).await.ok()?;
                connection.call(request.as_bytes()).await.ok()
            };
            let answer = timeout(PATIENCE, asking).await.ok().flatten();
            if answer.is_some_and(|answer| answer.status == 200) {
                let took = self.started.elapsed();
                return Ok(Ready {
                    program: self,
                    took,
                });
            }
            tokio::time::sleep(LOOK).await;
        }
        bail!("{} is not ready after {} s", self.name, PATIENCE.as_secs())
    }

    fn last_words(&mut self) -> String {
        let mut words = String::new();
        if let Some(stderr) = &mut self.child.stderr {
            // What can't be read is not told; that the process ended is.
            let _read = stderr.read_to_string(&mut words);
        }
        words
    }

    fn resident_megabytes(&self) -> Result<f64> {
        let path = format!("/proc/{}/status", self.child.id());
        let status = std::fs::read_to_string(path).context("read a process's status")?;
        resident_megabytes(&status).with_context(|| format!("memory of {}", self.name))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended by itself; either way nothing is left to do.
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// `VmRSS:     12345 kB`
fn resident_megabytes(status: &str) -> Option<f64> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u32 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(f64::from(kilobytes) * 1_024.0 / 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_what_the_kernel_counts_as_resident() {
        let status = "Name:\tedge\nVmPeak:\t  200000 kB\nVmRSS:\t   10000 kB\nThreads:\t4\n";
        let megabytes = resident_megabytes(status).expect("a figure");
        assert!((megabytes - 10.24).abs() < 0.001);
        assert_eq!(resident_megabytes("Name:\tedge\n"), None);
    }

    #[test]
    fn every_service_has_three_ports_of_its_own() {
        let ports = Ports::find().expect("ports");
        let all: std::collections::HashSet<_> = (0..SERVICES.len())
            .flat_map(|service| (0..3).map(move |which| (service, which)))
            .map(|(service, which)| ports.at(service, which))
            .collect();
        assert_eq!(all.len(), 21);
        let identity = format!("http://{}", ports.at(0, 1));
        assert_eq!(ports.grpc_of("identity"), identity);
    }
}

use std::net::{Ipv4Addr, SocketAddr};

use crate::{meta::Settings, resend};

/// How a [`Sandbox`](crate::Sandbox) is started.
#[derive(Clone, Debug)]
pub struct SandboxConfig {
    /// Where the providers listen. Port 0 takes a free one.
    pub listen: SocketAddr,
    /// Where the control API listens. `None`: on the same address, under `/_sandbox`.
    pub control_listen: Option<SocketAddr>,
    /// The control API has no password, so anything but a loopback address is refused without this.
    pub allow_remote: bool,
    /// What URLs handed out (media downloads) begin with, when it isn't the listening address.
    /// No trailing slash.
    pub public_url: Option<String>,
    /// Makes ids and delays repeatable. `None`: different at every start.
    pub seed: Option<u64>,
    /// Timing, limits and webhook policy of Meta at start; can be changed while running.
    pub settings: Settings,
    /// The same for Resend.
    pub resend: resend::Settings,
    /// Most entries kept in each list of the ledger (a tenth of it for webhook deliveries, which are
    /// bigger). Older ones go; the counters stay exact. A send takes about 1 kB.
    pub ledger_capacity: usize,
    /// Whether the ledger keeps request bodies. Load tests save memory without.
    pub ledger_bodies: bool,
    /// Most bytes of media kept. The oldest files go first.
    pub media_capacity_bytes: usize,
}

impl Default for SandboxConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            control_listen: None,
            allow_remote: false,
            public_url: None,
            seed: None,
            settings: Settings::default(),
            resend: resend::Settings::default(),
            ledger_capacity: 200_000,
            ledger_bodies: true,
            media_capacity_bytes: 256 << 20,
        }
    }
}

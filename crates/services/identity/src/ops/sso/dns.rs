//! TXT records.

use std::{fmt, net::SocketAddr, time::Duration};

use hickory_resolver::{
    TokioResolver,
    config::{NameServerConfig, ResolverConfig},
    net::{NetError, runtime::TokioRuntimeProvider},
    proto::rr::RData,
};

/// Of one question to one server.
const TIMEOUT: Duration = Duration::from_millis(1_500);
const ATTEMPTS: usize = 2;

/// Asks name servers. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Dns(TokioResolver);

impl fmt::Debug for Dns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Dns")
    }
}

impl Dns {
    /// Asks `server`, or whom the system asks.
    pub(crate) fn open(server: Option<SocketAddr>) -> Result<Self, NetError> {
        let mut builder = match server {
            Some(address) => {
                let mut server = NameServerConfig::udp_and_tcp(address.ip());
                for connection in &mut server.connections {
                    connection.port = address.port();
                }
                let config = ResolverConfig::from_name_servers(vec![server]);
                TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
            }
            None => TokioResolver::builder_tokio()?,
        };
        let options = builder.options_mut();
        options.timeout = TIMEOUT;
        options.attempts = ATTEMPTS;
        // Whoever just published a record must not be told that a moment ago there was none.
        options.cache_size = 0;
        Ok(Self(builder.build()?))
    }

    /// The texts at a name; none when there is no such name or record.
    ///
    /// # Errors
    /// When no server answered.
    pub(crate) async fn texts(&self, name: &str) -> Result<Vec<String>, NetError> {
        // With a dot at the end no search domain is tried.
        let found = match self.0.txt_lookup(format!("{name}.")).await {
            Ok(found) => found,
            Err(error) if error.is_no_records_found() => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let text = |data: &RData| match data {
            // A long text comes in pieces.
            RData::TXT(txt) => Some(String::from_utf8_lossy(&txt.txt_data.concat()).into_owned()),
            _ => None,
        };
        Ok(found
            .answers()
            .iter()
            .filter_map(|record| text(&record.data))
            .collect())
    }
}

//! What every lane of this replica shares.

use clock::{Clock, Jitter};
use db::{DataKeys, Db};
use ids::{ChannelId, TenantScope};
use secrecy::SecretString;
use vault::{Owner, Place, Purpose, Vault};
use whatsapp::{CallbackKey, Client};

use crate::{error::Error, media::Files, store::routes::Route};

/// What channel tokens are sealed for.
const TOKEN: Purpose = Purpose::new("whatsapp-token");

/// Database, vault and WhatsApp client of this replica.
#[derive(Debug, Clone)]
pub(crate) struct Engine {
    pub(crate) db: Db,
    pub(crate) vault: Vault,
    pub(crate) whatsapp: Client,
    pub(crate) files: Files,
    /// Its own client: questions about numbers that fail must not open the circuit of what is sent.
    pub(crate) management: Client,
    pub(crate) callback: CallbackKey,
    pub(crate) jitter: Jitter,
    /// Names this replica in leases.
    pub(crate) replica: String,
}

impl Engine {
    pub(crate) fn clock(&self) -> &Clock {
        self.db.clock()
    }

    /// The scope of the lane's own work.
    pub(crate) const fn scope(route: Route) -> TenantScope {
        TenantScope::system(route.organization_id, "lane")
    }

    /// Seals a channel's token.
    pub(crate) async fn seal_token(
        &self,
        scope: &TenantScope,
        channel_id: ChannelId,
        token: &str,
    ) -> Result<Vec<u8>, Error> {
        let keys = DataKeys::of_tenant(&self.db, scope);
        let place = place(scope, channel_id);
        // Boxed: the future holds the vault's cache look-up and is large.
        Ok(Box::pin(self.vault.seal(&keys, &place, token.as_bytes())).await?)
    }

    /// Opens a channel's token.
    pub(crate) async fn open_token(
        &self,
        scope: &TenantScope,
        channel_id: ChannelId,
        sealed: &[u8],
    ) -> Result<SecretString, Error> {
        let keys = DataKeys::of_tenant(&self.db, scope);
        let place = place(scope, channel_id);
        Ok(Box::pin(self.vault.open_text(&keys, &place, sealed)).await?)
    }
}

fn place(scope: &TenantScope, channel_id: ChannelId) -> Place {
    let owner = Owner::Organization(scope.organization_id);
    Place::new(
        owner,
        TOKEN,
        "messaging.channels",
        "access_token",
        channel_id,
    )
}

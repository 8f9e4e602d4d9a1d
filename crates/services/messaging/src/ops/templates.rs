//! Templates: written here, judged by Meta.

pub(crate) mod catalogue;
pub(crate) mod change;
pub(crate) mod follow;
pub(crate) mod read;
pub(crate) mod sending;
pub(crate) mod submit;

use db::AsTx;
use ids::{ChannelId, OrganizationId, TenantScope};
use proto::messaging::v1::{MessageTemplate, TemplateDefinition};
use secrecy::SecretString;
use serde_json::Value;

use crate::{
    domain::template::state,
    error::Error,
    outbound::Engine,
    store::{channels, templates::Template},
};

/// The wire form.
fn view(row: Template) -> Result<MessageTemplate, Error> {
    let definition = definition(&row.definition)?;
    Ok(MessageTemplate {
        id: row.id.to_string(),
        waba_id: row.waba_id,
        name: row.name,
        language: row.language,
        category: state::category(&row.category).into(),
        parameter_format: state::format(&row.parameter_format).into(),
        status: state::status(&row.status).into(),
        status_reason: row.status_reason,
        quality: state::quality(&row.quality).into(),
        definition: Some(definition),
        revision: u32::try_from(row.revision).unwrap_or_default(),
        created_at: Some(row.created_at.into()),
        updated_at: Some(row.updated_at.into()),
    })
}

fn definition(stored: &Value) -> Result<TemplateDefinition, Error> {
    serde_json::from_value(stored.clone()).map_err(inconsistent)
}

fn stored(definition: &TemplateDefinition) -> Result<Value, Error> {
    serde_json::to_value(definition).map_err(inconsistent)
}

const fn inconsistent(source: serde_json::Error) -> Error {
    Error::Inconsistent {
        table: "templates",
        column: "definition",
        source,
    }
}

/// The sealed token of a channel of the account that works; any of them may speak for it.
struct Speaker {
    organization_id: OrganizationId,
    channel_id: ChannelId,
    token: Vec<u8>,
}

impl Speaker {
    /// `None` where no channel of the account works.
    async fn find(
        tx: &mut impl AsTx,
        organization_id: OrganizationId,
        waba_id: &str,
    ) -> Result<Option<Self>, Error> {
        let found = channels::find_token_of_account(tx.conn(), organization_id, waba_id).await?;
        Ok(found.map(|(channel_id, token)| Self {
            organization_id,
            channel_id,
            token,
        }))
    }

    /// Outside of a transaction: the vault may have to ask the holder of its keys.
    async fn token(self, engine: &Engine) -> Result<SecretString, Error> {
        let scope = TenantScope::system(self.organization_id, "templates");
        engine
            .open_token(&scope, self.channel_id, &self.token)
            .await
    }
}

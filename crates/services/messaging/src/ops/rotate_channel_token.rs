//! RotateChannelToken: a number gets a new access token, which is checked before the old one goes.

use auth::Origin;
use chrono::{DateTime, Utc};
use db::{TenantTx, outbox};
use errors::FieldViolation;
use ids::{ChannelId, TenantScope};
use proto::messaging::v1::Channel;
use secrecy::{ExposeSecret, SecretString};
use whatsapp::client::TokenInfo;

use crate::{
    domain::health::{Token, missing_permissions},
    error::Error,
    events::{audit, publish},
    jobs::{check_channels, sync_templates, transfers},
    ops::{channel_health, view},
    outbound::Engine,
    store::{channel_health as health, channels, routes::Route},
};

/// Asks WhatsApp whether the token is good for the number, its account and both permissions, and then uses it.
pub(crate) async fn rotate_channel_token(
    engine: &Engine,
    scope: &TenantScope,
    origin: &Origin,
    id: ChannelId,
    token: SecretString,
) -> Result<Channel, Error> {
    let organization_id = scope.organization_id;
    let missing = || Error::NotFound("channel");
    let mut tx = TenantTx::begin(&engine.db, scope).await?;
    let channel = channels::find(tx.conn(), organization_id, id).await?;
    let channel = channel.ok_or_else(missing)?;
    let sender = channels::find_sender(tx.conn(), organization_id, id).await?;
    let version = sender.ok_or_else(missing)?.updated_at;
    drop(tx);
    let info = prove(engine, &channel, &token).await?;
    let sealed = engine.seal_token(scope, id, token.expose_secret()).await?;
    let rotation = Rotation {
        engine,
        scope,
        origin,
        channel,
        version,
        info,
    };
    rotation.store(&sealed).await
}

/// What WhatsApp says of the token, if it does.
async fn prove(
    engine: &Engine,
    channel: &channels::Channel,
    token: &SecretString,
) -> Result<Option<TokenInfo>, Error> {
    let graph = &engine.management;
    graph
        .get_phone_number(&channel.phone_number_id, token)
        .await?;
    // Some tokens may not ask about themselves; that they open the number is what counts.
    let info = graph.inspect_token(token).await.ok();
    if let Some(info) = &info {
        let wrong = |sentence: String| {
            let field = FieldViolation::new("accessToken", sentence);
            Err(Error::Invalid(vec![field]))
        };
        if !info.is_valid {
            return wrong("has ended or was revoked".to_owned());
        }
        let missing = missing_permissions(&info.scopes);
        if !missing.is_empty() {
            return wrong(format!("lacks the permission {}", missing.join(" and ")));
        }
    }
    // Of the token's app, which may be another than the old one's: without this no webhook arrives.
    graph.subscribe_app(&channel.waba_id, token).await?;
    Ok(info)
}

struct Rotation<'r> {
    engine: &'r Engine,
    scope: &'r TenantScope,
    origin: &'r Origin,
    channel: channels::Channel,
    /// What the channel was when the token was checked.
    version: DateTime<Utc>,
    info: Option<TokenInfo>,
}

impl Rotation<'_> {
    async fn store(self, sealed: &[u8]) -> Result<Channel, Error> {
        let now = self.engine.clock().now();
        let route = Route {
            organization_id: self.scope.organization_id,
            channel_id: self.channel.id,
        };
        let actor = self.scope.actor.to_string();
        let mut tx = TenantTx::begin(&self.engine.db, self.scope).await?;
        let known = health::lock(tx.conn(), route).await?;
        if !channels::rotate(tx.conn(), route, self.version, sealed, now).await? {
            return Err(Error::ChannelChanged);
        }
        if let Some(mut known) = known {
            known.token = Token::Valid;
            known.token_missing.clear();
            known.token_expires_at = self.info.and_then(|info| info.expires_at);
            channel_health::diagnosed(&mut tx, route, &mut known, now, &actor).await?;
            health::update(tx.conn(), route, &known).await?;
        }
        let waba_id = &self.channel.waba_id;
        sync_templates::hurry(&mut tx, route.organization_id, waba_id, now).await?;
        transfers::hurry(&mut tx, route).await?;
        check_channels::hurry(&mut tx, route, now).await?;
        let changed = publish::channel_changed(route, "token_rotated", now, &actor);
        let rotated = audit::Change {
            action: "channel.token_rotated",
            target: route.channel_id.to_string(),
            before: None,
            after: None,
        };
        let recorded = audit::recorded(self.scope, self.origin, now, rotated);
        outbox::push(&mut tx, &[changed, recorded]).await?;
        let stored = channels::find(tx.conn(), route.organization_id, route.channel_id)
            .await?
            .ok_or(Error::NotFound("channel"))?;
        tx.commit().await?;
        Ok(view::channel(stored))
    }
}

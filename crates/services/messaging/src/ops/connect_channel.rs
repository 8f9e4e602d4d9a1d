//! ConnectChannel: a WhatsApp number becomes a channel of the organization.

use db::{DbError, TenantTx, outbox};
use ids::{ChannelId, TenantScope};
use proto::messaging::{
    events::v1::ChannelChanged,
    v1::{Channel, ConnectChannelRequest},
};
use secrecy::SecretString;
use whatsapp::client::{CallError, PhoneNumber};

use crate::{
    error::Error,
    events::publish::{self, Occasion},
    grpc::convert,
    outbound::Engine,
    store::{
        channels::{self, NewChannel},
        lanes,
        routes::Route,
    },
};

/// Checks the token with WhatsApp, subscribes our app to the account and stores the channel.
/// Connecting a number again replaces its token and unblocks it.
pub(crate) async fn connect_channel(
    engine: &Engine,
    scope: &TenantScope,
    request: ConnectChannelRequest,
) -> Result<Channel, Error> {
    let token = SecretString::from(request.access_token);
    let number = engine
        .whatsapp
        .get_phone_number(&request.phone_number_id, &token)
        .await
        .map_err(refused)?;
    // Without this no webhook arrives, and nothing says so (Meta: subscribed_apps).
    engine
        .whatsapp
        .subscribe_app(&request.waba_id, &token)
        .await
        .map_err(refused)?;

    let organization_id = scope.organization_id;
    let mut tx = TenantTx::begin(&engine.db, scope).await?;
    let known =
        channels::find_id_by_number(tx.conn(), organization_id, &request.phone_number_id).await?;
    drop(tx);
    let id = known.unwrap_or_else(|| ChannelId::generate_at(engine.clock().unix_ms()));
    let sealed = engine
        .seal_token(scope, id, secrecy::ExposeSecret::expose_secret(&token))
        .await?;
    let display = number.display_phone_number.clone().unwrap_or_default();
    let channel = NewChannel {
        id,
        name: if request.name.is_empty() {
            &display
        } else {
            &request.name
        },
        phone_number_id: &request.phone_number_id,
        waba_id: &request.waba_id,
        display_phone_number: &display,
        verified_name: number.verified_name.as_deref().unwrap_or_default(),
        access_token: &sealed,
        throughput_per_second: throughput(&number),
    };
    store(engine, scope, &channel).await
}

async fn store(
    engine: &Engine,
    scope: &TenantScope,
    channel: &NewChannel<'_>,
) -> Result<Channel, Error> {
    let organization_id = scope.organization_id;
    let now = engine.clock().now();
    let mut tx = TenantTx::begin(&engine.db, scope).await?;
    let id = channels::upsert(tx.conn(), organization_id, channel, now).await?;
    if id != channel.id {
        // Connected by somebody else between our two looks; the token is sealed for another row.
        return Err(Error::ChannelTaken);
    }
    channels::upsert_route(tx.conn(), organization_id, id, channel)
        .await
        .map_err(taken)?;
    let route = Route {
        organization_id,
        channel_id: id,
    };
    lanes::insert(tx.conn(), route).await?;
    let changed = ChannelChanged {
        channel_id: id.to_string(),
        change: "connected".to_owned(),
        changed_at: Some(now.into()),
    };
    let actor = scope.actor.to_string();
    let occasion = Occasion {
        organization_id,
        now,
        actor: &actor,
    };
    outbox::push(&mut tx, &[publish::event(&changed, occasion)]).await?;
    let stored = channels::find(tx.conn(), organization_id, id)
        .await?
        .ok_or(Error::NotFound("channel"))?;
    tx.commit().await?;
    Ok(convert::channel(stored))
}

/// Only an organization that has proved to hold the number's token learns that it is taken.
fn taken(error: sqlx::Error) -> Error {
    match DbError::from(error) {
        DbError::Constraint { name, .. } if name == "channel_routes_phone_number_id_key" => {
            Error::ChannelTaken
        }
        other => Error::Db(other),
    }
}

fn refused(error: CallError) -> Error {
    match error {
        CallError::Rejected(_) => Error::ChannelCredential(error),
        CallError::Unreachable(_) | CallError::Unreadable => Error::WhatsApp(error),
    }
}

/// Meta: 80 messages per second, 1000 after the automatic upgrade, 20 for numbers that are also used
/// in the WhatsApp Business app.
fn throughput(number: &PhoneNumber) -> i32 {
    match number.throughput_level.as_deref() {
        Some("HIGH") => 1_000,
        _ if number.is_on_biz_app == Some(true) => 20,
        _ => 80,
    }
}

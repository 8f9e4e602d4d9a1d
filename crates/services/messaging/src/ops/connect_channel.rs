//! ConnectChannel: a WhatsApp number becomes a channel of the organization.

use auth::Origin;
use db::{DbError, TenantTx, outbox};
use ids::{ChannelId, TenantScope};
use proto::messaging::v1::{Channel, ConnectChannelRequest};
use secrecy::SecretString;
use serde_json::json;
use whatsapp::client::PhoneNumber;

use crate::{
    error::Error,
    events::{audit, publish},
    jobs::{check_channels, sync_templates, transfers},
    ops::view,
    outbound::Engine,
    store::{
        channels::{self, NewChannel},
        lanes,
        routes::Route,
    },
};

/// The Meta app of an installation that has only one.
const DEFAULT_APP: &str = "default";

/// Checks the token with WhatsApp, subscribes our app to the account and stores the channel.
/// Connecting a number again replaces its token and unblocks it.
pub(crate) async fn connect_channel(
    engine: &Engine,
    scope: &TenantScope,
    origin: &Origin,
    request: ConnectChannelRequest,
) -> Result<Channel, Error> {
    let token = SecretString::from(request.access_token);
    let number = engine
        .whatsapp
        .get_phone_number(&request.phone_number_id, &token)
        .await?;
    // Without this no webhook arrives, and nothing says so (Meta: subscribed_apps).
    engine
        .whatsapp
        .subscribe_app(&request.waba_id, &token)
        .await?;

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
        app: if request.app.is_empty() {
            DEFAULT_APP
        } else {
            &request.app
        },
        display_phone_number: &display,
        verified_name: number.verified_name.as_deref().unwrap_or_default(),
        access_token: &sealed,
        throughput_per_second: throughput(&number),
    };
    store(engine, scope, origin, &channel).await
}

async fn store(
    engine: &Engine,
    scope: &TenantScope,
    origin: &Origin,
    channel: &NewChannel<'_>,
) -> Result<Channel, Error> {
    let organization_id = scope.organization_id;
    let now = engine.clock().now();
    let mut tx = TenantTx::begin(&engine.db, scope).await?;
    let id = channels::upsert(tx.conn(), organization_id, channel, now).await?;
    if id != channel.id {
        // A colleague connected it between our two looks; the token is sealed for another row.
        return Err(Error::ChannelChanged);
    }
    channels::upsert_route(tx.conn(), organization_id, id, channel)
        .await
        .map_err(taken)?;
    let route = Route {
        organization_id,
        channel_id: id,
    };
    lanes::insert(tx.conn(), route).await?;
    sync_templates::hurry(&mut tx, organization_id, channel.waba_id, now).await?;
    transfers::hurry(&mut tx, route).await?;
    check_channels::hurry(&mut tx, route, now).await?;
    let actor = scope.actor.to_string();
    let changed = publish::channel_changed(route, "connected", now, &actor);
    let connected = audit::Change {
        action: "channel.connected",
        target: id.to_string(),
        before: None,
        after: Some(json!({
            "name": channel.name,
            "phone_number_id": channel.phone_number_id,
            "waba_id": channel.waba_id,
            "app": channel.app,
        })),
    };
    let recorded = audit::recorded(scope, origin, now, connected);
    outbox::push(&mut tx, &[changed, recorded]).await?;
    let stored = channels::find(tx.conn(), organization_id, id)
        .await?
        .ok_or(Error::NotFound("channel"))?;
    tx.commit().await?;
    Ok(view::channel(stored))
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

/// Meta: 80 messages per second, 1000 after the automatic upgrade, 20 for numbers that are also used
/// in the WhatsApp Business app.
pub(crate) fn throughput(number: &PhoneNumber) -> i32 {
    match number.throughput_level.as_deref() {
        Some("HIGH") => 1_000,
        _ if number.is_on_biz_app == Some(true) => 20,
        _ => 80,
    }
}

#[cfg(test)]
mod tests {
    use errors::{Classify, codes};
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    use super::*;
    use crate::fixture::Fixture;

    /// A Graph API that always answers the same: its address, and the work to be polled.
    async fn graph(status: &str, body: &str) -> (String, impl Future<Output = ()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let length = body.len();
        let answer = format!(
            "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\
             connection: close\r\n\r\n{body}"
        );
        let serving = async move {
            while let Ok((mut connection, _)) = listener.accept().await {
                let _request = connection.read(&mut [0; 4096]).await;
                let _gone = connection.write_all(answer.as_bytes()).await;
            }
        };
        (format!("http://{address}"), serving)
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn only_a_bad_token_is_called_one() {
        let cases = [
            (
                "401 Unauthorized",
                r#"{"error":{"code":190,"message":"Invalid OAuth access token"}}"#,
                &codes::CHANNEL_CREDENTIAL_REFUSED,
            ),
            (
                "400 Bad Request",
                r#"{"error":{"code":4,"message":"Application request limit reached"}}"#,
                &codes::RATE_LIMITED,
            ),
            (
                "500 Internal Server Error",
                r#"{"error":{"code":2,"message":"An unexpected error has occurred"}}"#,
                &codes::UNAVAILABLE,
            ),
        ];
        for (status, body, expected) in cases {
            let (address, serving) = graph(status, body).await;
            let fixture = Fixture::with_graph(&address).await;
            let request = ConnectChannelRequest {
                phone_number_id: "1001".to_owned(),
                waba_id: "2001".to_owned(),
                access_token: "t".to_owned(),
                ..ConnectChannelRequest::default()
            };
            let scope = fixture.scope();
            let origin = Origin::default();
            let refused = tokio::select! {
                answer = connect_channel(&fixture.engine, &scope, &origin, request) => answer,
                () = serving => panic!("the Graph API went away"),
            };
            let refused = refused.expect_err(status);
            assert_eq!(refused.code().id, expected.id, "{status}");
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_colleague_who_was_faster_is_a_conflict() {
        let fixture = Fixture::new().await;
        let channel = NewChannel {
            id: ChannelId::generate(),
            name: "Support",
            phone_number_id: "1001",
            waba_id: "2001",
            app: "default",
            display_phone_number: "+49 30 1",
            verified_name: "Shop",
            access_token: b"sealed for another row",
            throughput_per_second: 80,
        };
        let origin = Origin::default();
        let late = store(&fixture.engine, &fixture.scope(), &origin, &channel).await;
        assert_eq!(late.expect_err("late").code().id, codes::CONFLICT.id);
    }
}

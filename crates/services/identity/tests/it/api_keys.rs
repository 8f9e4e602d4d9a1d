//! Keys of programs.

mod life;
mod power;
mod rotation;

use proto::identity::v1::{
    AccessToken, ApiKey, CreateApiKeyRequest, CreateApiKeyResponse, ExchangeApiKeyRequest,
    ListApiKeysRequest, ListApiKeysResponse, RevokeApiKeyRequest, RotateApiKeyRequest,
};
use tonic::Status;

use crate::world::{World, as_caller};

async fn exchange(world: &World, secret: &str) -> Result<AccessToken, Status> {
    exchange_from(world, secret, "").await
}

async fn exchange_from(world: &World, secret: &str, address: &str) -> Result<AccessToken, Status> {
    let request = ExchangeApiKeyRequest {
        secret: secret.to_owned(),
        client_address: address.to_owned(),
    };
    let answer = world
        .client
        .clone()
        .exchange_api_key(as_caller(request, &world.service().await))
        .await?;
    Ok(answer.into_inner())
}

async fn revoke(world: &World, token: &str, id: &str) -> Result<ApiKey, Status> {
    let request = RevokeApiKeyRequest {
        api_key_id: id.to_owned(),
    };
    let answer = world
        .client
        .clone()
        .revoke_api_key(as_caller(request, token))
        .await?;
    Ok(answer.into_inner())
}

async fn list(
    world: &World,
    token: &str,
    size: u32,
    page: &str,
) -> Result<ListApiKeysResponse, Status> {
    let request = ListApiKeysRequest {
        page_size: size,
        page_token: page.to_owned(),
    };
    let answer = world
        .client
        .clone()
        .list_api_keys(as_caller(request, token))
        .await?;
    Ok(answer.into_inner())
}

async fn bound(
    world: &World,
    token: &str,
    networks: &[&str],
) -> Result<CreateApiKeyResponse, Status> {
    let request = CreateApiKeyRequest {
        name: "office".to_owned(),
        role: proto::identity::v1::Role::Agent.into(),
        networks: networks.iter().map(|&network| network.to_owned()).collect(),
        ..CreateApiKeyRequest::default()
    };
    let created = world
        .client
        .clone()
        .create_api_key(as_caller(request, token))
        .await?;
    Ok(created.into_inner())
}

async fn rotate(
    world: &World,
    token: &str,
    id: &str,
    hours: u32,
) -> Result<CreateApiKeyResponse, Status> {
    let request = RotateApiKeyRequest {
        api_key_id: id.to_owned(),
        overlap_hours: hours,
    };
    let rotated = world
        .client
        .clone()
        .rotate_api_key(as_caller(request, token))
        .await?;
    Ok(rotated.into_inner())
}

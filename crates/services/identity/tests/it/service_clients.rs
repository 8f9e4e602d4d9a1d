use proto::identity::v1::{AccessToken, IssueServiceTokenRequest, ListApiKeysRequest};
use secrecy::SecretString;
use tonic::{Code, Status};

use crate::world::{GATEWAY, World, as_caller, code};

async fn issue(world: &World, id: &str, secret: &str) -> Result<AccessToken, Status> {
    let request = IssueServiceTokenRequest {
        client_id: id.to_owned(),
        client_secret: secret.to_owned(),
    };
    Ok(world
        .client
        .clone()
        .issue_service_token(request)
        .await?
        .into_inner())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configured_client_gets_a_service_token() {
    let world = World::start().await;
    let token = issue(&world, "gateway", GATEWAY).await.unwrap();
    assert_eq!(token.expires_in, 300);
    let caller = world.caller(&token.access_token).await.unwrap();
    assert_eq!(
        (caller.kind.as_str(), caller.id.as_str()),
        ("service", "gateway")
    );
    assert_eq!(
        (caller.organization_id.as_str(), caller.role()),
        ("", proto::identity::v1::Role::Unspecified)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_client_and_a_wrong_secret_get_the_same_answer() {
    let world = World::start().await;
    let wrong = issue(&world, "gateway", "not the secret of this client!!!")
        .await
        .unwrap_err();
    let unknown = issue(&world, "nobody", GATEWAY).await.unwrap_err();
    assert_eq!(code(&wrong), "auth.client_wrong");
    assert_eq!(
        (wrong.code(), wrong.message(), wrong.details()),
        (unknown.code(), unknown.message(), unknown.details())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_configuration_decides_which_clients_there_are() {
    let mut world = World::start().await;
    let changed = "another-secret-of-32-characters!";
    world
        .config
        .service_clients
        .insert("gateway".to_owned(), SecretString::from(changed));
    world
        .config
        .service_clients
        .insert("messaging".to_owned(), SecretString::from(GATEWAY));
    world.restart().await;
    assert!(issue(&world, "gateway", GATEWAY).await.is_err());
    assert!(issue(&world, "gateway", changed).await.is_ok());
    assert!(issue(&world, "messaging", GATEWAY).await.is_ok());

    world.config.service_clients.clear();
    world.restart().await;
    assert!(issue(&world, "messaging", GATEWAY).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_works_on_the_rows_of_the_organization_it_names() {
    let world = World::start().await;
    let owner = world.owner("ada@example.com").await;
    world
        .create_key(&owner, auth::Role::Agent, &[])
        .await
        .unwrap();
    let organization = world.caller(&owner).await.unwrap().organization_id;
    let token = world.service().await;
    let request = || as_caller(ListApiKeysRequest::default(), &token);

    let unnamed = world
        .client
        .clone()
        .list_api_keys(request())
        .await
        .unwrap_err();
    assert_eq!(unnamed.code(), Code::InvalidArgument);
    let mut named = request();
    auth::act_for(&mut named, organization.parse().unwrap());
    let listed = world
        .client
        .clone()
        .list_api_keys(named)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(listed.api_keys.len(), 1);
}

//! Ratchet: every method of identity × every kind of caller, on the running service.

use auth::{Policy, Role};
use http::uri::PathAndQuery;
use proto::access::{self, Rule};
use proto::identity::v1::ExchangeApiKeyRequest;
use tonic::{Code, Request, Status, client::Grpc};
use tonic_prost::ProstCodec;

use crate::world::{World, as_caller};

/// Calls any method with an empty message, which is enough to learn whether the caller is admitted.
async fn call(world: &World, path: &'static str, request: Request<()>) -> Result<(), Status> {
    let mut grpc = Grpc::new(world.channel.clone());
    grpc.ready().await.unwrap();
    let codec = ProstCodec::<(), ()>::default();
    grpc.unary(request, PathAndQuery::from_static(path), codec)
        .await
        .map(drop)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_method_admits_exactly_whom_its_rule_names() {
    let world = World::start().await;
    let policy = Policy::load().await.unwrap();
    let service = world.service().await;
    let mut callers = Vec::new();
    for role in Role::ALL {
        callers.push((
            Some(role),
            world.member(&format!("{role}@example.com"), role).await,
        ));
    }
    let owner = callers[0].1.clone();
    let key = world.create_key(&owner, Role::Agent, &[]).await.unwrap();
    let request = ExchangeApiKeyRequest {
        secret: key.secret,
        ..ExchangeApiKeyRequest::default()
    };
    let exchanged = world
        .client
        .clone()
        .exchange_api_key(as_caller(request, &service))
        .await
        .unwrap();
    callers.push((Some(Role::Agent), exchanged.into_inner().access_token));
    callers.push((None, service));

    let methods = access::all()
        .iter()
        .filter(|access| access.path.starts_with("/switchboard.identity."));
    let mut cases = 0;
    for access in methods {
        let anonymous = call(&world, access.path, Request::new(())).await;
        let refused = matches!(anonymous, Err(status) if status.code() == Code::Unauthenticated);
        assert_eq!(
            refused,
            access.rule != Rule::Public,
            "{} without a token",
            access.path
        );
        for (role, token) in &callers {
            let admitted = match access.rule {
                Rule::Missing => false,
                Rule::Public | Rule::Authenticated => true,
                Rule::Service => role.is_none(),
                Rule::Permission(permission) => {
                    role.is_none_or(|role| policy.role_has(role, permission))
                }
            };
            let answer = call(&world, access.path, as_caller((), token)).await;
            let code = answer.err().map_or(Code::Ok, |status| status.code());
            assert_eq!(
                code != Code::PermissionDenied,
                admitted,
                "{} as {role:?}: {code:?}",
                access.path
            );
            assert_ne!(code, Code::Internal, "{} as {role:?}", access.path);
            cases += 1;
        }
    }
    assert!(cases >= 12 * 6, "{cases}");
}

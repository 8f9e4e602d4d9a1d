//! The layer in front of a server that answers whom it saw.

use std::{convert::Infallible, sync::Arc, time::Duration};

use auth::{
    Authorizer, GrpcLayer, Policy, Principal, RequestContext, Revocation, Revoked, Role, context,
};
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body_util::Empty;
use ids::OrganizationId;
use proto::access::{self, Rule};
use tonic::Code;
use tower::{Layer, ServiceExt, service_fn};

use crate::world::{World, api_key, service, user};

type Body = Empty<bytes::Bytes>;

struct Server {
    world: World,
    layer: GrpcLayer,
}

impl Server {
    async fn start() -> Self {
        let world = World::new();
        let policy = Policy::load().await.unwrap();
        let layer = GrpcLayer::new(Authorizer::new(
            world.verifier.clone(),
            policy,
            world.clock.clone(),
        ));
        Self { world, layer }
    }

    async fn call(&self, path: &str, headers: HeaderMap) -> Result<RequestContext, Code> {
        let seen = Arc::new(std::sync::Mutex::new(None));
        let shared = seen.clone();
        let inner = service_fn(move |request: Request<Body>| {
            *shared.lock().unwrap() = Some(request.extensions().get::<RequestContext>().cloned());
            async { Ok::<_, Infallible>(Response::new(Body::default())) }
        });
        let mut request = Request::post(path).body(Body::default()).unwrap();
        *request.headers_mut() = headers;
        let response = self.layer.layer(inner).oneshot(request).await.unwrap();
        let status = tonic::Status::from_header_map(response.headers());
        let seen = seen.lock().unwrap().take();
        match (status, seen) {
            (Some(status), None) => Err(status.code()),
            (None, Some(context)) => {
                Ok(context.expect("the layer puts a context into every request of ours"))
            }
            (status, seen) => panic!("refused {status:?} and served {}", seen.is_some()),
        }
    }

    async fn call_as(&self, path: &str, caller: &Principal) -> Result<RequestContext, Code> {
        self.call(path, bearer(&self.world.token(caller))).await
    }
}

fn bearer(token: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(
        "authorization",
        HeaderValue::from_str(&format!("Bearer {token}")).unwrap(),
    );
    headers
}

const LIST_API_KEYS: &str = "/switchboard.identity.v1.IdentityService/ListApiKeys";
const LOG_IN: &str = "/switchboard.identity.v1.IdentityService/LogIn";
const GET_CALLER: &str = "/switchboard.identity.v1.IdentityService/GetCaller";
const EXCHANGE_API_KEY: &str = "/switchboard.identity.v1.IdentityService/ExchangeApiKey";

/// Every method of every service × every kind of caller, against what its rule says.
#[tokio::test]
async fn every_method_admits_exactly_whom_its_rule_names() {
    let server = Server::start().await;
    let policy = Policy::load().await.unwrap();
    let scoped = api_key(Role::Owner, &["contacts.read"]);
    for access in access::all() {
        let anonymous = server.call(access.path, HeaderMap::new()).await;
        match access.rule {
            Rule::Public => assert!(anonymous.is_ok(), "{}", access.path),
            _ => assert_eq!(
                anonymous.unwrap_err(),
                Code::Unauthenticated,
                "{}",
                access.path
            ),
        }
        let callers = Role::ALL
            .map(user)
            .into_iter()
            .chain([scoped.clone(), service("gateway")]);
        for caller in callers {
            let is_service = matches!(caller, Principal::Service { .. });
            let admitted = match access.rule {
                Rule::Missing => false,
                Rule::Public | Rule::Authenticated => true,
                Rule::Service => is_service,
                Rule::Permission(permission) => policy.allows(&caller, permission),
            };
            let result = server.call_as(access.path, &caller).await;
            assert_eq!(result.is_ok(), admitted, "{} as {caller:?}", access.path);
            if let Err(code) = result {
                assert_eq!(
                    code,
                    Code::PermissionDenied,
                    "{} as {caller:?}",
                    access.path
                );
            }
        }
    }
}

#[tokio::test]
async fn the_operation_sees_the_caller_and_its_tenant() {
    let server = Server::start().await;
    let caller = user(Role::Admin);
    let context = server.call_as(LIST_API_KEYS, &caller).await.unwrap();
    assert_eq!(context.principal.as_ref(), Some(&caller));
    let scope = context.require_scope().unwrap();
    assert_eq!(
        scope.organization_id,
        caller.membership().unwrap().organization_id
    );
    assert_eq!(scope.actor, caller.actor());
    assert!(context.expires_at.is_some());
}

/// T-07: a tenant named outside the token.
#[tokio::test]
async fn a_user_can_not_name_another_tenant() {
    let server = Server::start().await;
    let caller = user(Role::Owner);
    let mut headers = bearer(&server.world.token(&caller));
    headers.insert("sb-organization-id", other_organization());
    let context = server.call(LIST_API_KEYS, headers).await.unwrap();
    let own = caller.membership().unwrap().organization_id;
    assert_eq!(context.require_scope().unwrap().organization_id, own);
}

#[tokio::test]
async fn a_service_acts_for_the_organization_it_names_and_for_none_otherwise() {
    let server = Server::start().await;
    let token = server.world.token(&service("gateway"));
    let context = server.call(LIST_API_KEYS, bearer(&token)).await.unwrap();
    assert!(context.scope().is_none());
    assert!(context.require_scope().is_err());

    let mut headers = bearer(&token);
    let named = other_organization();
    headers.insert("sb-organization-id", named.clone());
    let context = server.call(LIST_API_KEYS, headers.clone()).await.unwrap();
    assert_eq!(
        context.require_scope().unwrap().organization_id.to_string(),
        named.to_str().unwrap()
    );

    headers.insert("sb-organization-id", HeaderValue::from_static("org_1"));
    assert_eq!(
        server.call(LIST_API_KEYS, headers).await.unwrap_err(),
        Code::InvalidArgument
    );
}

#[tokio::test]
async fn a_bad_token_does_not_matter_to_a_public_method() {
    let server = Server::start().await;
    let context = server.call(LOG_IN, bearer("nonsense")).await.unwrap();
    assert!(context.principal.is_none());
    assert!(context.require_scope().is_err());
    assert_eq!(
        server
            .call(GET_CALLER, bearer("nonsense"))
            .await
            .unwrap_err(),
        Code::Unauthenticated
    );
}

#[tokio::test]
async fn an_owner_is_not_a_service() {
    let server = Server::start().await;
    let refused = server.call_as(EXCHANGE_API_KEY, &user(Role::Owner)).await;
    assert_eq!(refused.unwrap_err(), Code::PermissionDenied);
}

#[tokio::test]
async fn a_method_without_a_rule_is_not_served() {
    let server = Server::start().await;
    for path in [
        "/switchboard.identity.v1.IdentityService/DropEverything",
        "/switchboard.identity.v1.IdentityService/LogIn/",
        "//switchboard.identity.v1.IdentityService/LogIn",
        "/grpc.health.v1.Health/Check",
        "/",
    ] {
        let refused = server.call_as(path, &service("gateway")).await;
        assert_eq!(refused.unwrap_err(), Code::Unimplemented, "{path}");
    }
}

#[tokio::test]
async fn an_idempotency_key_is_passed_on_where_the_method_honours_it() {
    let server = Server::start().await;
    let honours = access::all().iter().find(|access| access.idempotency_key);
    let honours = honours.expect("some method honours idempotency keys").path;
    let mut headers = bearer(&server.world.token(&user(Role::Owner)));
    headers.insert("idempotency-key", HeaderValue::from_static("order-17"));
    let context = server.call(honours, headers.clone()).await.unwrap();
    assert_eq!(context.idempotency_key.as_deref(), Some("order-17"));
    let context = server.call(GET_CALLER, headers.clone()).await.unwrap();
    assert_eq!(context.idempotency_key, None);
    headers.insert("idempotency-key", HeaderValue::from_static("with blanks"));
    assert_eq!(
        server.call(honours, headers).await.unwrap_err(),
        Code::InvalidArgument
    );
}

#[tokio::test]
async fn without_the_layer_no_operation_runs() {
    let request = tonic::Request::new(());
    assert_eq!(context(&request).unwrap_err().code(), Code::Internal);
}

fn other_organization() -> HeaderValue {
    HeaderValue::from_str(&OrganizationId::generate().to_string()).unwrap()
}

#[tokio::test]
async fn a_revoked_session_is_refused_within_a_second_and_only_that_one() {
    let server = Server::start().await;
    let world = &server.world;
    let (one, other) = (user(Role::Admin), user(Role::Admin));
    let (token, others) = (world.token(&one), world.token(&other));
    assert!(server.call(LIST_API_KEYS, bearer(&token)).await.is_ok());
    let Principal::User { session_id, .. } = &one else {
        panic!("a person")
    };
    world.revocations.add(Revocation {
        organization_id: one.membership().unwrap().organization_id,
        revoked: Revoked::Session(*session_id),
        issued_until: world.clock.now(),
    });
    world.hand.advance(Duration::from_millis(900));
    let refused = server.call(LIST_API_KEYS, bearer(&token)).await;
    assert_eq!(refused.unwrap_err(), Code::Unauthenticated);
    assert!(server.call(LIST_API_KEYS, bearer(&others)).await.is_ok());
    // Logged in again.
    assert!(server.call_as(LIST_API_KEYS, &one).await.is_ok());
}

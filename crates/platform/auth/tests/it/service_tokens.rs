use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use auth::{IssueError, IssuedToken, ServiceTokenSource, TokenIssuer};
use chrono::DateTime;
use clock::{Clock, Hand};
use ids::OrganizationId;
use secrecy::SecretString;
use tonic::Request;

#[derive(Default)]
struct Issuer {
    asked: AtomicUsize,
    issued: AtomicUsize,
    down: AtomicBool,
}

#[async_trait]
impl TokenIssuer for Issuer {
    async fn issue(&self) -> Result<IssuedToken, IssueError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        tokio::task::yield_now().await;
        if self.down.load(Ordering::SeqCst) {
            return Err(IssueError::Timeout);
        }
        let number = self.issued.fetch_add(1, Ordering::SeqCst) + 1;
        Ok(IssuedToken {
            token: SecretString::from(format!("token-{number}")),
            expires_in: Duration::from_mins(5),
        })
    }
}

fn source() -> (ServiceTokenSource, Arc<Issuer>, Hand) {
    let (clock, hand) = Clock::manual(DateTime::from_timestamp(1_760_000_000, 0).unwrap());
    let issuer = Arc::new(Issuer::default());
    (ServiceTokenSource::new(issuer.clone(), clock), issuer, hand)
}

/// The token that a call gets.
async fn try_token(source: &ServiceTokenSource) -> Result<String, IssueError> {
    let mut request = Request::new(());
    source.authorize(&mut request, None).await?;
    let bearer = request.metadata().get("authorization").unwrap();
    let token = bearer.to_str().unwrap().strip_prefix("Bearer ").unwrap();
    Ok(token.to_owned())
}

async fn token(source: &ServiceTokenSource) -> String {
    try_token(source).await.unwrap()
}

#[tokio::test]
async fn one_token_serves_until_a_minute_before_it_expires() {
    let (source, _, hand) = source();
    assert_eq!(token(&source).await, "token-1");
    hand.advance(Duration::from_secs(239));
    assert_eq!(token(&source).await, "token-1");
    hand.advance(Duration::from_secs(1));
    assert_eq!(token(&source).await, "token-2");
}

#[tokio::test]
async fn a_token_that_is_refused_is_replaced_before_its_time() {
    let (source, ..) = source();
    assert_eq!(token(&source).await, "token-1");
    source.forget();
    assert_eq!(token(&source).await, "token-2");
    assert_eq!(token(&source).await, "token-2");
}

#[tokio::test]
async fn concurrent_callers_ask_identity_once() {
    let (source, issuer, _) = source();
    let tokens = tokio::join!(token(&source), token(&source), token(&source));
    assert_eq!(tokens.0, tokens.1);
    assert_eq!(tokens.1, tokens.2);
    assert_eq!(issuer.issued.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn with_identity_down_the_token_in_hand_works_until_it_expires() {
    let (source, issuer, hand) = source();
    token(&source).await;
    issuer.down.store(true, Ordering::SeqCst);
    hand.advance(Duration::from_secs(299));
    assert_eq!(token(&source).await, "token-1");
    hand.advance(Duration::from_secs(1));
    assert!(matches!(try_token(&source).await, Err(IssueError::Timeout)));
    assert!(matches!(try_token(&source).await, Err(IssueError::Timeout)));
    assert_eq!(issuer.asked.load(Ordering::SeqCst), 2, "not for every call");
    issuer.down.store(false, Ordering::SeqCst);
    hand.advance(Duration::from_secs(2));
    assert_eq!(token(&source).await, "token-2");
}

#[tokio::test]
async fn a_call_carries_the_token_and_the_organization_and_does_not_print_the_token() {
    let (source, _, _) = source();
    let organization = OrganizationId::generate();
    let mut request = Request::new(());
    source
        .authorize(&mut request, Some(organization))
        .await
        .unwrap();
    let metadata = request.metadata();
    assert_eq!(metadata.get("authorization").unwrap(), "Bearer token-1");
    assert_eq!(
        metadata.get("sb-organization-id").unwrap(),
        &organization.to_string()
    );
    assert!(!format!("{request:?} {source:?}").contains("token-1"));

    let mut request = Request::new(());
    source.authorize(&mut request, None).await.unwrap();
    assert!(request.metadata().get("sb-organization-id").is_none());
}

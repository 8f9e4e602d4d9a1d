//! The contact service as its callers meet it.

mod any_merges;
mod attributes;
mod consents;
mod merges;
mod notes;
mod sight;
mod since;

use auth::{Principal, View};
use pbjson_types::{Struct, Value, value::Kind};
use proto::messaging::v1::{
    ConsentPurpose, CreateContactRequest, GetContactRequest, ListContactsRequest,
    messaging_service_server::MessagingService,
};
use tonic::Code;

use super::*;
use crate::{
    fixture::{Fixture, member_context},
    grpc::watch::Hub,
};

fn service(fixture: &Fixture) -> Service {
    Service {
        engine: std::sync::Arc::clone(&fixture.engine),
        hub: Hub::new(fixture.db.clone()),
    }
}

/// A member asks, with a key or without.
fn asks_with<T>(fixture: &Fixture, view: View, key: Option<&str>, message: T) -> Request<T> {
    let mut context = member_context(fixture);
    context.idempotency_key = key.map(str::to_owned);
    if let Some(Principal::User { member, .. }) = &mut context.principal {
        member.view = view;
    }
    let mut request = Request::new(message);
    request.extensions_mut().insert(context);
    request
}

fn asks<T>(fixture: &Fixture, message: T) -> Request<T> {
    asks_with(fixture, View::default(), None, message)
}

fn masked() -> View {
    View {
        hides_contact_details: true,
        ..View::default()
    }
}

fn structure(values: &[(&str, Kind)]) -> Struct {
    let fields = values.iter().map(|(key, kind)| {
        let kind = Some(kind.clone());
        ((*key).to_owned(), Value { kind })
    });
    Struct {
        fields: fields.collect(),
    }
}

fn text(value: &str) -> Kind {
    Kind::StringValue(value.to_owned())
}

fn with_phone(phone: &str) -> CreateContactRequest {
    CreateContactRequest {
        phone: phone.to_owned(),
        ..CreateContactRequest::default()
    }
}

async fn create(fixture: &Fixture, request: CreateContactRequest) -> CreateContactResponse {
    let created = service(fixture)
        .create_contact(asks(fixture, request))
        .await;
    created.expect("a contact").into_inner()
}

async fn create_id(fixture: &Fixture, phone: &str) -> String {
    create(fixture, with_phone(phone))
        .await
        .contact
        .expect("a contact")
        .id
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_is_created_once_for_a_key_and_once_for_a_number() {
    let fixture = Fixture::new().await;
    let service = service(&fixture);
    let request = CreateContactRequest {
        name: "Ada".to_owned(),
        email: "Ada@Example.com".to_owned(),
        locale: "pt-BR".to_owned(),
        time_zone: "America/Sao_Paulo".to_owned(),
        ..with_phone("+491701234567")
    };
    let mut answers = Vec::new();
    for _ in 0..2 {
        let asked = asks_with(&fixture, View::default(), Some("k"), request.clone());
        let answer = service.create_contact(asked).await.expect("a contact");
        answers.push(answer.into_inner().contact.expect("a contact"));
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(answers[0].locale, "pt-BR");
    assert_eq!(answers[0].version, 1);
    let identities: Vec<_> = answers[0]
        .identities
        .iter()
        .map(|i| i.value.as_str())
        .collect();
    assert_eq!(identities, ["ada@example.com", "491701234567"]);
    assert_eq!(
        fixture
            .count("outbox where event_type like '%ContactChanged'")
            .await,
        1
    );

    for twice in [
        with_phone("+491701234567"),
        CreateContactRequest {
            email: "ADA@example.com".to_owned(),
            ..CreateContactRequest::default()
        },
    ] {
        let refused = service.create_contact(asks(&fixture, twice)).await;
        let refused = refused.expect_err("it is known");
        assert_eq!(refused.code(), Code::AlreadyExists);
        assert!(refused.message().contains(&answers[0].id), "{refused:?}");
    }
    assert_eq!(fixture.count("contacts").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_contact_is_said_by_field() {
    let fixture = Fixture::new().await;
    let service = service(&fixture);
    let wrong = [
        (CreateContactRequest::default(), "phone"),
        (
            CreateContactRequest {
                email: "ada".to_owned(),
                ..CreateContactRequest::default()
            },
            "email",
        ),
        (
            CreateContactRequest {
                time_zone: "Berlin".to_owned(),
                ..with_phone("+491701")
            },
            "timeZone",
        ),
        (
            CreateContactRequest {
                attributes: Some(structure(&[("plan", text("gold"))])),
                ..with_phone("+491701")
            },
            "attributes.plan",
        ),
    ];
    for (request, field) in wrong {
        let refused = service.create_contact(asks(&fixture, request)).await;
        let refused = refused.expect_err(field);
        assert_eq!(refused.code(), Code::InvalidArgument);
        assert!(refused.message().contains(field), "{field}: {refused:?}");
    }
    assert_eq!(fixture.count("contacts").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_spelling_of_a_number_is_told_and_not_taken_for_the_same() {
    let fixture = Fixture::new().await;
    for (one, other) in [
        ("+551187654321", "+5511987654321"),
        ("+525512345678", "+5215512345678"),
        ("+541123456789", "+5491123456789"),
    ] {
        let first = create_id(&fixture, one).await;
        let answer = create(&fixture, with_phone(other)).await;
        let second = answer.contact.expect("a contact").id;
        assert_ne!(first, second);
        let told: Vec<_> = answer
            .candidates
            .iter()
            .map(|contact| &contact.id)
            .collect();
        assert_eq!(told, [&first]);
        let message = ListCandidatesRequest { contact_id: first };
        let listed = service(&fixture)
            .list_candidates(asks(&fixture, message))
            .await;
        let listed = listed.expect("candidates").into_inner().contacts;
        let told: Vec<_> = listed.iter().map(|contact| &contact.id).collect();
        assert_eq!(told, [&second]);
    }
    // A landline has no other spelling.
    create(&fixture, with_phone("+551133334444")).await;
    assert_eq!(
        create(&fixture, with_phone("+5511933334444"))
            .await
            .candidates,
        []
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_keeps_what_it_does_not_name_and_needs_the_newest_version() {
    let fixture = Fixture::new().await;
    let service = service(&fixture);
    let id = create_id(&fixture, "+491701").await;
    let named = UpdateContactRequest {
        contact_id: id.clone(),
        name: Some("Ada".to_owned()),
        email: Some("ada@example.com".to_owned()),
        version: 1,
        ..UpdateContactRequest::default()
    };
    let changed = service.update_contact(asks(&fixture, named.clone())).await;
    assert_eq!(changed.expect("a contact").into_inner().version, 2);
    let late = service
        .update_contact(asks(&fixture, named))
        .await
        .expect_err("late");
    assert_eq!(late.code(), Code::Aborted);
    let zone = UpdateContactRequest {
        contact_id: id,
        time_zone: Some("Europe/Berlin".to_owned()),
        email: Some(String::new()),
        ..UpdateContactRequest::default()
    };
    let changed = service.update_contact(asks(&fixture, zone)).await;
    let changed = changed.expect("a contact").into_inner();
    assert_eq!((changed.name.as_str(), changed.version), ("Ada", 3));
    assert_eq!(changed.identities.len(), 1, "the address is gone");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_of_somebody_else_is_not_taken_over() {
    let fixture = Fixture::new().await;
    let owner = CreateContactRequest {
        email: "ada@example.com".to_owned(),
        ..CreateContactRequest::default()
    };
    create(&fixture, owner).await;
    let message = UpdateContactRequest {
        contact_id: create_id(&fixture, "+491701").await,
        email: Some("Ada@example.com".to_owned()),
        ..UpdateContactRequest::default()
    };
    let refused = service(&fixture)
        .update_contact(asks(&fixture, message))
        .await;
    assert_eq!(refused.expect_err("taken").code(), Code::AlreadyExists);
}

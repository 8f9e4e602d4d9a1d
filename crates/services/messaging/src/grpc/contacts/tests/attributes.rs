use proto::messaging::v1::AttributeKind;

use super::*;

fn attribute(key: &str, kind: AttributeKind, options: &[&str]) -> CreateAttributeRequest {
    CreateAttributeRequest {
        key: key.to_owned(),
        name: key.to_uppercase(),
        kind: kind.into(),
        options: options.iter().map(|&option| option.to_owned()).collect(),
        position: 0,
    }
}

async fn define(fixture: &Fixture, request: CreateAttributeRequest) -> Result<Attribute, Status> {
    let created = service(fixture)
        .create_attribute(asks(fixture, request))
        .await;
    created.map(Response::into_inner)
}

fn change(key: &str, options: &[&str]) -> UpdateAttributeRequest {
    UpdateAttributeRequest {
        attribute_key: key.to_owned(),
        name: "Plan".to_owned(),
        options: options.iter().map(|&option| option.to_owned()).collect(),
        position: 7,
    }
}

async fn set(fixture: &Fixture, id: &str, values: &[(&str, Kind)]) -> Result<Contact, Status> {
    let message = UpdateContactRequest {
        contact_id: id.to_owned(),
        attributes: Some(structure(values)),
        ..UpdateContactRequest::default()
    };
    let changed = service(fixture)
        .update_contact(asks(fixture, message))
        .await;
    changed.map(Response::into_inner)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_is_kept_if_it_fits_and_every_wrong_one_is_named() {
    let fixture = Fixture::new().await;
    define(&fixture, attribute("age", AttributeKind::Number, &[]))
        .await
        .expect("one");
    define(
        &fixture,
        attribute("plan", AttributeKind::Choice, &["gold"]),
    )
    .await
    .expect("one");
    let id = create_id(&fixture, "+491701").await;
    let kept = set(
        &fixture,
        &id,
        &[("age", Kind::NumberValue(36.0)), ("plan", text("gold"))],
    )
    .await;
    let kept = kept.expect("a contact").attributes.expect("values");
    assert_eq!(kept.fields["age"].kind, Some(Kind::NumberValue(36.0)));
    let wrong = [
        ("age", text("36")),
        ("plan", text("tin")),
        ("size", text("L")),
    ];
    let refused = set(&fixture, &id, &wrong).await.expect_err("wrong");
    let shown = format!("{refused:?}");
    for field in ["attributes.age", "attributes.plan", "attributes.size"] {
        let named =
            shown.contains(field) || String::from_utf8_lossy(refused.details()).contains(field);
        assert!(named, "{field} in {shown}");
    }
    let cleared = set(&fixture, &id, &[("age", Kind::NullValue(0))])
        .await
        .expect("a contact");
    let left: Vec<_> = cleared
        .attributes
        .expect("values")
        .fields
        .into_keys()
        .collect();
    assert_eq!(left, ["plan"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_definition_can_be_changed_as_far_as_contacts_allow() {
    let fixture = Fixture::new().await;
    let service = service(&fixture);
    for (wrong, field) in [
        (attribute("a", AttributeKind::Choice, &[]), "options"),
        (
            attribute("a", AttributeKind::Choice, &["x", "x"]),
            "options",
        ),
        (attribute("a", AttributeKind::Text, &["x"]), "options"),
    ] {
        let refused = define(&fixture, wrong).await.expect_err(field);
        assert_eq!(refused.code(), Code::InvalidArgument);
    }
    let plan = attribute("plan", AttributeKind::Choice, &["gold", "tin"]);
    define(&fixture, plan.clone()).await.expect("one");
    let twice = define(&fixture, plan).await.expect_err("twice");
    assert_eq!(twice.code(), Code::AlreadyExists);
    let id = create_id(&fixture, "+491701").await;
    set(&fixture, &id, &[("plan", text("gold"))])
        .await
        .expect("a contact");

    let taken = service
        .update_attribute(asks(&fixture, change("plan", &["tin"])))
        .await;
    assert_eq!(taken.expect_err("in use").code(), Code::FailedPrecondition);
    let changed = service
        .update_attribute(asks(&fixture, change("plan", &["gold"])))
        .await;
    assert_eq!(changed.expect("one").into_inner().options, ["gold"]);
    let unknown = service
        .update_attribute(asks(&fixture, change("none", &[])))
        .await;
    assert_eq!(unknown.expect_err("none").code(), Code::NotFound);
    define(&fixture, attribute("age", AttributeKind::Number, &[]))
        .await
        .expect("one");
    let listed = service
        .list_attributes(asks(&fixture, ListAttributesRequest {}))
        .await;
    let listed = listed.expect("a list").into_inner().attributes;
    let keys: Vec<_> = listed.iter().map(|one| one.key.as_str()).collect();
    assert_eq!(keys, ["age", "plan"], "by position");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_attribute_is_gone_from_every_contact_and_from_no_other_organization() {
    let mut fixture = Fixture::new().await;
    let service = service(&fixture);
    let gone = || DeleteAttributeRequest {
        attribute_key: "plan".to_owned(),
    };
    define(&fixture, attribute("plan", AttributeKind::Text, &[]))
        .await
        .expect("one");
    let id = create_id(&fixture, "+491701").await;
    set(&fixture, &id, &[("plan", text("gold"))])
        .await
        .expect("a contact");
    fixture.add_tenant("1002").await;
    let foreign = service.delete_attribute(asks(&fixture, gone())).await;
    assert_eq!(foreign.expect_err("another's").code(), Code::NotFound);
    define(&fixture, attribute("plan", AttributeKind::Text, &[]))
        .await
        .expect("one");
    let own = create_id(&fixture, "+491701").await;
    set(&fixture, &own, &[("plan", text("tin"))])
        .await
        .expect("a contact");
    service
        .delete_attribute(asks(&fixture, gone()))
        .await
        .expect("deleted");
    assert_eq!(fixture.count("contacts where attributes = '{}'").await, 1);
    assert_eq!(
        fixture
            .count("contacts where attributes ->> 'plan' = 'gold'")
            .await,
        1
    );
}

use proto::identity::{events::v1::OrganizationCreated, v1::SignUpRequest};
use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::world::{World, code, sign_up};

#[tokio::test(flavor = "multi_thread")]
async fn whoever_signs_up_owns_a_new_organization_and_is_logged_in() {
    let world = World::start().await;
    let answer = world.sign_up("ada@example.com").await;
    let (organization, user) = (answer.organization.unwrap(), answer.user.unwrap());
    assert_eq!(
        (organization.name.as_str(), user.email.as_str()),
        ("Kedai Kopi", "ada@example.com")
    );
    let tokens = answer.tokens.unwrap();
    assert_eq!(tokens.expires_in, 300);

    let caller = world.caller(&tokens.access_token).await.unwrap();
    assert_eq!((caller.kind.as_str(), &caller.id), ("user", &user.id));
    assert_eq!(caller.organization_id, organization.id);
    assert_eq!(caller.role(), proto::identity::v1::Role::Owner);
    assert!(caller.permissions.contains(&"api_keys.manage".to_owned()));

    let events = world.events::<OrganizationCreated>().await;
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].organization_id, organization.id);
    assert_eq!(events[0].owner_user_id, user.id);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_belongs_to_one_person() {
    let world = World::start().await;
    world.sign_up("ada@example.com").await;
    for same in ["ada@example.com", "Ada@Example.COM"] {
        let refused = world
            .client
            .clone()
            .sign_up(sign_up(same))
            .await
            .unwrap_err();
        assert_eq!(
            (refused.code(), code(&refused).as_str()),
            (Code::AlreadyExists, "identity.email_taken")
        );
    }
    assert_eq!(world.events::<OrganizationCreated>().await.len(), 1);
    assert_eq!(world.execute("select from identity.organizations").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_who_take_the_same_address_at_once_do_not_both_get_it() {
    let world = World::start().await;
    let (mut one, mut two) = (world.client.clone(), world.client.clone());
    let (one, two) = tokio::join!(
        one.sign_up(sign_up("ada@example.com")),
        two.sign_up(sign_up("ada@example.com"))
    );
    assert_eq!(u8::from(one.is_ok()) + u8::from(two.is_ok()), 1);
    assert_eq!(world.execute("select from identity.organizations").await, 1);
}

type Spoil = fn(&mut SignUpRequest);

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_field_is_named() {
    let world = World::start().await;
    let cases: [(&str, Spoil); 6] = [
        ("password", |it| {
            "14 characters!".clone_into(&mut it.password);
        }),
        ("password", |it| {
            it.password = "x".repeat(257);
        }),
        ("email", |it| {
            "not an address".clone_into(&mut it.email);
        }),
        ("name", |it| it.name.clear()),
        ("organizationName", |it| it.organization_name.clear()),
        ("organizationName", |it| {
            it.organization_name = "x".repeat(101);
        }),
    ];
    for (field, spoil) in cases {
        let mut request = sign_up("ada@example.com");
        spoil(&mut request);
        let refused = world.client.clone().sign_up(request).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument, "{field}");
        assert_eq!(fields(&refused), [field]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_of_fifteen_characters_is_enough_and_letters_are_counted_not_bytes() {
    let world = World::start().await;
    for (email, password, accepted) in [
        ("a@example.com", "9vX2!mQ7#rT4zW8", true),
        ("b@example.com", "🦀🐌🌧🍜🚃🪁🦉🧵🌋🥁🧊🪐🎋🦔🍪", true),
        ("c@example.com", "🦀🐌🌧🍜🚃🪁🦉🧵🌋🥁🧊🪐🎋🦔", false),
    ] {
        let mut request = sign_up(email);
        request.password = password.to_owned();
        let signed_up = world.client.clone().sign_up(request).await;
        assert_eq!(signed_up.is_ok(), accepted, "{password}");
    }
    assert!(
        world
            .try_log_in("b@example.com", "🦀🐌🌧🍜🚃🪁🦉🧵🌋🥁🧊🪐🎋🦔🍪")
            .await
            .is_ok()
    );
}

pub(crate) fn fields(status: &Status) -> Vec<String> {
    let request = status.get_details_bad_request().unwrap();
    request
        .field_violations
        .into_iter()
        .map(|violation| violation.field)
        .collect()
}

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_consent_is_recorded_once_for_a_key_and_the_last_one_counts() {
    let fixture = Fixture::new().await;
    let service = service(&fixture);
    let contact_id = create_id(&fixture, "+491701").await;
    let said = |granted| RecordConsentRequest {
        contact_id: contact_id.clone(),
        purpose: ConsentPurpose::Marketing.into(),
        granted,
        proof: Some(structure(&[("form", text("https://example.com/signup"))])),
        ..RecordConsentRequest::default()
    };
    let mut ids = Vec::new();
    for _ in 0..2 {
        let asked = asks_with(&fixture, View::default(), Some("c"), said(true));
        let recorded = service
            .record_consent(asked)
            .await
            .expect("a consent")
            .into_inner();
        assert_eq!(
            (recorded.source.as_str(), recorded.granted),
            ("agent", true)
        );
        ids.push(recorded.id);
    }
    assert_eq!(ids[0], ids[1]);
    service
        .record_consent(asks(&fixture, said(false)))
        .await
        .expect("a consent");
    let get = GetContactRequest {
        contact_id: contact_id.clone(),
    };
    let contact = service
        .get_contact(asks(&fixture, get))
        .await
        .expect("a contact")
        .into_inner();
    let [state] = &contact.consents[..] else {
        panic!("one purpose: {contact:?}")
    };
    assert_eq!(
        (state.purpose(), state.granted),
        (ConsentPurpose::Marketing, false)
    );
    let list = ListConsentsRequest {
        contact_id: contact_id.clone(),
        ..ListConsentsRequest::default()
    };
    let listed = service.list_consents(asks(&fixture, list)).await;
    let granted: Vec<bool> = listed
        .expect("a list")
        .into_inner()
        .consents
        .iter()
        .map(|one| one.granted)
        .collect();
    assert_eq!(granted, [false, true]);
    let changed = sqlx::query("update messaging.consents set granted = true")
        .execute(&mut fixture.admin().await)
        .await;
    assert!(changed.is_err(), "nothing said is ever changed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consent_of_the_future_or_with_a_book_for_a_proof_is_refused() {
    let fixture = Fixture::new().await;
    let service = service(&fixture);
    let contact_id = create_id(&fixture, "+491701").await;
    let plain = RecordConsentRequest {
        contact_id,
        purpose: ConsentPurpose::Utility.into(),
        ..RecordConsentRequest::default()
    };
    let future = RecordConsentRequest {
        occurred_at: Some((fixture.now() + chrono::TimeDelta::seconds(1)).into()),
        ..plain.clone()
    };
    let book = RecordConsentRequest {
        proof: Some(structure(&[("book", text(&"x".repeat(5_000)))])),
        ..plain
    };
    for wrong in [future, book] {
        let refused = service.record_consent(asks(&fixture, wrong)).await;
        assert_eq!(refused.expect_err("wrong").code(), Code::InvalidArgument);
    }
    assert_eq!(fixture.count("consents").await, 0);
}

//! What others may see.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_see_contact_details_reads_them_masked_in_every_answer() {
    let fixture = Fixture::new().await;
    let service = service(&fixture);
    let request = CreateContactRequest {
        email: "ada@example.com".to_owned(),
        ..with_phone("+551187654321")
    };
    let asked = asks_with(&fixture, masked(), None, request);
    let first = service
        .create_contact(asked)
        .await
        .expect("a contact")
        .into_inner();
    let asked = asks_with(&fixture, masked(), None, with_phone("+5511987654321"));
    let second = service
        .create_contact(asked)
        .await
        .expect("a contact")
        .into_inner();
    let contact_id = first.contact.clone().expect("a contact").id;
    let other_contact_id = second.contact.clone().expect("a contact").id;
    let message = ListCandidatesRequest {
        contact_id: contact_id.clone(),
    };
    let candidates = service
        .list_candidates(asks_with(&fixture, masked(), None, message))
        .await;
    let message = UpdateContactRequest {
        contact_id: contact_id.clone(),
        name: Some("+55 11 8765-4321".to_owned()),
        ..UpdateContactRequest::default()
    };
    let updated = service
        .update_contact(asks_with(&fixture, masked(), None, message))
        .await;
    let message = MergeContactsRequest {
        contact_id,
        other_contact_id,
    };
    let merged = service
        .merge_contacts(asks_with(&fixture, masked(), None, message))
        .await;
    let merged = merged.expect("a merge").into_inner();
    let message = UndoMergeRequest {
        merge_id: merged.merge_id.clone(),
    };
    let undone = service
        .undo_merge(asks_with(&fixture, masked(), None, message))
        .await;
    let shown = format!(
        "{first:?} {second:?} {candidates:?} {updated:?} {merged:?} {:?}",
        undone.expect("undone").into_inner()
    );
    assert!(shown.contains("*** 321"), "{shown}");
    for hidden in ["8765", "ada@", "example"] {
        assert!(!shown.contains(hidden), "{hidden} in {shown}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_of_another_organization_are_as_unknown_as_random_ones() {
    let mut fixture = Fixture::new().await;
    let contact = create_id(&fixture, "+491701").await;
    let other = create_id(&fixture, "+491702").await;
    let note = CreateContactNoteRequest {
        contact_id: contact.clone(),
        body: "x".to_owned(),
    };
    let note = service(&fixture)
        .create_contact_note(asks(&fixture, note))
        .await;
    let note = note.expect("a note").into_inner().id;
    let message = MergeContactsRequest {
        contact_id: contact.clone(),
        other_contact_id: other,
    };
    let merge = service(&fixture)
        .merge_contacts(asks(&fixture, message))
        .await;
    let merge = merge.expect("a merge").into_inner().merge_id;
    fixture.add_tenant("1002").await;
    let own = create_id(&fixture, "+491701").await;
    let foreign = [contact, note, merge];
    let random = [
        ids::ContactId::generate().to_string(),
        ids::ContactNoteId::generate().to_string(),
        ids::MergeId::generate().to_string(),
    ];
    let mut answers = Vec::new();
    for [contact_id, contact_note_id, merge_id] in [foreign, random] {
        answers.push(refusals(&fixture, &own, contact_id, contact_note_id, merge_id).await);
    }
    assert_eq!(answers[0], answers[1]);
    assert!(
        answers[0].iter().all(|(code, _)| *code == Code::NotFound),
        "{answers:?}"
    );
    assert_eq!(fixture.count("contact_notes where body = 'x'").await, 1);
}

/// What every RPC that names something says of these ids.
async fn refusals(
    fixture: &Fixture,
    own: &str,
    contact_id: String,
    contact_note_id: String,
    merge_id: String,
) -> Vec<(Code, String)> {
    let service = service(fixture);
    let of = |contact_id: &str, other: &str| MergeContactsRequest {
        contact_id: contact_id.to_owned(),
        other_contact_id: other.to_owned(),
    };
    macro_rules! refused {
        ($($rpc:ident($message:expr)),+ $(,)?) => {
            vec![$(service.$rpc(asks(fixture, $message)).await.err()),+]
        };
    }
    let refused = refused![
        update_contact(UpdateContactRequest {
            contact_id: contact_id.clone(),
            ..UpdateContactRequest::default()
        }),
        list_candidates(ListCandidatesRequest {
            contact_id: contact_id.clone()
        }),
        merge_contacts(of(&contact_id, own)),
        merge_contacts(of(own, &contact_id)),
        undo_merge(UndoMergeRequest { merge_id }),
        record_consent(RecordConsentRequest {
            contact_id: contact_id.clone(),
            purpose: ConsentPurpose::Utility.into(),
            ..RecordConsentRequest::default()
        }),
        list_consents(ListConsentsRequest {
            contact_id: contact_id.clone(),
            ..ListConsentsRequest::default()
        }),
        block_contact(BlockContactRequest {
            contact_id: contact_id.clone()
        }),
        unblock_contact(UnblockContactRequest {
            contact_id: contact_id.clone()
        }),
        list_merges(ListMergesRequest {
            contact_id: contact_id.clone(),
            ..ListMergesRequest::default()
        }),
        create_contact_note(CreateContactNoteRequest {
            contact_id: contact_id.clone(),
            body: "y".to_owned()
        }),
        update_contact_note(UpdateContactNoteRequest {
            contact_note_id: contact_note_id.clone(),
            body: "y".to_owned()
        }),
        delete_contact_note(DeleteContactNoteRequest { contact_note_id }),
        list_contact_notes(ListContactNotesRequest {
            contact_id,
            ..ListContactNotesRequest::default()
        }),
    ];
    let refused = refused.into_iter().map(|status| status.expect("a refusal"));
    refused
        .map(|status| (status.code(), status.message().to_owned()))
        .collect()
}

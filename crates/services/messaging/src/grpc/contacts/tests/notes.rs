use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn notes_are_written_once_for_a_key_changed_and_deleted() {
    let fixture = Fixture::new().await;
    let service = service(&fixture);
    let contact_id = create_id(&fixture, "+491701").await;
    let message = CreateContactNoteRequest {
        contact_id: contact_id.clone(),
        body: "Likes tea".to_owned(),
    };
    let mut ids = Vec::new();
    for _ in 0..2 {
        let asked = asks_with(&fixture, View::default(), Some("n"), message.clone());
        ids.push(
            service
                .create_contact_note(asked)
                .await
                .expect("a note")
                .into_inner()
                .id,
        );
    }
    assert_eq!(ids[0], ids[1]);
    let message = UpdateContactNoteRequest {
        contact_note_id: ids[0].clone(),
        body: "Likes coffee".to_owned(),
    };
    service
        .update_contact_note(asks(&fixture, message))
        .await
        .expect("a note");
    let list = ListContactNotesRequest {
        contact_id,
        ..ListContactNotesRequest::default()
    };
    let listed = service
        .list_contact_notes(asks(&fixture, list.clone()))
        .await;
    let notes = listed.expect("notes").into_inner().notes;
    assert_eq!(notes.len(), 1);
    assert_eq!(notes[0].body, "Likes coffee");
    assert!(notes[0].author.starts_with("user:usr_"));
    let delete = DeleteContactNoteRequest {
        contact_note_id: ids[0].clone(),
    };
    service
        .delete_contact_note(asks(&fixture, delete.clone()))
        .await
        .expect("deleted");
    let again = service.delete_contact_note(asks(&fixture, delete)).await;
    assert_eq!(again.expect_err("gone").code(), Code::NotFound);
    let listed = service.list_contact_notes(asks(&fixture, list)).await;
    assert_eq!(listed.expect("notes").into_inner().notes, []);
}

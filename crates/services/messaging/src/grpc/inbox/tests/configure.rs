//! Labels, views and saved replies.

use proto::messaging::v1::ConversationFilter;

use super::*;

fn as_program<T>(desk: &Desk, message: T) -> Request<T> {
    let mut request = desk.asks(UserId::generate(), message);
    let context = request.extensions_mut().get_mut::<auth::RequestContext>();
    let context = context.expect("a context");
    if let Some(Principal::User { member, .. }) = context.principal.clone() {
        context.principal = Some(Principal::ApiKey {
            id: ids::ApiKeyId::generate(),
            member,
        });
    }
    request
}

#[tokio::test(flavor = "multi_thread")]
async fn labels_have_names_of_their_own_and_are_listed_by_them() {
    let desk = Desk::new().await;
    let me = desk.agent().await;
    let (vip, late) = (desk.label(me, "VIP").await, desk.label(me, "Late").await);
    let taken = CreateLabelRequest {
        name: "vip".to_owned(),
        color: "#000000".to_owned(),
    };
    let refused = desk
        .inbox
        .create_label(desk.asks(me, taken))
        .await
        .expect_err("taken");
    assert_eq!(code(&refused), "messaging.name_taken");
    let renamed = UpdateLabelRequest {
        label_id: vip.id.clone(),
        name: "Important".to_owned(),
        color: "#ff0000".to_owned(),
    };
    let renamed = desk
        .inbox
        .update_label(desk.asks(me, renamed))
        .await
        .expect("renamed");
    let renamed = renamed.into_inner();
    assert_eq!(renamed.color, "#ff0000");
    let page = |token: String| ListLabelsRequest {
        page_size: 1,
        page_token: token,
    };
    let first = desk
        .inbox
        .list_labels(desk.asks(me, page(String::new())))
        .await;
    let first = first.expect("a page").into_inner();
    assert_eq!(first.labels, [renamed]);
    let second = desk
        .inbox
        .list_labels(desk.asks(me, page(first.next_page_token)))
        .await;
    let second = second.expect("a page").into_inner();
    assert_eq!(
        (second.labels, second.next_page_token),
        (vec![late], String::new())
    );
    let unknown = UpdateLabelRequest {
        label_id: LabelId::generate().to_string(),
        name: "x".to_owned(),
        color: "#000000".to_owned(),
    };
    let refused = desk.inbox.update_label(desk.asks(me, unknown)).await;
    assert_eq!(refused.expect_err("unknown").code(), Code::NotFound);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_view_is_its_owners_until_it_is_shared() {
    let desk = Desk::new().await;
    let (me, other) = (desk.agent().await, desk.agent().await);
    let filter = ConversationFilter {
        assignee: "me".to_owned(),
        statuses: vec![ConversationStatus::Open.into()],
        ..ConversationFilter::default()
    };
    let create = CreateViewRequest {
        name: "Mine".to_owned(),
        filter: Some(filter.clone()),
    };
    let view = desk.inbox.create_view(desk.asks(me, create)).await;
    let view = view.expect("a view").into_inner();
    assert_eq!((view.filter.as_ref(), view.shared), (Some(&filter), false));
    let listed = async |who| {
        let request = desk.asks(who, ListViewsRequest::default());
        desk.inbox
            .list_views(request)
            .await
            .expect("views")
            .into_inner()
            .views
    };
    assert_eq!(listed(me).await, std::slice::from_ref(&view));
    assert!(listed(other).await.is_empty());
    let share = ShareViewRequest {
        view_id: view.id.clone(),
        shared: true,
    };
    let refused = desk.inbox.share_view(desk.asks(other, share.clone())).await;
    assert_eq!(refused.expect_err("not its own").code(), Code::NotFound);
    desk.inbox
        .share_view(desk.asks(me, share.clone()))
        .await
        .expect("shared");
    assert_eq!(listed(other).await.len(), 1);

    let update = UpdateViewRequest {
        view_id: view.id.clone(),
        name: "Ours".to_owned(),
        filter: Some(ConversationFilter::default()),
    };
    let delete = DeleteViewRequest {
        view_id: view.id.clone(),
    };
    for refused in [
        desk.inbox
            .update_view(desk.asks(other, update.clone()))
            .await
            .err(),
        desk.inbox
            .delete_view(desk.asks(other, delete.clone()))
            .await
            .err(),
    ] {
        assert_eq!(refused.expect("only its owner").code(), Code::NotFound);
    }
    let updated = desk
        .inbox
        .update_view(desk.asks(me, update))
        .await
        .expect("updated");
    assert_eq!(updated.into_inner().name, "Ours");
    // Whoever configures the inbox takes back what others share.
    let unshare = ShareViewRequest {
        shared: false,
        ..share
    };
    desk.inbox
        .share_view(desk.asks(other, unshare))
        .await
        .expect("taken back");
    assert!(listed(other).await.is_empty());
    desk.inbox
        .delete_view(desk.asks(me, delete))
        .await
        .expect("deleted");
    assert!(listed(me).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn only_people_make_views_and_only_of_filters_that_a_list_takes() {
    let desk = Desk::new().await;
    let me = desk.agent().await;
    let create = CreateViewRequest {
        name: "Mine".to_owned(),
        filter: Some(ConversationFilter::default()),
    };
    let wrong = CreateViewRequest {
        filter: Some(ConversationFilter {
            assignee: "whoever".to_owned(),
            ..ConversationFilter::default()
        }),
        ..create.clone()
    };
    let refused = desk
        .inbox
        .create_view(desk.asks(me, wrong))
        .await
        .expect_err("wrong");
    assert_eq!(refused.code(), Code::InvalidArgument);
    let refused = desk
        .inbox
        .create_view(as_program(&desk, create))
        .await
        .expect_err("a program");
    assert_eq!(code(&refused), "messaging.person_wanted");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_reads_and_is_mentioned_nowhere() {
    let desk = Desk::new().await;
    let read = MarkReadRequest {
        conversation_id: desk.thread.id.to_string(),
    };
    let refusals = [
        desk.inbox.mark_read(as_program(&desk, read)).await.err(),
        desk.inbox
            .list_mentions(as_program(&desk, ListMentionsRequest::default()))
            .await
            .err(),
    ];
    for refused in refusals {
        assert_eq!(code(&refused.expect("refused")), "messaging.person_wanted");
    }
}

fn reply(shortcut: &str, body: &str) -> CreateCannedReplyRequest {
    CreateCannedReplyRequest {
        shortcut: shortcut.to_owned(),
        title: "Greeting".to_owned(),
        body: body.to_owned(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn saved_replies_are_found_by_their_beginning_and_filled_for_the_contact() {
    let desk = Desk::new().await;
    let me = desk.agent().await;
    desk.customer_writes(1).await;
    for (shortcut, body) in [
        (
            "hello",
            "Hi {{contact.first_name|there}}, {{contact.phone}}",
        ),
        ("help", "How can I help?"),
        ("bye", "Bye"),
    ] {
        let request = desk.asks(me, reply(shortcut, body));
        desk.inbox
            .create_canned_reply(request)
            .await
            .expect("saved");
    }
    let list = ListCannedRepliesRequest {
        shortcut: "he".to_owned(),
        conversation_id: desk.thread.id.to_string(),
        ..ListCannedRepliesRequest::default()
    };
    let found = async |sees: Sees| {
        let request = desk.asks_seeing(me, sees, list.clone());
        let listed = desk
            .inbox
            .list_canned_replies(request)
            .await
            .expect("replies");
        let replies = listed.into_inner().canned_replies.into_iter();
        replies.map(|one| one.filled).collect::<Vec<_>>()
    };
    assert_eq!(
        found(Sees::default()).await,
        [format!("Hi Ada, +{PHONE}"), "How can I help?".to_owned()]
    );
    let masked = Sees {
        hides_contact_details: true,
        ..Sees::default()
    };
    assert_eq!(found(masked).await[0], "Hi Ada, +49 *** 678");
}

#[tokio::test(flavor = "multi_thread")]
async fn saved_replies_are_changed_by_who_read_the_newest() {
    let desk = Desk::new().await;
    let me = desk.agent().await;
    let saved = desk
        .inbox
        .create_canned_reply(desk.asks(me, reply("hello", "Hi")))
        .await;
    let saved = saved.expect("saved").into_inner();
    for (request, expected) in [
        (reply("hello", "Hi"), "messaging.name_taken"),
        (reply("other", "Hi {{agent.iq}}"), "request.invalid"),
    ] {
        let refused = desk.inbox.create_canned_reply(desk.asks(me, request)).await;
        assert_eq!(code(&refused.expect_err("refused")), expected);
    }
    let update = |version| UpdateCannedReplyRequest {
        canned_reply_id: saved.id.clone(),
        shortcut: "hi".to_owned(),
        title: "Greeting".to_owned(),
        body: "Hi!".to_owned(),
        version,
    };
    let changed = desk
        .inbox
        .update_canned_reply(desk.asks(me, update(1)))
        .await;
    assert_eq!(changed.expect("changed").into_inner().version, 2);
    let refused = desk
        .inbox
        .update_canned_reply(desk.asks(me, update(1)))
        .await;
    assert_eq!(code(&refused.expect_err("older")), "conflict");
    let delete = DeleteCannedReplyRequest {
        canned_reply_id: saved.id.clone(),
    };
    desk.inbox
        .delete_canned_reply(desk.asks(me, delete.clone()))
        .await
        .expect("deleted");
    let gone = desk.inbox.delete_canned_reply(desk.asks(me, delete)).await;
    assert_eq!(gone.expect_err("gone").code(), Code::NotFound);
}

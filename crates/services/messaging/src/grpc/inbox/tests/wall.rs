//! What is not within reach does not exist: of other organizations, and of others in one's own.

use auth::Conversations;
use ids::ConversationId;
use proto::messaging::v1::{
    ListConversationsRequest, MessageContent, OpenConversationRequest, SendMessageRequest, Text,
    WatchEventsRequest, change_conversations_request::Change as Asked,
};

use super::*;

fn sees(conversations: Conversations, teams: Vec<TeamId>) -> Sees {
    Sees {
        conversations,
        teams,
        ..Sees::default()
    }
}

fn text(id: &str) -> SendMessageRequest {
    let text = Text {
        body: "Hi".to_owned(),
        preview_url: false,
    };
    SendMessageRequest {
        conversation_id: id.to_owned(),
        content: Some(MessageContent {
            kind: Some(Kind::Text(text)),
        }),
        ..SendMessageRequest::default()
    }
}

/// Every RPC about one conversation, and what each refused with.
async fn refusals(desk: &Desk, who: UserId, view: &Sees, id: &str) -> Vec<Option<Status>> {
    let conversation_id = || id.to_owned();
    macro_rules! ask {
        ($service:ident.$rpc:ident($message:expr)) => {
            desk.$service
                .$rpc(desk.asks_seeing(who, view.clone(), $message))
                .await
                .err()
        };
    }
    vec![
        ask!(messaging.get_conversation(GetConversationRequest {
            conversation_id: conversation_id()
        })),
        ask!(messaging.list_messages(ListMessagesRequest {
            conversation_id: conversation_id(),
            ..Default::default()
        })),
        ask!(messaging.send_message(text(id))),
        ask!(inbox.assign_conversation(AssignConversationRequest {
            conversation_id: conversation_id(),
            assignee_id: who.to_string(),
            ..Default::default()
        })),
        ask!(inbox.set_conversation_status(SetConversationStatusRequest {
            conversation_id: conversation_id(),
            status: ConversationStatus::Resolved.into(),
            ..Default::default()
        })),
        ask!(
            inbox.set_conversation_priority(SetConversationPriorityRequest {
                conversation_id: conversation_id(),
                priority: Priority::Low.into(),
                version: 0,
            })
        ),
        ask!(inbox.label_conversation(LabelConversationRequest {
            conversation_id: conversation_id(),
            ..Default::default()
        })),
        ask!(inbox.create_note(CreateNoteRequest {
            conversation_id: conversation_id(),
            body: "x".to_owned(),
            mentioned_user_ids: Vec::new(),
        })),
        ask!(inbox.add_participants(AddParticipantsRequest {
            conversation_id: conversation_id(),
            user_ids: vec![who.to_string()],
        })),
        ask!(inbox.remove_participant(RemoveParticipantRequest {
            conversation_id: conversation_id(),
            user_id: who.to_string(),
        })),
        ask!(inbox.list_participants(ListParticipantsRequest {
            conversation_id: conversation_id()
        })),
        ask!(inbox.mark_read(MarkReadRequest {
            conversation_id: conversation_id()
        })),
        ask!(inbox.list_canned_replies(ListCannedRepliesRequest {
            conversation_id: conversation_id(),
            ..Default::default()
        })),
    ]
}

async fn listed(desk: &Desk, who: UserId, view: &Sees) -> usize {
    let request = desk.asks_seeing(who, view.clone(), ListConversationsRequest::default());
    let answer = desk.messaging.list_conversations(request).await;
    answer.expect("a list").into_inner().conversations.len()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_sees_only_assigned_conversations_meets_no_other_in_any_method() {
    let desk = Desk::new().await;
    let me = desk.agent().await;
    let team = desk.team(&[me]).await;
    let id = desk.thread.id.to_string();
    let rows = [
        "messages",
        "outbox",
        "conversation_participants",
        "conversation_reads",
    ];
    for view in [
        sees(Conversations::Own, vec![team]),
        sees(Conversations::Team, vec![team]),
    ] {
        for refused in refusals(&desk, me, &view, &id).await {
            assert_eq!(refused.expect("a refusal").code(), Code::NotFound);
        }
        assert_eq!(listed(&desk, me, &view).await, 0);
        let request = ChangeConversationsRequest {
            conversation_ids: vec![id.clone()],
            change: Some(Asked::Priority(Priority::Low.into())),
        };
        let answer = desk
            .inbox
            .change_conversations(desk.asks_seeing(me, view, request))
            .await;
        let answer = answer.expect("an answer").into_inner();
        assert_eq!(
            (answer.changed, answer.refused[0].code.as_str()),
            (0, "not_found")
        );
    }
    for table in rows {
        assert_eq!(desk.fixture.count(table).await, 0, "{table}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_assigned_followed_or_of_the_team_is_within_reach() {
    let desk = Desk::new().await;
    let (owner, me) = (desk.agent().await, desk.agent().await);
    let team = desk.team(&[me]).await;
    let own = sees(Conversations::Own, vec![team]);
    let of_team = sees(Conversations::Team, vec![team]);
    let reach = async || {
        (
            listed(&desk, me, &own).await,
            listed(&desk, me, &of_team).await,
        )
    };

    desk.assign(owner, None, Some(team))
        .await
        .expect("to the team");
    assert_eq!(reach().await, (0, 1));
    desk.assign(owner, Some(me), None).await.expect("to me");
    assert_eq!(reach().await, (1, 1));
    desk.assign(owner, None, None).await.expect("to nobody");
    assert_eq!(reach().await, (0, 0));
    let request = CreateNoteRequest {
        conversation_id: desk.thread.id.to_string(),
        body: "look".to_owned(),
        mentioned_user_ids: vec![me.to_string()],
    };
    desk.inbox
        .create_note(desk.asks(owner, request))
        .await
        .expect("a note");
    assert_eq!(reach().await, (1, 1));

    desk.assign(owner, Some(me), None).await.expect("to me");
    let id = desk.thread.id.to_string();
    let refused: Vec<_> = refusals(&desk, me, &own, &id).await;
    let refused: Vec<_> = refused.into_iter().flatten().collect();
    assert!(refused.is_empty(), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_gives_a_conversation_away_has_it_no_more() {
    let desk = Desk::new().await;
    let (me, other) = (desk.agent().await, desk.agent().await);
    let own = sees(Conversations::Own, Vec::new());
    desk.assign(other, Some(me), None).await.expect("to me");
    let request = AssignConversationRequest {
        conversation_id: desk.thread.id.to_string(),
        assignee_id: other.to_string(),
        ..Default::default()
    };
    let given = desk
        .inbox
        .assign_conversation(desk.asks_seeing(me, own.clone(), request))
        .await;
    assert_eq!(
        given.expect("given").into_inner().assignee_id,
        other.to_string()
    );
    assert_eq!(listed(&desk, me, &own).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_sees_only_its_own_follows_what_it_opens_and_gets_into_nothing_else() {
    let desk = Desk::new().await;
    let me = desk.agent().await;
    let own = sees(Conversations::Own, Vec::new());
    let open = |phone: &str| OpenConversationRequest {
        channel_id: desk.fixture.route.channel_id.to_string(),
        phone: format!("+{phone}"),
        contact_name: String::new(),
    };
    let theirs = desk
        .messaging
        .open_conversation(desk.asks_seeing(me, own.clone(), open(PHONE)));
    assert_eq!(theirs.await.expect_err("of others").code(), Code::NotFound);
    for _ in 0..2 {
        let request = desk.asks_seeing(me, own.clone(), open("4915112345678"));
        desk.messaging
            .open_conversation(request)
            .await
            .expect("a new one");
    }
    assert_eq!(listed(&desk, me, &own).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn conversations_of_another_organization_are_as_unknown_as_none() {
    let mut desk = Desk::new().await;
    let foreign = desk.thread.id.to_string();
    let stranger = desk.agent().await;
    let team = desk.team(&[stranger]).await;
    let label = desk.label(stranger, "VIP").await.id;
    desk.fixture.add_tenant("1002").await;
    let me = desk.agent().await;
    for id in [foreign, ConversationId::generate().to_string()] {
        for refused in refusals(&desk, me, &Sees::default(), &id).await {
            assert_eq!(refused.expect("a refusal").code(), Code::NotFound);
        }
    }
    // Its people, teams and labels are not known here either.
    desk.thread = desk.fixture.conversation("4930").await;
    let refused = desk
        .assign(me, Some(stranger), None)
        .await
        .expect_err("a stranger");
    assert_eq!(code(&refused), "messaging.assignee_unknown");
    let refused = desk
        .assign(me, None, Some(team))
        .await
        .expect_err("a foreign team");
    assert_eq!(code(&refused), "messaging.team_unknown");
    let request = LabelConversationRequest {
        conversation_id: desk.thread.id.to_string(),
        add_label_ids: vec![label],
        remove_label_ids: Vec::new(),
    };
    let refused = desk.inbox.label_conversation(desk.asks(me, request)).await;
    assert_eq!(
        code(&refused.expect_err("a foreign label")),
        "messaging.label_unknown"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_organization_set_up_is_neither_listed_nor_changed() {
    let mut desk = Desk::new().await;
    let stranger = desk.agent().await;
    let label_id = desk.label(stranger, "VIP").await.id;
    let create = CreateViewRequest {
        name: "All".to_owned(),
        filter: Some(proto::messaging::v1::ConversationFilter::default()),
    };
    let view = desk.inbox.create_view(desk.asks(stranger, create)).await;
    let view_id = view.expect("a view").into_inner().id;
    let share = ShareViewRequest {
        view_id: view_id.clone(),
        shared: true,
    };
    let shared = desk
        .inbox
        .share_view(desk.asks(stranger, share.clone()))
        .await;
    shared.expect("shared");
    let reply = CreateCannedReplyRequest {
        shortcut: "hi".to_owned(),
        title: "Hi".to_owned(),
        body: "Hi".to_owned(),
    };
    let reply = desk
        .inbox
        .create_canned_reply(desk.asks(stranger, reply))
        .await;
    let canned_reply_id = reply.expect("a reply").into_inner().id;

    desk.fixture.add_tenant("1002").await;
    // The same person, in another organization.
    macro_rules! ask {
        ($rpc:ident($message:expr)) => {
            desk.inbox.$rpc(desk.asks(stranger, $message)).await
        };
    }
    let refused = [
        ask!(delete_label(DeleteLabelRequest { label_id })).err(),
        ask!(share_view(share)).err(),
        ask!(delete_view(DeleteViewRequest { view_id })).err(),
        ask!(delete_canned_reply(DeleteCannedReplyRequest {
            canned_reply_id
        }))
        .err(),
    ];
    for refused in refused {
        assert_eq!(refused.expect("a refusal").code(), Code::NotFound);
    }
    let labels = ask!(list_labels(ListLabelsRequest::default())).expect("labels");
    let views = ask!(list_views(ListViewsRequest::default())).expect("views");
    let replies = ask!(list_canned_replies(ListCannedRepliesRequest::default()));
    assert!(labels.into_inner().labels.is_empty());
    assert!(views.into_inner().views.is_empty());
    let replies = replies.expect("replies").into_inner();
    assert!(replies.canned_replies.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_tells_of_a_conversation_while_it_is_within_reach() {
    use futures::StreamExt as _;
    let desk = Desk::new().await;
    let (owner, me) = (desk.agent().await, desk.agent().await);
    let own = sees(Conversations::Own, Vec::new());
    let hub = desk.messaging.hub.clone();
    let stop = tokio_util::sync::CancellationToken::new();
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(hub.run(stop.clone()));
    let watch = async |who: UserId, view: Sees| {
        let request = desk.asks_seeing(who, view, WatchEventsRequest::default());
        desk.messaging
            .watch_events(request)
            .await
            .expect("a stream")
            .into_inner()
    };
    let (mut all, mut mine) = (watch(owner, Sees::default()).await, watch(me, own).await);
    let second = desk.fixture.conversation("4917012345679").await;
    let note = |id: String, body: &str| CreateNoteRequest {
        conversation_id: id,
        body: body.to_owned(),
        mentioned_user_ids: Vec::new(),
    };
    desk.assign(owner, Some(me), None).await.expect("to me");
    let theirs = desk.asks(owner, note(second.id.to_string(), "theirs"));
    desk.inbox.create_note(theirs).await.expect("a note");
    let ours = desk.asks(owner, note(desk.thread.id.to_string(), "ours"));
    desk.inbox.create_note(ours).await.expect("a note");

    let mut seen = [Vec::new(), Vec::new()];
    for (stream, (kinds, wanted)) in [&mut all, &mut mine]
        .into_iter()
        .zip(seen.iter_mut().zip([4, 3]))
    {
        while kinds.len() < wanted {
            let event = stream.next().await.expect("open").expect("an event");
            if event.r#type != "heartbeat" {
                kinds.push(event.r#type);
            }
        }
    }
    stop.cancel();
    tasks.join_all().await;
    assert_eq!(
        seen[0],
        [
            "conversation.changed",
            "conversation.assigned",
            "note.created",
            "note.created"
        ]
    );
    assert_eq!(
        seen[1],
        [
            "conversation.changed",
            "conversation.assigned",
            "note.created"
        ]
    );
}

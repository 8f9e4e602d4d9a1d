//! Conversations as lists show them.

use proto::messaging::v1::{ListConversationsRequest, MessageContent, SendMessageRequest, Text};

use super::*;

async fn listed(desk: &Desk, who: UserId, request: ListConversationsRequest) -> Vec<String> {
    let answer = desk
        .messaging
        .list_conversations(desk.asks(who, request))
        .await;
    let conversations = answer.expect("a list").into_inner().conversations;
    conversations.into_iter().map(|one| one.id).collect()
}

/// Two conversations: one that a person of a team works on, and one that nobody has.
struct Two {
    desk: Desk,
    me: UserId,
    team: TeamId,
    vip: String,
    mine: String,
    free: String,
}

impl Two {
    async fn new() -> Self {
        let desk = Desk::new().await;
        let me = desk.agent().await;
        let team = desk.team(&[me]).await;
        let mine = desk.thread.id.to_string();
        desk.fixture.hand.advance(std::time::Duration::from_secs(1));
        let free = desk.fixture.conversation("4917012345679").await;
        desk.assign(me, Some(me), Some(team))
            .await
            .expect("assigned");
        desk.customer_writes(1).await;
        let vip = desk.label(me, "VIP").await.id;
        let label = LabelConversationRequest {
            conversation_id: mine.clone(),
            add_label_ids: vec![vip.clone()],
            remove_label_ids: Vec::new(),
        };
        let labelled = desk.inbox.label_conversation(desk.asks(me, label)).await;
        labelled.expect("labelled");
        let high = SetConversationPriorityRequest {
            conversation_id: mine.clone(),
            priority: Priority::High.into(),
            version: 0,
        };
        let ranked = desk
            .inbox
            .set_conversation_priority(desk.asks(me, high))
            .await;
        ranked.expect("high");
        Self {
            free: free.id.to_string(),
            desk,
            me,
            team,
            vip,
            mine,
        }
    }

    /// Who is asked for and who is shown: `mine`, `free`, both or none.
    async fn shows(&self, request: ListConversationsRequest, expected: &[&str]) {
        let found = listed(&self.desk, self.me, request.clone()).await;
        let mut found: Vec<&str> = found
            .iter()
            .map(|id| match id {
                id if *id == self.mine => "mine",
                id if *id == self.free => "free",
                other => other,
            })
            .collect();
        found.sort_unstable();
        assert_eq!(found, expected, "{request:?}");
    }
}

fn all() -> ListConversationsRequest {
    ListConversationsRequest::default()
}

fn assignee(who: &str) -> ListConversationsRequest {
    ListConversationsRequest {
        assignee: who.to_owned(),
        ..all()
    }
}

fn team(which: &str) -> ListConversationsRequest {
    ListConversationsRequest {
        team: which.to_owned(),
        ..all()
    }
}

fn open(request: ListConversationsRequest) -> ListConversationsRequest {
    ListConversationsRequest {
        status: ConversationStatus::Open.into(),
        ..request
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_shows_whose_conversations_were_asked_for() {
    let two = Two::new().await;
    let (me, of) = (two.me.to_string(), two.team.to_string());
    let nobody_here = UserId::generate().to_string();
    let no_team = TeamId::generate().to_string();
    for (request, expected) in [
        (all(), &["free", "mine"][..]),
        (open(all()), &["free", "mine"]),
        (assignee("me"), &["mine"]),
        (assignee(&me), &["mine"]),
        (open(assignee("me")), &["mine"]),
        (assignee("nobody"), &["free"]),
        (open(assignee("nobody")), &["free"]),
        (assignee(&nobody_here), &[]),
        (team("mine"), &["mine"]),
        (team(&of), &["mine"]),
        (open(team(&of)), &["mine"]),
        (team(&no_team), &[]),
    ] {
        two.shows(request, expected).await;
    }
    let other = two.desk.agent().await;
    assert!(listed(&two.desk, other, team("mine")).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_shows_only_what_fits_every_condition() {
    let two = Two::new().await;
    let late = two.desk.label(two.me, "Late").await.id;
    let statuses = |some: [ConversationStatus; 2]| ListConversationsRequest {
        statuses: some.iter().map(|&one| one.into()).collect(),
        ..all()
    };
    let channel = |id: String| ListConversationsRequest {
        channel_ids: vec![id],
        ..all()
    };
    let labels = |ids: Vec<String>| ListConversationsRequest {
        label_ids: ids,
        ..all()
    };
    let priority = |one: Priority| ListConversationsRequest {
        priorities: vec![one.into()],
        ..all()
    };
    let with = |change: fn(&mut ListConversationsRequest)| {
        let mut request = all();
        change(&mut request);
        request
    };
    let (opened, pending) = (ConversationStatus::Open, ConversationStatus::Pending);
    let ours = two.desk.fixture.route.channel_id.to_string();
    for (request, expected) in [
        (statuses([opened, pending]), &["free", "mine"][..]),
        (statuses([ConversationStatus::Resolved, pending]), &[]),
        (channel(ours), &["free", "mine"]),
        (channel(ids::ChannelId::generate().to_string()), &[]),
        (labels(vec![two.vip.clone()]), &["mine"]),
        (labels(vec![two.vip.clone(), late]), &[]),
        (priority(Priority::High), &["mine"]),
        (priority(Priority::None), &["free"]),
        (with(|wanted| wanted.unanswered = true), &["mine"]),
        (with(|wanted| wanted.unread = true), &["mine"]),
        (with(|wanted| wanted.participating = true), &[]),
    ] {
        two.shows(request, expected).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_a_filtered_list_hold_each_conversation_once_the_newest_first() {
    let desk = Desk::new().await;
    let me = desk.agent().await;
    let mut expected = vec![desk.thread.id.to_string()];
    for number in 0..4 {
        desk.fixture.hand.advance(std::time::Duration::from_secs(1));
        let thread = desk.fixture.conversation(&format!("49170{number}")).await;
        expected.insert(0, thread.id.to_string());
    }
    let mut token = String::new();
    let mut seen = Vec::new();
    loop {
        let request = ListConversationsRequest {
            page_size: 2,
            page_token: token,
            assignee: "nobody".to_owned(),
            ..ListConversationsRequest::default()
        };
        let answer = desk
            .messaging
            .list_conversations(desk.asks(me, request))
            .await;
        let page = answer.expect("a page").into_inner();
        seen.extend(page.conversations.into_iter().map(|one| one.id));
        token = page.next_page_token;
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(seen, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_that_means_nothing_is_refused() {
    let desk = Desk::new().await;
    let me = desk.agent().await;
    for request in [
        ListConversationsRequest {
            assignee: "somebody".to_owned(),
            ..Default::default()
        },
        ListConversationsRequest {
            team: "us".to_owned(),
            ..Default::default()
        },
        ListConversationsRequest {
            statuses: vec![99],
            ..Default::default()
        },
        ListConversationsRequest {
            priorities: vec![0],
            ..Default::default()
        },
    ] {
        let refused = desk
            .messaging
            .list_conversations(desk.asks(me, request))
            .await;
        assert_eq!(refused.expect_err("refused").code(), Code::InvalidArgument);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answered_conversation_is_not_unanswered_any_more() {
    let desk = Desk::new().await;
    let me = desk.agent().await;
    desk.customer_writes(1).await;
    let text = Text {
        body: "Hi".to_owned(),
        preview_url: false,
    };
    let request = SendMessageRequest {
        conversation_id: desk.thread.id.to_string(),
        content: Some(MessageContent {
            kind: Some(Kind::Text(text)),
        }),
        ..SendMessageRequest::default()
    };
    desk.messaging
        .send_message(desk.asks(me, request))
        .await
        .expect("sent");
    let unanswered = ListConversationsRequest {
        unanswered: true,
        ..ListConversationsRequest::default()
    };
    assert!(listed(&desk, me, unanswered).await.is_empty());
}

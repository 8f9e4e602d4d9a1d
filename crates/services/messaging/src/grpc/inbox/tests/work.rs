//! Giving, holding, ranking and labelling conversations.

use proto::messaging::{
    events::v1::{ConversationAssigned, ConversationChanged},
    v1::{Assignment, change_conversations_request::Change as Asked},
};

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_is_given_to_a_person_and_a_team_and_everybody_learns_it() {
    let desk = Desk::new().await;
    let (me, other) = (desk.agent().await, desk.agent().await);
    let team = desk.team(&[other]).await;
    let given = desk
        .assign(me, Some(other), Some(team))
        .await
        .expect("given");
    assert_eq!(given.assignee_id, other.to_string());
    assert_eq!(given.team_id, team.to_string());
    assert_eq!(given.version, 2);
    // Once more changes nothing and tells nothing.
    let again = desk
        .assign(me, Some(other), Some(team))
        .await
        .expect("again");
    assert_eq!(again, given);
    let taken = desk.assign(me, None, Some(team)).await.expect("taken");
    assert!(taken.assignee_id.is_empty());

    let (other, team) = (other.to_string(), team.to_string());
    let author = format!("user:{me}");
    let lines = [
        (author.clone(), line("team", "", &team)),
        (author.clone(), line("assignee", "", &other)),
        (author, line("assignee", &other, "")),
    ];
    assert_eq!(desk.activities(me).await, lines);
    let told = desk.events::<ConversationAssigned>().await;
    assert_eq!(told.len(), 2);
    assert_eq!(
        (&told[1].assignee_id, &told[1].previous_assignee_id),
        (&String::new(), &other)
    );
    assert_eq!(told[1].team_id, team);
    let changed = desk.events::<ConversationChanged>().await;
    assert_eq!(changed[0].changed, ["team", "assignee"]);
    assert_eq!(changed[1].version, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_active_members_and_teams_that_exist_get_conversations() {
    let desk = Desk::new().await;
    let me = desk.agent().await;
    let (left, gone) = (desk.agent().await, desk.team(&[me]).await);
    desk.tell(left, false).await;
    desk.tell_team(gone, None).await;
    for nobody in [left, UserId::generate()] {
        let refused = desk
            .assign(me, Some(nobody), None)
            .await
            .expect_err("refused");
        assert_eq!(code(&refused), "messaging.assignee_unknown");
    }
    for nothing in [gone, TeamId::generate()] {
        let refused = desk
            .assign(me, None, Some(nothing))
            .await
            .expect_err("refused");
        assert_eq!(code(&refused), "messaging.team_unknown");
    }
    assert_eq!(desk.get(me).await.version, 1);
    assert!(desk.activities(me).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_read_an_older_version_is_told_so() {
    let desk = Desk::new().await;
    let me = desk.agent().await;
    let set = async |version| {
        let request = SetConversationPriorityRequest {
            conversation_id: desk.thread.id.to_string(),
            priority: Priority::Urgent.into(),
            version,
        };
        desk.inbox
            .set_conversation_priority(desk.asks(me, request))
            .await
    };
    desk.assign(me, Some(me), None).await.expect("assigned");
    let refused = set(1).await.expect_err("older");
    assert_eq!(code(&refused), "conflict");
    let urgent = set(2).await.expect("urgent").into_inner();
    assert_eq!(urgent.priority(), Priority::Urgent);
    let last = desk.activities(me).await.pop().expect("a line");
    assert_eq!(last.1, line("priority", "none", "urgent"));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_who_take_a_conversation_at_once_do_not_both_get_it() {
    let desk = Desk::new().await;
    let (one, two) = (desk.agent().await, desk.agent().await);
    let take = async |who: UserId| {
        let request = AssignConversationRequest {
            conversation_id: desk.thread.id.to_string(),
            assignee_id: who.to_string(),
            team_id: String::new(),
            version: 1,
        };
        desk.inbox
            .assign_conversation(desk.asks(who, request))
            .await
            .is_ok()
    };
    let (first, second) = tokio::join!(take(one), take(two));
    assert!(first ^ second, "{first} {second}");
}

#[tokio::test(flavor = "multi_thread")]
async fn labels_are_put_on_and_taken_off_and_go_with_their_deletion() {
    let desk = Desk::new().await;
    let me = desk.agent().await;
    let (vip, late) = (desk.label(me, "VIP").await, desk.label(me, "Late").await);
    let label = async |add: Vec<String>, remove: Vec<String>| {
        let request = LabelConversationRequest {
            conversation_id: desk.thread.id.to_string(),
            add_label_ids: add,
            remove_label_ids: remove,
        };
        desk.inbox.label_conversation(desk.asks(me, request)).await
    };
    let both = label(vec![vip.id.clone(), late.id.clone()], vec![])
        .await
        .expect("labelled");
    assert_eq!(
        both.into_inner().label_ids,
        [vip.id.clone(), late.id.clone()]
    );
    let one = label(vec![vip.id.clone()], vec![late.id.clone()])
        .await
        .expect("labelled");
    assert_eq!(one.into_inner().label_ids, [vip.id.as_str()]);
    let unknown = label(vec![LabelId::generate().to_string()], vec![]).await;
    assert_eq!(
        code(&unknown.expect_err("unknown")),
        "messaging.label_unknown"
    );
    let lines: Vec<_> = desk
        .activities(me)
        .await
        .into_iter()
        .map(|(_, line)| line)
        .collect();
    let expected = [
        line("label", "", &vip.id),
        line("label", "", &late.id),
        line("label", &late.id, ""),
    ];
    assert_eq!(lines, expected);

    let request = DeleteLabelRequest { label_id: vip.id };
    desk.inbox
        .delete_label(desk.asks(me, request))
        .await
        .expect("deleted");
    assert!(desk.get(me).await.label_ids.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_conversations_each_is_changed_or_refused_by_itself_and_once() {
    let desk = Desk::new().await;
    let me = desk.agent().await;
    let second = desk.fixture.conversation("4917012345679").await;
    let unknown = ids::ConversationId::generate().to_string();
    let request = ChangeConversationsRequest {
        conversation_ids: vec![
            desk.thread.id.to_string(),
            second.id.to_string(),
            unknown.clone(),
        ],
        change: Some(Asked::Assignment(Assignment {
            assignee_id: me.to_string(),
            team_id: String::new(),
        })),
    };
    let change = async |key: &str| {
        let request = desk.with_key(me, key, request.clone());
        let answer = desk.inbox.change_conversations(request).await;
        answer.expect("an answer").into_inner()
    };
    let answer = change("once").await;
    assert_eq!(answer.changed, 2);
    assert_eq!(answer.refused.len(), 1);
    assert_eq!(answer.refused[0].conversation_id, unknown);
    assert_eq!(answer.refused[0].code, "not_found");
    assert_eq!(desk.get(me).await.assignee_id, me.to_string());

    desk.assign(me, None, None).await.expect("given back");
    assert_eq!(change("once").await, answer, "the key's answer");
    assert!(desk.get(me).await.assignee_id.is_empty(), "not done twice");
    change("twice").await;
    assert_eq!(desk.get(me).await.assignee_id, me.to_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bulk_change_must_say_what() {
    let desk = Desk::new().await;
    let me = desk.agent().await;
    let snoozed = Asked::Status(ConversationStatus::Snoozed.into());
    for change in [None, Some(snoozed), Some(Asked::Priority(99))] {
        let request = ChangeConversationsRequest {
            conversation_ids: vec![desk.thread.id.to_string()],
            change,
        };
        let refused = desk
            .inbox
            .change_conversations(desk.asks(me, request))
            .await;
        assert_eq!(refused.expect_err("refused").code(), Code::InvalidArgument);
    }
}

//! What a change of the work on a conversation leaves behind: lines in its stream, and events.

use chrono::{DateTime, Utc};
use db::outbox::Event;
use ids::{LabelId, MessageId, TeamId, UserId};
use proto::messaging::{
    events::v1::{ConversationAssigned, ConversationChanged},
    v1::{Activity, MessageContent, message_content::Kind},
};

use crate::{
    domain::work,
    store::{
        entries::{Direction, Entry},
        work::Work,
    },
};

/// The traces of changes, to be written in their transaction.
#[derive(Debug, Default)]
pub(crate) struct Traces {
    pub(crate) entries: Vec<Entry>,
    pub(crate) events: Vec<Event>,
}

impl Traces {
    /// Adds what the change from `before` to `after` leaves; nothing when they are equal.
    pub(crate) fn add(&mut self, before: &Work, after: &Work, actor: &str, now: DateTime<Utc>) {
        let activities = activities(before, after);
        if activities.is_empty() {
            return;
        }
        let lines = activities
            .iter()
            .map(|activity| entry(after, activity, actor, now));
        self.entries.extend(lines);
        let organization = Some(after.organization_id);
        let event = changed(after, &activities);
        self.events.push(bus::event(
            &event,
            organization,
            Some(actor.to_owned()),
            now,
        ));
        if before.assignee_id != after.assignee_id || before.team_id != after.team_id {
            let event = assigned(before, after);
            self.events.push(bus::event(
                &event,
                organization,
                Some(actor.to_owned()),
                now,
            ));
        }
    }
}

fn entry(of: &Work, activity: &Activity, actor: &str, now: DateTime<Utc>) -> Entry {
    let content = MessageContent {
        kind: Some(Kind::Activity(activity.clone())),
    };
    Entry {
        organization_id: of.organization_id,
        id: MessageId::stamped(now),
        conversation_id: of.id,
        channel_id: of.channel_id,
        contact_id: of.contact_id,
        direction: Direction::Activity,
        content: serde_json::to_value(content).unwrap_or_default(),
        author: actor.to_owned(),
    }
}

/// What is different, one line each, in the order in which people read it.
fn activities(before: &Work, after: &Work) -> Vec<Activity> {
    let mut found = Vec::new();
    let mut differ = |kind: &str, before: String, after: String| {
        if before != after {
            found.push(Activity {
                kind: kind.to_owned(),
                before,
                after,
                snoozed_until: None,
            });
        }
    };
    let person = |id: Option<UserId>| id.map(|id| id.to_string()).unwrap_or_default();
    let team = |id: Option<TeamId>| id.map(|id| id.to_string()).unwrap_or_default();
    let priority = |rank| work::priority_word(rank).to_owned();
    differ("team", team(before.team_id), team(after.team_id));
    differ(
        "assignee",
        person(before.assignee_id),
        person(after.assignee_id),
    );
    differ(
        "priority",
        priority(before.priority),
        priority(after.priority),
    );
    let missing = |of: &Work, from: &Work| -> Vec<LabelId> {
        let labels = of.label_ids.iter().copied();
        labels.filter(|id| !from.label_ids.contains(id)).collect()
    };
    for id in missing(before, after) {
        differ("label", id.to_string(), String::new());
    }
    for id in missing(after, before) {
        differ("label", String::new(), id.to_string());
    }
    // One that is snoozed until another time has changed, too.
    if before.status != after.status || before.snoozed_until != after.snoozed_until {
        found.push(Activity {
            kind: "status".to_owned(),
            before: before.status.clone(),
            after: after.status.clone(),
            snoozed_until: after.snoozed_until.map(Into::into),
        });
    }
    found
}

fn changed(after: &Work, activities: &[Activity]) -> ConversationChanged {
    let mut names: Vec<String> = activities
        .iter()
        .map(|activity| match activity.kind.as_str() {
            "label" => "labels".to_owned(),
            kind => kind.to_owned(),
        })
        .collect();
    names.dedup();
    ConversationChanged {
        conversation_id: after.id.to_string(),
        channel_id: after.channel_id.to_string(),
        contact_id: after.contact_id.to_string(),
        changed: names,
        status: after.status.clone(),
        priority: work::priority_word(after.priority).to_owned(),
        assignee_id: after
            .assignee_id
            .map(|id| id.to_string())
            .unwrap_or_default(),
        team_id: after.team_id.map(|id| id.to_string()).unwrap_or_default(),
        label_ids: after.label_ids.iter().map(LabelId::to_string).collect(),
        snoozed_until: after.snoozed_until.map(Into::into),
        version: after.version.unsigned_abs(),
    }
}

fn assigned(before: &Work, after: &Work) -> ConversationAssigned {
    let person = |id: Option<UserId>| id.map(|id| id.to_string()).unwrap_or_default();
    let team = |id: Option<TeamId>| id.map(|id| id.to_string()).unwrap_or_default();
    ConversationAssigned {
        conversation_id: after.id.to_string(),
        assignee_id: person(after.assignee_id),
        team_id: team(after.team_id),
        previous_assignee_id: person(before.assignee_id),
        previous_team_id: team(before.team_id),
    }
}

#[cfg(test)]
mod tests {
    use ids::{ChannelId, ContactId, ConversationId, OrganizationId};

    use super::*;

    fn conversation() -> Work {
        Work {
            organization_id: OrganizationId::generate(),
            id: ConversationId::generate(),
            channel_id: ChannelId::generate(),
            contact_id: ContactId::generate(),
            status: work::OPEN.to_owned(),
            snoozed_until: None,
            priority: 0,
            assignee_id: None,
            team_id: None,
            version: 1,
            label_ids: Vec::new(),
        }
    }

    #[test]
    fn what_did_not_change_leaves_no_trace() {
        let same = conversation();
        let mut traces = Traces::default();
        let now = DateTime::from_timestamp(1_770_000_000, 0).expect("a time");
        traces.add(&same, &same, "system:test", now);
        assert!(traces.entries.is_empty() && traces.events.is_empty());
    }

    #[test]
    fn each_thing_that_changed_has_a_line_with_both_sides() {
        let before = conversation();
        let mut after = before.clone();
        let (old, new) = (LabelId::generate(), LabelId::generate());
        let before = Work {
            label_ids: vec![old],
            ..before
        };
        after.label_ids = vec![new];
        after.priority = 4;
        after.assignee_id = Some(UserId::generate());
        let lines: Vec<_> = activities(&before, &after)
            .into_iter()
            .map(|line| (line.kind, line.before, line.after))
            .collect();
        let line = |kind: &str, before: String, after: String| (kind.to_owned(), before, after);
        let assignee = after
            .assignee_id
            .map(|id| id.to_string())
            .unwrap_or_default();
        assert_eq!(
            lines,
            [
                line("assignee", String::new(), assignee),
                line("priority", "none".to_owned(), "urgent".to_owned()),
                line("label", old.to_string(), String::new()),
                line("label", String::new(), new.to_string()),
            ]
        );
        let event = changed(&after, &activities(&before, &after));
        assert_eq!(event.changed, ["assignee", "priority", "labels"]);
    }
}

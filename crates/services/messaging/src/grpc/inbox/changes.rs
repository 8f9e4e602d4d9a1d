//! Requests about the work on a conversation, as changes.

use db::idempotency::RequestHash;
use errors::FieldViolation;
use proto::messaging::v1::{
    AssignConversationRequest, Assignment, ChangeConversationsRequest, ConversationStatus,
    LabelConversationRequest, Priority, SetConversationPriorityRequest,
    SetConversationStatusRequest, change_conversations_request::Change as Asked,
};

use crate::{
    error::Error,
    ops::{
        changes::{Change, Input, Many},
        view,
    },
};

pub(super) fn assign(message: AssignConversationRequest) -> Result<Input, Error> {
    Ok(Input {
        conversation_id: view::id("conversationId", &message.conversation_id)?,
        version: message.version,
        change: assignment(&Assignment {
            assignee_id: message.assignee_id,
            team_id: message.team_id,
        })?,
    })
}

fn assignment(wanted: &Assignment) -> Result<Change, Error> {
    Ok(Change::Assign {
        assignee: view::optional_id("assigneeId", &wanted.assignee_id)?,
        team: view::optional_id("teamId", &wanted.team_id)?,
    })
}

pub(super) fn status(message: &SetConversationStatusRequest) -> Result<Input, Error> {
    let status = message.status();
    Ok(Input {
        conversation_id: view::id("conversationId", &message.conversation_id)?,
        version: message.version,
        change: Change::Status {
            status,
            snoozed_until: message
                .snoozed_until
                .map(|at| view::time("snoozedUntil", at))
                .transpose()?,
        },
    })
}

pub(super) fn priority(message: &SetConversationPriorityRequest) -> Result<Input, Error> {
    Ok(Input {
        conversation_id: view::id("conversationId", &message.conversation_id)?,
        version: message.version,
        change: Change::Priority(message.priority()),
    })
}

pub(super) fn label(message: &LabelConversationRequest) -> Result<Input, Error> {
    Ok(Input {
        conversation_id: view::id("conversationId", &message.conversation_id)?,
        version: 0,
        change: Change::Labels {
            add: view::ids("addLabelIds", &message.add_label_ids)?,
            remove: view::ids("removeLabelIds", &message.remove_label_ids)?,
        },
    })
}

pub(super) fn many(
    message: ChangeConversationsRequest,
    idempotency: Option<(String, RequestHash)>,
) -> Result<Many, Error> {
    let ids = view::ids("conversationIds", &message.conversation_ids)?;
    let wrong =
        |field: &str, sentence: &str| Error::Invalid(vec![FieldViolation::new(field, sentence)]);
    let change = match message.change {
        None => return Err(wrong("change", "says what to change")),
        Some(Asked::Assignment(wanted)) => assignment(&wanted)?,
        Some(Asked::Status(number)) => {
            let status = ConversationStatus::try_from(number).unwrap_or_default();
            if matches!(
                status,
                ConversationStatus::Unspecified | ConversationStatus::Snoozed
            ) {
                return Err(wrong("status", "is open, pending or resolved"));
            }
            Change::Status {
                status,
                snoozed_until: None,
            }
        }
        Some(Asked::Priority(number)) => {
            let priority = Priority::try_from(number).unwrap_or_default();
            if priority == Priority::Unspecified {
                return Err(wrong("priority", "is none, low, medium, high or urgent"));
            }
            Change::Priority(priority)
        }
        Some(Asked::AddLabelId(id)) => Change::Labels {
            add: vec![view::id("addLabelId", &id)?],
            remove: Vec::new(),
        },
        Some(Asked::RemoveLabelId(id)) => Change::Labels {
            add: Vec::new(),
            remove: vec![view::id("removeLabelId", &id)?],
        },
    };
    Ok(Many {
        conversation_ids: ids.into_iter().collect(),
        change,
        idempotency,
    })
}

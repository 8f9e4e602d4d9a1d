//! Which conversations a caller asks for, read from a list's request or from a saved view.

use errors::FieldViolation;
use ids::{ChannelId, LabelId, TeamId, TenantScope, UserId};
use proto::messaging::v1::{
    ConversationFilter, ConversationStatus, ListConversationsRequest, Priority,
};
use sqlx::PgConnection;

use crate::{
    domain::work,
    error::Error,
    ops::view,
    store::{
        agents,
        conversations::{Assignee, Filter},
    },
};

/// What the request asks for, in the form of a saved filter.
pub(crate) fn of_request(request: &ListConversationsRequest) -> ConversationFilter {
    let mut statuses = request.statuses.clone();
    if request.status() != ConversationStatus::Unspecified {
        statuses.push(request.status);
    }
    ConversationFilter {
        statuses,
        assignee: request.assignee.clone(),
        team: request.team.clone(),
        channel_ids: request.channel_ids.clone(),
        label_ids: request.label_ids.clone(),
        priorities: request.priorities.clone(),
        unanswered: request.unanswered,
        unread: request.unread,
        participating: request.participating,
    }
}

/// Reads it for this caller, to whom `me` and `mine` refer.
pub(crate) async fn read(
    conn: &mut PgConnection,
    scope: &TenantScope,
    wanted: &ConversationFilter,
) -> Result<Filter, Error> {
    let mut filter = check(wanted)?;
    let caller = view::person(scope);
    if wanted.unread || wanted.participating {
        caller.ok_or(Error::PersonWanted)?;
    }
    if wanted.assignee == "me" {
        filter.assignee = Assignee::Person(caller.ok_or(Error::PersonWanted)?.as_uuid());
    }
    if wanted.team == "mine" {
        let user = caller.ok_or(Error::PersonWanted)?;
        let teams = agents::teams_of(conn, scope.organization_id, user).await?;
        filter.teams = Some(teams.into_iter().map(TeamId::as_uuid).collect());
    }
    Ok(filter)
}

/// Everything that does not depend on who asks.
///
/// # Errors
///
/// [`Error::Invalid`], with the field's name.
pub(crate) fn check(wanted: &ConversationFilter) -> Result<Filter, Error> {
    let mut statuses = Vec::with_capacity(wanted.statuses.len());
    for &number in &wanted.statuses {
        let status = ConversationStatus::try_from(number).unwrap_or_default();
        statuses.push(work::status_word(status).ok_or_else(|| unknown("statuses"))?);
    }
    statuses.sort_unstable();
    statuses.dedup();
    let mut priorities = Vec::with_capacity(wanted.priorities.len());
    for &number in &wanted.priorities {
        let priority = Priority::try_from(number).unwrap_or_default();
        priorities.push(work::priority_rank(priority).ok_or_else(|| unknown("priorities"))?);
    }
    let assignee = match wanted.assignee.as_str() {
        "" | "me" => Assignee::Anybody,
        "nobody" => Assignee::Nobody,
        person => Assignee::Person(view::id::<UserId>("assignee", person)?.as_uuid()),
    };
    let teams = match wanted.team.as_str() {
        "" | "mine" => None,
        team => Some(vec![view::id::<TeamId>("team", team)?.as_uuid()]),
    };
    let channels: Vec<ChannelId> = view::ids("channelIds", &wanted.channel_ids)?;
    let labels: Vec<LabelId> = view::ids("labelIds", &wanted.label_ids)?;
    Ok(Filter {
        statuses,
        assignee,
        teams,
        channels: channels.into_iter().map(ChannelId::as_uuid).collect(),
        labels: labels.into_iter().map(LabelId::as_uuid).collect(),
        priorities,
        unanswered: wanted.unanswered,
        unread: wanted.unread,
        participating: wanted.participating,
    })
}

fn unknown(field: &str) -> Error {
    Error::Invalid(vec![FieldViolation::new(field, "has an unknown value")])
}

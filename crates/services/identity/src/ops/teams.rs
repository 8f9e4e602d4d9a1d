//! Groups of members.

pub(crate) mod change_team;
pub(crate) mod change_team_members;
pub(crate) mod list_teams;

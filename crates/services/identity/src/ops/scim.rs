//! Provisioning: the directories of an organization, and what they ask.

pub(crate) mod create_directory;
pub(crate) mod delete_directory;
pub(crate) mod list_directories;
pub(crate) mod list_groups;
pub(crate) mod rotate_token;
pub(crate) mod serve;
pub(crate) mod set_group_role;
mod settle_roles;

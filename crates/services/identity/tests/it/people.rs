//! Members, roles, teams, invitations and the organization.

mod invitations;
mod joining;
mod members;
mod organization;
mod roles;
mod stage;
mod teams;

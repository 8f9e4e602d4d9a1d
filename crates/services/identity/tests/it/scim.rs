//! Provisioning by directories.

mod claims;
mod directories;
mod entra;
mod isolation;
mod members;
mod okta;
mod protocol;
mod roles;
pub(crate) mod stage;

use crate::world::World;

/// A directory with a person and a group.
pub(crate) async fn add_directory(world: &World, owner: &str) {
    let gateway = world.service().await;
    let directory = stage::connect(world, owner, &gateway).await.unwrap();
    let id = directory.user("provisioned@example.com").await;
    directory.group("Support", &[&id]).await;
}

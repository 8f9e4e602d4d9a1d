//! Show an invitation to whoever has its link.

use db::SystemTx;
use secrecy::SecretString;

use super::good;
use crate::{
    Error,
    domain::{email::EmailKey, invitation::Invitation},
    ops::Tools,
    store::{people, roles},
};

#[derive(Debug)]
pub(crate) struct Preview {
    pub(crate) organization_name: String,
    pub(crate) invitation: Invitation,
    /// The custom role's.
    pub(crate) role_name: String,
    /// Only who reads the address's mail learns this, and what to do next depends on it.
    pub(crate) has_account: bool,
}

#[tracing::instrument(skip_all)]
pub(crate) async fn get_invitation(tools: &Tools, secret: &SecretString) -> Result<Preview, Error> {
    let named = good::read(tools, secret).await?;
    let mut tx = SystemTx::begin(&tools.db, "show an invitation").await?;
    let good = good::lock(tools, &mut tx, named, tools.db.clock().now()).await?;
    let key = EmailKey::new(&good.invitation.email);
    let has_account = people::find_by_email(&mut tx, &key).await?.is_some();
    let role_name = match good.invitation.assignment.role_id() {
        Some(id) => roles::find(&mut tx, good.organization.id, id)
            .await?
            .map(|role| role.name)
            .unwrap_or_default(),
        None => String::new(),
    };
    tx.commit().await?;
    Ok(Preview {
        organization_name: good.organization.name,
        invitation: good.invitation,
        role_name,
        has_account,
    })
}

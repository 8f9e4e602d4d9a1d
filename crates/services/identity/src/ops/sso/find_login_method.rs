//! Tell how people of a domain log in. By the domain alone: the address is not looked up.

use db::SystemTx;

use crate::{
    Error,
    domain::sso::EmailDomain,
    ops::Tools,
    store::sso::domains::{self, Route},
};

#[tracing::instrument(skip_all)]
pub(crate) async fn find_login_method(tools: &Tools, email: &str) -> Result<Option<Route>, Error> {
    let Some(domain) = EmailDomain::of_address(email) else {
        return Ok(None);
    };
    let mut tx = SystemTx::begin(&tools.db, "find a login method").await?;
    let route = domains::find_route(&mut tx, &domain).await?;
    tx.commit().await?;
    Ok(route)
}

//! One request of a directory.

mod answer;
mod change_group;
mod change_user;
mod create_group;
mod create_user;
mod delete;
mod exchange;
mod person;
mod read;
mod resource;
mod target;

use std::fmt;

use auth::RequestContext;
use chrono::TimeDelta;
use db::SystemTx;
use scim::{Query, answer::ErrorResponse, discovery};
use secrecy::{ExposeSecret, SecretString};
use url::form_urlencoded;

pub(crate) use answer::ScimAnswer;

use crate::{
    Error,
    domain::secret::{SecretHash, is_directory_token},
    ops::Tools,
    store::scim::{Source, directories},
};
use answer::Refusal;
use exchange::Exchange;
use target::{Method, Target};

/// `last_used_at` is written at most this often.
const NOTED_EVERY: TimeDelta = TimeDelta::minutes(1);

/// As the gateway received it.
pub(crate) struct ScimRequest {
    pub(crate) token: SecretString,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) body: Vec<u8>,
    pub(crate) if_match: String,
    pub(crate) base_url: String,
}

/// Without anything that may be about a person.
impl fmt::Debug for ScimRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ScimRequest({})", self.method)
    }
}

/// # Errors
/// Only what is no business of the directory: then nothing was done.
#[tracing::instrument(skip_all)]
pub(crate) async fn serve(
    tools: &Tools,
    caller: &RequestContext,
    request: &ScimRequest,
) -> Result<ScimAnswer, Error> {
    match answer(tools, caller, request).await {
        Ok(answer) => Ok(answer),
        Err(refusal) => Ok(ScimAnswer::refused(&refusal.told()?)),
    }
}

async fn answer(
    tools: &Tools,
    caller: &RequestContext,
    request: &ScimRequest,
) -> Result<ScimAnswer, Refusal> {
    let source = authenticate(tools, &request.token).await?;
    let target = Target::of(&request.path).ok_or_else(ErrorResponse::not_found)?;
    let method = Method::of(&request.method).ok_or_else(method_not_allowed)?;
    let base = request.base_url.trim_end_matches('/');
    let exchange = Exchange {
        tools,
        caller,
        source,
        base,
        query: Query::parse(form_urlencoded::parse(request.query.as_bytes()))?,
        if_match: &request.if_match,
        body: &request.body,
    };
    match (target, method) {
        (Target::Unsupported, _) => {
            let told = ErrorResponse::new(501, "this part of SCIM is not supported");
            Err(told.into())
        }
        (Target::Users, Method::Get) => read::list_users(&exchange).await,
        (Target::Users, Method::Post) => create_user::create_user(&exchange).await,
        (Target::User(id), Method::Get) => read::get_user(&exchange, id).await,
        (Target::User(id), Method::Put) => change_user::put_user(&exchange, id).await,
        (Target::User(id), Method::Patch) => change_user::patch_user(&exchange, id).await,
        (Target::User(id), Method::Delete) => delete::delete_user(&exchange, id).await,
        (Target::Groups, Method::Get) => read::list_groups(&exchange).await,
        (Target::Groups, Method::Post) => create_group::create_group(&exchange).await,
        (Target::Group(id), Method::Get) => read::get_group(&exchange, id).await,
        (Target::Group(id), Method::Put) => change_group::put_group(&exchange, id).await,
        (Target::Group(id), Method::Patch) => change_group::patch_group(&exchange, id).await,
        (Target::Group(id), Method::Delete) => delete::delete_group(&exchange, id).await,
        (target, Method::Get) => describe(&target, base),
        _ => Err(method_not_allowed().into()),
    }
}

/// What the server says about itself.
fn describe(target: &Target<'_>, base: &str) -> Result<ScimAnswer, Refusal> {
    let described = match target {
        Target::Config => Some(discovery::service_provider_config(base)),
        Target::ResourceTypes => Some(discovery::resource_types(base)),
        Target::ResourceType(id) => discovery::resource_type(base, id),
        Target::Schemas => Some(discovery::schemas(base)),
        Target::Schema(urn) => discovery::schema(base, urn),
        _ => None,
    };
    let described = described.ok_or_else(ErrorResponse::not_found)?;
    Ok(ScimAnswer::ok(described))
}

/// Whose token it is. An organization that is not active provisions nobody.
async fn authenticate(tools: &Tools, token: &SecretString) -> Result<Source, Refusal> {
    let token = token.expose_secret();
    if !is_directory_token(token) {
        return Err(unauthorized().into());
    }
    let mut tx = SystemTx::begin(&tools.db, "recognise a directory").await?;
    let found = directories::find_by_token(&mut tx, &SecretHash::of(token)).await?;
    let (source, active) = found.ok_or_else(unauthorized)?;
    let now = tools.db.clock().now();
    directories::touch(&mut tx, source, now, NOTED_EVERY).await?;
    tx.commit().await?;
    if !active {
        let told = ErrorResponse::new(403, "the organization is suspended or being deleted");
        return Err(told.into());
    }
    Ok(source)
}

fn unauthorized() -> ErrorResponse {
    ErrorResponse::new(401, "the bearer token is not one of a connected directory")
}

fn method_not_allowed() -> ErrorResponse {
    ErrorResponse::new(405, "this address does not know the method")
}

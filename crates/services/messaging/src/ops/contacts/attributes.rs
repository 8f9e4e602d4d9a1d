//! Attributes of contacts: what an organization may note of each.

use std::collections::HashSet;

use db::{Db, TenantTx};
use errors::FieldViolation;
use ids::TenantScope;
use proto::messaging::v1::{
    Attribute, CreateAttributeRequest, DeleteAttributeResponse, ListAttributesResponse,
    UpdateAttributeRequest,
};

use crate::{
    domain::attributes::Kind,
    error::Error,
    store::attributes::{self as store, Definition},
};

/// An organization with more of them wants another system.
const MOST: usize = 200;

pub(crate) async fn create(
    db: &Db,
    scope: &TenantScope,
    request: CreateAttributeRequest,
) -> Result<Attribute, Error> {
    let kind = Kind::from_wire(request.kind()).ok_or_else(|| invalid("kind", "is needed"))?;
    options(kind, &request.options)?;
    let mut tx = TenantTx::begin(db, scope).await?;
    let present = store::list(tx.conn(), scope.organization_id).await?;
    if present.len() >= MOST {
        return Err(Error::TooManyAttributes);
    }
    let definition = Definition {
        key: request.key,
        name: request.name,
        kind,
        options: request.options,
        position: i32::try_from(request.position).unwrap_or(i32::MAX),
        created_at: db.clock().now(),
    };
    if !store::insert(tx.conn(), scope.organization_id, &definition).await? {
        return Err(Error::AttributeExists);
    }
    tx.commit().await?;
    Ok(attribute(definition))
}

pub(crate) async fn update(
    db: &Db,
    scope: &TenantScope,
    request: UpdateAttributeRequest,
) -> Result<Attribute, Error> {
    let organization_id = scope.organization_id;
    let mut tx = TenantTx::begin(db, scope).await?;
    let present = store::lock(tx.conn(), organization_id, &request.attribute_key)
        .await?
        .ok_or(Error::NotFound("attribute"))?;
    options(present.kind, &request.options)?;
    let left: HashSet<&String> = request.options.iter().collect();
    let gone = present
        .options
        .iter()
        .filter(|option| !left.contains(option));
    let gone: Vec<String> = gone.cloned().collect();
    if !gone.is_empty() && store::any_has(tx.conn(), organization_id, &present.key, &gone).await? {
        return Err(Error::AttributeInUse);
    }
    let definition = Definition {
        name: request.name,
        options: request.options,
        position: i32::try_from(request.position).unwrap_or(i32::MAX),
        ..present
    };
    store::update(tx.conn(), organization_id, &definition).await?;
    tx.commit().await?;
    Ok(attribute(definition))
}

pub(crate) async fn delete(
    db: &Db,
    scope: &TenantScope,
    key: &str,
) -> Result<DeleteAttributeResponse, Error> {
    let mut tx = TenantTx::begin(db, scope).await?;
    store::lock(tx.conn(), scope.organization_id, key)
        .await?
        .ok_or(Error::NotFound("attribute"))?;
    let now = db.clock().now();
    store::delete(tx.conn(), scope.organization_id, key, now).await?;
    tx.commit().await?;
    Ok(DeleteAttributeResponse {})
}

pub(crate) async fn list(db: &Db, scope: &TenantScope) -> Result<ListAttributesResponse, Error> {
    let mut tx = TenantTx::begin(db, scope).await?;
    let rows = store::list(tx.conn(), scope.organization_id).await?;
    Ok(ListAttributesResponse {
        attributes: rows.into_iter().map(attribute).collect(),
    })
}

fn invalid(field: &str, message: &str) -> Error {
    Error::Invalid(vec![FieldViolation::new(field, message.to_owned())])
}

/// A choice has different ones, and nothing else has any.
fn options(kind: Kind, options: &[String]) -> Result<(), Error> {
    let different: HashSet<&String> = options.iter().collect();
    match kind {
        Kind::Choice if options.is_empty() => Err(invalid("options", "a choice needs options")),
        Kind::Choice if different.len() < options.len() => {
            Err(invalid("options", "must differ from each other"))
        }
        Kind::Choice => Ok(()),
        _ if options.is_empty() => Ok(()),
        _ => Err(invalid("options", "only a choice has options")),
    }
}

fn attribute(row: Definition) -> Attribute {
    Attribute {
        key: row.key,
        name: row.name,
        kind: row.kind.to_wire().into(),
        options: row.options,
        position: row.position.unsigned_abs(),
        created_at: Some(row.created_at.into()),
    }
}

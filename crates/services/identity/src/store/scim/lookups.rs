//! What filters ask for, each by an index, and lists without a filter. Ids only, in their order: that of creation.

use db::{AsTx, DbError};
use ids::{ScimGroupId, UserId};
use scim::Lookup;

use super::Source;
use crate::domain::scim::folded;

/// Users of the directory that the lookup finds.
#[tracing::instrument(name = "db.scim_users.find", skip_all)]
pub(crate) async fn users(
    tx: &mut impl AsTx,
    source: Source,
    lookup: &Lookup,
) -> Result<Vec<UserId>, DbError> {
    let (organization_id, directory_id) = source_keys(source);
    let query = match lookup {
        // What is no id of ours is nobody's.
        Lookup::Id(text) => match text.parse::<UserId>() {
            Err(_) => return Ok(Vec::new()),
            Ok(id) => sqlx::query_scalar!(
                r#"select user_id as "id: UserId" from identity.scim_users
                   where organization_id = $1 and directory_id = $2 and user_id = $3"#,
                organization_id,
                directory_id,
                id.as_uuid(),
            )
            .fetch_all(tx.conn())
            .await,
        },
        Lookup::ExternalId(text) => {
            sqlx::query_scalar!(
                r#"select user_id as "id: UserId" from identity.scim_users
                   where organization_id = $1 and directory_id = $2 and external_id = $3 order by user_id"#,
                organization_id,
                directory_id,
                text,
            )
            .fetch_all(tx.conn())
            .await
        }
        Lookup::UserName(text) => {
            sqlx::query_scalar!(
                r#"select user_id as "id: UserId" from identity.scim_users
                   where organization_id = $1 and directory_id = $2 and user_name_key = $3"#,
                organization_id,
                directory_id,
                folded(text),
            )
            .fetch_all(tx.conn())
            .await
        }
        Lookup::DisplayName(text) => {
            sqlx::query_scalar!(
                r#"select user_id as "id: UserId" from identity.scim_users
                   where organization_id = $1 and directory_id = $2 and display_name_key = $3 order by user_id"#,
                organization_id,
                directory_id,
                folded(text),
            )
            .fetch_all(tx.conn())
            .await
        }
        Lookup::Email { value, kind } => {
            sqlx::query_scalar!(
                r#"select distinct user_id as "id: UserId" from identity.scim_emails
                   where organization_id = $1 and directory_id = $2 and value_key = $3
                     and ($4::text is null or kind_key = $4)
                   order by 1"#,
                organization_id,
                directory_id,
                folded(value),
                kind.as_deref().map(folded),
            )
            .fetch_all(tx.conn())
            .await
        }
        // Only groups have members.
        Lookup::Member(_) => return Ok(Vec::new()),
    };
    Ok(query?)
}

/// Groups of the directory that the lookup finds.
#[tracing::instrument(name = "db.scim_groups.find", skip_all)]
pub(crate) async fn groups(
    tx: &mut impl AsTx,
    source: Source,
    lookup: &Lookup,
) -> Result<Vec<ScimGroupId>, DbError> {
    let (organization_id, directory_id) = source_keys(source);
    let query = match lookup {
        Lookup::Id(text) => match text.parse::<ScimGroupId>() {
            Err(_) => return Ok(Vec::new()),
            Ok(id) => sqlx::query_scalar!(
                r#"select id as "id: ScimGroupId" from identity.scim_groups
                   where organization_id = $1 and directory_id = $2 and id = $3"#,
                organization_id,
                directory_id,
                id.as_uuid(),
            )
            .fetch_all(tx.conn())
            .await,
        },
        Lookup::ExternalId(text) => {
            sqlx::query_scalar!(
                r#"select id as "id: ScimGroupId" from identity.scim_groups
                   where organization_id = $1 and directory_id = $2 and external_id = $3 order by id"#,
                organization_id,
                directory_id,
                text,
            )
            .fetch_all(tx.conn())
            .await
        }
        Lookup::DisplayName(text) => {
            sqlx::query_scalar!(
                r#"select id as "id: ScimGroupId" from identity.scim_groups
                   where organization_id = $1 and directory_id = $2 and display_name_key = $3"#,
                organization_id,
                directory_id,
                folded(text),
            )
            .fetch_all(tx.conn())
            .await
        }
        Lookup::Member(text) => match text.parse::<UserId>() {
            Err(_) => return Ok(Vec::new()),
            Ok(id) => sqlx::query_scalar!(
                r#"select group_id as "id: ScimGroupId" from identity.scim_group_members
                   where organization_id = $1 and directory_id = $2 and user_id = $3 order by group_id"#,
                organization_id,
                directory_id,
                id.as_uuid(),
            )
            .fetch_all(tx.conn())
            .await,
        },
        // Groups have neither.
        Lookup::UserName(_) | Lookup::Email { .. } => return Ok(Vec::new()),
    };
    Ok(query?)
}

/// A page of all users of the directory, and how many there are.
#[tracing::instrument(name = "db.scim_users.list", skip_all)]
pub(crate) async fn all_users(
    tx: &mut impl AsTx,
    source: Source,
    offset: i64,
    limit: i64,
) -> Result<(Vec<UserId>, i64), DbError> {
    let (organization_id, directory_id) = source_keys(source);
    let total = sqlx::query_scalar!(
        r#"select count(*) as "count!" from identity.scim_users where organization_id = $1 and directory_id = $2"#,
        organization_id,
        directory_id,
    )
    .fetch_one(tx.conn())
    .await?;
    let page = sqlx::query_scalar!(
        r#"select user_id as "id: UserId" from identity.scim_users
           where organization_id = $1 and directory_id = $2 order by user_id offset $3 limit $4"#,
        organization_id,
        directory_id,
        offset,
        limit,
    )
    .fetch_all(tx.conn())
    .await?;
    Ok((page, total))
}

/// A page of all groups of the directory, and how many there are.
#[tracing::instrument(name = "db.scim_groups.list", skip_all)]
pub(crate) async fn all_groups(
    tx: &mut impl AsTx,
    source: Source,
    offset: i64,
    limit: i64,
) -> Result<(Vec<ScimGroupId>, i64), DbError> {
    let (organization_id, directory_id) = source_keys(source);
    let total = sqlx::query_scalar!(
        r#"select count(*) as "count!" from identity.scim_groups where organization_id = $1 and directory_id = $2"#,
        organization_id,
        directory_id,
    )
    .fetch_one(tx.conn())
    .await?;
    let page = sqlx::query_scalar!(
        r#"select id as "id: ScimGroupId" from identity.scim_groups
           where organization_id = $1 and directory_id = $2 order by id offset $3 limit $4"#,
        organization_id,
        directory_id,
        offset,
        limit,
    )
    .fetch_all(tx.conn())
    .await?;
    Ok((page, total))
}

const fn source_keys(source: Source) -> (uuid::Uuid, uuid::Uuid) {
    (
        source.organization_id.as_uuid(),
        source.directory_id.as_uuid(),
    )
}

//! Who is in which group, and what that makes of whom.

use std::collections::HashMap;

use db::{AsTx, DbError};
use ids::{OrganizationId, RoleId, ScimGroupId, UserId};
use scim::{GroupRef, Member};
use uuid::Uuid;

use super::Source;
use crate::{
    domain::{
        assignment::Assignment,
        scim::{Mapped, highest},
    },
    store::organizations,
};

/// The members of these groups, in the order of their ids.
#[tracing::instrument(name = "db.scim_group_members.list", skip_all)]
pub(crate) async fn of_groups(
    tx: &mut impl AsTx,
    source: Source,
    groups: &[ScimGroupId],
) -> Result<HashMap<ScimGroupId, Vec<Member>>, DbError> {
    let groups: Vec<Uuid> = groups.iter().map(|id| id.as_uuid()).collect();
    let rows = sqlx::query!(
        r#"select m.group_id as "group_id: ScimGroupId", m.user_id as "user_id: UserId",
                  coalesce(u.attributes ->> 'displayName', u.attributes ->> 'userName') as display
           from identity.scim_group_members m
           join identity.scim_users u on u.organization_id = m.organization_id and u.directory_id = m.directory_id
                and u.user_id = m.user_id
           where m.organization_id = $1 and m.directory_id = $2 and m.group_id = any($3)
           order by m.group_id, m.user_id"#,
        source.organization_id.as_uuid(),
        source.directory_id.as_uuid(),
        &groups,
    )
    .fetch_all(tx.conn())
    .await?;
    let mut members: HashMap<ScimGroupId, Vec<Member>> = HashMap::new();
    for row in rows {
        members.entry(row.group_id).or_default().push(Member {
            value: row.user_id.to_string(),
            display: row.display,
        });
    }
    Ok(members)
}

/// The groups of these users, in the order of their ids.
#[tracing::instrument(name = "db.scim_group_members.list", skip_all)]
pub(crate) async fn of_users(
    tx: &mut impl AsTx,
    source: Source,
    users: &[UserId],
) -> Result<HashMap<UserId, Vec<GroupRef>>, DbError> {
    let users: Vec<Uuid> = users.iter().map(|id| id.as_uuid()).collect();
    let rows = sqlx::query!(
        r#"select m.user_id as "user_id: UserId", g.id as "group_id: ScimGroupId", g.display_name
           from identity.scim_group_members m
           join identity.scim_groups g on g.organization_id = m.organization_id and g.directory_id = m.directory_id
                and g.id = m.group_id
           where m.organization_id = $1 and m.directory_id = $2 and m.user_id = any($3)
           order by m.user_id, g.id"#,
        source.organization_id.as_uuid(),
        source.directory_id.as_uuid(),
        &users,
    )
    .fetch_all(tx.conn())
    .await?;
    let mut groups: HashMap<UserId, Vec<GroupRef>> = HashMap::new();
    for row in rows {
        groups.entry(row.user_id).or_default().push(GroupRef {
            value: row.group_id.to_string(),
            display: Some(row.display_name),
        });
    }
    Ok(groups)
}

/// Ids of the group's members.
#[tracing::instrument(name = "db.scim_group_members.list", skip_all)]
pub(crate) async fn ids(
    tx: &mut impl AsTx,
    source: Source,
    group: ScimGroupId,
) -> Result<Vec<UserId>, DbError> {
    let ids = sqlx::query_scalar!(
        r#"select user_id as "user_id: UserId" from identity.scim_group_members
           where organization_id = $1 and directory_id = $2 and group_id = $3 order by user_id"#,
        source.organization_id.as_uuid(),
        source.directory_id.as_uuid(),
        group.as_uuid(),
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(ids)
}

/// Puts users of the directory into the group; who is in it already and who is no user of the directory are passed over.
/// How many came.
#[tracing::instrument(name = "db.scim_group_members.insert", skip_all)]
pub(crate) async fn add(
    tx: &mut impl AsTx,
    source: Source,
    group: ScimGroupId,
    users: &[UserId],
) -> Result<u64, DbError> {
    let users: Vec<Uuid> = users.iter().map(|id| id.as_uuid()).collect();
    let added = sqlx::query!(
        "insert into identity.scim_group_members (organization_id, directory_id, group_id, user_id)
         select u.organization_id, u.directory_id, $3, u.user_id from identity.scim_users u
         where u.organization_id = $1 and u.directory_id = $2 and u.user_id = any($4)
         order by u.user_id
         on conflict do nothing",
        source.organization_id.as_uuid(),
        source.directory_id.as_uuid(),
        group.as_uuid(),
        &users,
    )
    .execute(tx.conn())
    .await?;
    Ok(added.rows_affected())
}

#[tracing::instrument(name = "db.scim_group_members.delete", skip_all)]
pub(crate) async fn remove(
    tx: &mut impl AsTx,
    source: Source,
    group: ScimGroupId,
    users: &[UserId],
) -> Result<(), DbError> {
    let users: Vec<Uuid> = users.iter().map(|id| id.as_uuid()).collect();
    sqlx::query!(
        "delete from identity.scim_group_members
         where organization_id = $1 and directory_id = $2 and group_id = $3 and user_id = any($4)",
        source.organization_id.as_uuid(),
        source.directory_id.as_uuid(),
        group.as_uuid(),
        &users,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// The highest role that each of these people has from groups, of whatever directory of the organization. Whoever has
/// none is missing.
#[tracing::instrument(name = "db.scim_group_members.roles", skip_all)]
pub(crate) async fn given_roles(
    tx: &mut impl AsTx,
    organization_id: OrganizationId,
    users: &[UserId],
) -> Result<HashMap<UserId, Assignment>, DbError> {
    let users: Vec<Uuid> = users.iter().map(|id| id.as_uuid()).collect();
    let rows = sqlx::query!(
        r#"select m.user_id as "user_id: UserId", g.role as "role!", g.role_id as "role_id: RoleId",
                  coalesce(cardinality(r.permissions), 0) as "permissions!"
           from identity.scim_group_members m
           join identity.scim_groups g on g.organization_id = m.organization_id and g.directory_id = m.directory_id
                and g.id = m.group_id
           left join identity.roles r on r.organization_id = g.organization_id and r.id = g.role_id
           where m.organization_id = $1 and m.user_id = any($2) and g.role is not null"#,
        organization_id.as_uuid(),
        &users,
    )
    .fetch_all(tx.conn())
    .await?;
    let mut mapped: HashMap<UserId, Vec<Mapped>> = HashMap::new();
    for row in rows {
        let assignment = Assignment::new(organizations::role(&row.role, row.user_id)?, row.role_id)
            .ok_or_else(|| DbError::inconsistent("scim_groups", "role_id", row.user_id))?;
        mapped.entry(row.user_id).or_default().push(Mapped {
            assignment,
            permissions: usize::try_from(row.permissions).unwrap_or_default(),
        });
    }
    Ok(mapped
        .into_iter()
        .filter_map(|(user, mapped)| Some((user, highest(mapped)?)))
        .collect())
}

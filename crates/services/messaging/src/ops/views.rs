//! Saved filters: a person's own, which others may be shown.

use db::{Db, TenantTx, page::Pager};
use ids::{TenantScope, ViewId};
use proto::messaging::v1::{ConversationFilter, DeleteViewResponse, ListViewsResponse, View};
use serde_json::Value;

use crate::{
    error::Error,
    ops::{filter, lists::Ask, view},
    store::views::{self, View as Row},
};

pub(crate) async fn create_view(
    db: &Db,
    scope: &TenantScope,
    name: String,
    wanted: ConversationFilter,
) -> Result<View, Error> {
    let filter = stored(&wanted)?;
    let owner_id = view::person(scope).ok_or(Error::PersonWanted)?;
    let now = db.clock().now();
    let row = Row {
        id: ViewId::stamped(now),
        owner_id,
        shared: false,
        name,
        filter,
        created_at: now,
    };
    let mut tx = TenantTx::begin(db, scope).await?;
    views::insert(tx.conn(), scope.organization_id, &row).await?;
    tx.commit().await?;
    wire(row)
}

pub(crate) async fn update_view(
    db: &Db,
    scope: &TenantScope,
    id: ViewId,
    name: &str,
    wanted: ConversationFilter,
) -> Result<View, Error> {
    let filter = stored(&wanted)?;
    // A program owns no view, so that there is none it could change.
    let owner = view::person(scope).ok_or(Error::NotFound("view"))?;
    let (of, now) = (scope.organization_id, db.clock().now());
    let mut tx = TenantTx::begin(db, scope).await?;
    let updated = views::update(tx.conn(), of, owner, id, name, &filter, now).await?;
    tx.commit().await?;
    wire(updated.ok_or(Error::NotFound("view"))?)
}

/// Shows a view to everybody, or to its owner only.
pub(crate) async fn share_view(
    db: &Db,
    scope: &TenantScope,
    id: ViewId,
    shared: bool,
) -> Result<View, Error> {
    let (of, now) = (scope.organization_id, db.clock().now());
    let mut tx = TenantTx::begin(db, scope).await?;
    let updated = views::share(tx.conn(), of, view::person(scope), id, shared, now).await?;
    tx.commit().await?;
    wire(updated.ok_or(Error::NotFound("view"))?)
}

pub(crate) async fn delete_view(
    db: &Db,
    scope: &TenantScope,
    id: ViewId,
) -> Result<DeleteViewResponse, Error> {
    let owner = view::person(scope).ok_or(Error::NotFound("view"))?;
    let mut tx = TenantTx::begin(db, scope).await?;
    if !views::delete(tx.conn(), scope.organization_id, owner, id).await? {
        return Err(Error::NotFound("view"));
    }
    tx.commit().await?;
    Ok(DeleteViewResponse {})
}

/// The caller's and the shared ones.
pub(crate) async fn list_views(
    db: &Db,
    scope: &TenantScope,
    ask: Ask<'_>,
) -> Result<ListViewsResponse, Error> {
    let pager = Pager::<(String, ViewId)>::new("views", &(), ask.size, ask.token)?;
    let caller = view::person(scope);
    let of = scope.organization_id;
    let mut tx = TenantTx::begin(db, scope).await?;
    let rows = views::list(tx.conn(), of, caller, pager.after(), pager.limit()).await?;
    let page = pager.page(rows, |last| (last.name.clone(), last.id));
    Ok(ListViewsResponse {
        views: page.items.into_iter().map(wire).collect::<Result<_, _>>()?,
        next_page_token: page.next.unwrap_or_default(),
    })
}

/// Only what ListConversations would accept is kept.
fn stored(wanted: &ConversationFilter) -> Result<Value, Error> {
    filter::check(wanted)?;
    serde_json::to_value(wanted).map_err(inconsistent)
}

fn wire(row: Row) -> Result<View, Error> {
    Ok(View {
        id: row.id.to_string(),
        name: row.name,
        shared: row.shared,
        owner_id: row.owner_id.to_string(),
        filter: Some(serde_json::from_value(row.filter).map_err(inconsistent)?),
        created_at: Some(row.created_at.into()),
    })
}

const fn inconsistent(source: serde_json::Error) -> Error {
    Error::Inconsistent {
        table: "views",
        column: "filter",
        source,
    }
}

//! The labels an organization has.

use db::{Db, TenantTx, page::Pager};
use ids::{LabelId, TenantScope};
use proto::messaging::v1::{DeleteLabelResponse, Label, ListLabelsResponse};

use crate::{
    error::Error,
    ops::lists::Ask,
    store::labels::{self, Label as Row},
};

pub(crate) async fn create_label(
    db: &Db,
    scope: &TenantScope,
    name: String,
    color: String,
) -> Result<Label, Error> {
    let now = db.clock().now();
    let label = Row {
        id: LabelId::stamped(now),
        name,
        color,
        created_at: now,
    };
    let mut tx = TenantTx::begin(db, scope).await?;
    labels::insert(tx.conn(), scope.organization_id, &label).await?;
    tx.commit().await?;
    Ok(wire(label))
}

pub(crate) async fn update_label(
    db: &Db,
    scope: &TenantScope,
    id: LabelId,
    name: &str,
    color: &str,
) -> Result<Label, Error> {
    let mut tx = TenantTx::begin(db, scope).await?;
    let updated = labels::update(tx.conn(), scope.organization_id, id, name, color).await?;
    tx.commit().await?;
    updated.map(wire).ok_or(Error::NotFound("label"))
}

/// Takes it off everything, too.
pub(crate) async fn delete_label(
    db: &Db,
    scope: &TenantScope,
    id: LabelId,
) -> Result<DeleteLabelResponse, Error> {
    let mut tx = TenantTx::begin(db, scope).await?;
    if !labels::delete(tx.conn(), scope.organization_id, id).await? {
        return Err(Error::NotFound("label"));
    }
    tx.commit().await?;
    Ok(DeleteLabelResponse {})
}

pub(crate) async fn list_labels(
    db: &Db,
    scope: &TenantScope,
    ask: Ask<'_>,
) -> Result<ListLabelsResponse, Error> {
    let pager = Pager::<(String, LabelId)>::new("labels", &(), ask.size, ask.token)?;
    let mut tx = TenantTx::begin(db, scope).await?;
    let of = scope.organization_id;
    let rows = labels::list(tx.conn(), of, pager.after(), pager.limit()).await?;
    let page = pager
        .page(rows, |last| (last.name.clone(), last.id))
        .map(wire);
    Ok(ListLabelsResponse {
        labels: page.items,
        next_page_token: page.next.unwrap_or_default(),
    })
}

fn wire(row: Row) -> Label {
    Label {
        id: row.id.to_string(),
        name: row.name,
        color: row.color,
        created_at: Some(row.created_at.into()),
    }
}

//! ListTemplates, GetTemplate and PreviewTemplate.

use db::{Db, TenantTx, page::Pager};
use ids::{TemplateId, TenantScope};
use proto::messaging::v1::{
    ListTemplatesRequest, ListTemplatesResponse, MessageTemplate, PreviewTemplateResponse,
    TemplateComponent, TemplateProblem, TemplateSync,
};

use super::{definition, view};
use crate::{
    domain::template::{fill, state},
    error::Error,
    store::templates::{self, Filter, Position, sync},
};

pub(crate) async fn get_template(
    db: &Db,
    scope: &TenantScope,
    id: TemplateId,
) -> Result<MessageTemplate, Error> {
    let mut tx = TenantTx::begin(db, scope).await?;
    let found = templates::find(tx.conn(), scope.organization_id, id).await?;
    view(found.ok_or(Error::NotFound("template"))?)
}

pub(crate) async fn list_templates(
    db: &Db,
    scope: &TenantScope,
    request: ListTemplatesRequest,
) -> Result<ListTemplatesResponse, Error> {
    let filter = Filter {
        status: state::status_word(request.status()),
        waba_id: request.waba_id,
        name: request.name,
    };
    let (size, token) = (request.page_size, &request.page_token);
    let pager = Pager::<Position>::new("templates", &filter, size, token)?;
    let organization_id = scope.organization_id;
    let mut tx = TenantTx::begin(db, scope).await?;
    let after = pager.after();
    let rows = templates::list(tx.conn(), organization_id, &filter, after, pager.limit()).await?;
    let syncs = sync::list(tx.conn(), organization_id).await?;
    let page = pager.page(rows, |last| {
        (last.name.clone(), last.language.clone(), last.id)
    });
    let templates = page.items.into_iter().map(view);
    Ok(ListTemplatesResponse {
        templates: templates.collect::<Result<_, _>>()?,
        next_page_token: page.next.unwrap_or_default(),
        syncs: syncs
            .into_iter()
            .map(|sync| TemplateSync {
                waba_id: sync.waba_id,
                synced_at: sync.synced_at.map(Into::into),
                failure: sync.failure,
            })
            .collect(),
    })
}

pub(crate) async fn preview_template(
    db: &Db,
    scope: &TenantScope,
    id: TemplateId,
    components: &[TemplateComponent],
) -> Result<PreviewTemplateResponse, Error> {
    let mut tx = TenantTx::begin(db, scope).await?;
    let found = templates::find(tx.conn(), scope.organization_id, id).await?;
    let found = found.ok_or(Error::NotFound("template"))?;
    let definition = definition(&found.definition)?;
    let format = state::format(&found.parameter_format);
    let problems = fill::problems(&definition, format, components);
    Ok(PreviewTemplateResponse {
        text: fill::text(&definition, components),
        problems: problems
            .into_iter()
            .map(|problem| TemplateProblem {
                field: problem.field,
                message: problem.message,
            })
            .collect(),
    })
}

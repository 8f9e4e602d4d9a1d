//! One line per RPC of `TemplateService`.

use std::sync::Arc;

use db::idempotency::RequestHash;
use errors::to_status;
use proto::messaging::v1::{
    CreateTemplateRequest, DeleteTemplateRequest, DeleteTemplateResponse, GetTemplateRequest,
    ListTemplatesRequest, ListTemplatesResponse, MessageTemplate, PreviewTemplateRequest,
    PreviewTemplateResponse, SubmitTemplateRequest, SyncTemplatesRequest, SyncTemplatesResponse,
    UpdateTemplateRequest, template_service_server::TemplateService,
};
use tonic::{Request, Response, Status};

use crate::{
    error::Error,
    ops::{
        templates::{change, read, submit},
        view,
    },
    outbound::Engine,
};

/// The gRPC server of templates.
#[derive(Debug, Clone)]
pub(crate) struct Service {
    pub(crate) engine: Arc<Engine>,
}

/// Decodes, calls and encodes: `answer!(self, request, |scope, origin, message| …)`.
macro_rules! answer {
    ($self:ident, $request:ident, |$scope:ident, $origin:ident, $message:ident| $work:expr) => {{
        let context = auth::context(&$request)?;
        let $scope = context.require_scope().map_err(|error| to_status(&error))?;
        let $origin = context.origin.clone();
        let $message = $request.into_inner();
        let answered: Result<_, Error> = async { $work.await }.await;
        answered
            .map(Response::new)
            .map_err(|error| to_status(&error))
    }};
}

#[tonic::async_trait]
impl TemplateService for Service {
    async fn list_templates(
        &self,
        request: Request<ListTemplatesRequest>,
    ) -> Result<Response<ListTemplatesResponse>, Status> {
        answer!(self, request, |scope, _origin, message| {
            read::list_templates(&self.engine.db, &scope, message)
        })
    }

    async fn get_template(
        &self,
        request: Request<GetTemplateRequest>,
    ) -> Result<Response<MessageTemplate>, Status> {
        answer!(self, request, |scope, _origin, message| {
            let id = view::id("templateId", &message.template_id)?;
            read::get_template(&self.engine.db, &scope, id)
        })
    }

    async fn preview_template(
        &self,
        request: Request<PreviewTemplateRequest>,
    ) -> Result<Response<PreviewTemplateResponse>, Status> {
        answer!(self, request, |scope, _origin, message| {
            let id = view::id("templateId", &message.template_id)?;
            read::preview_template(&self.engine.db, &scope, id, &message.components)
        })
    }

    async fn create_template(
        &self,
        request: Request<CreateTemplateRequest>,
    ) -> Result<Response<MessageTemplate>, Status> {
        let key = auth::context(&request)?.idempotency_key.clone();
        let hash = || RequestHash::of(&prost::Message::encode_to_vec(request.get_ref()));
        let idempotency = key.map(|key| (key, hash()));
        answer!(self, request, |scope, origin, message| {
            change::create_template(&self.engine, &scope, &origin, message, idempotency)
        })
    }

    async fn update_template(
        &self,
        request: Request<UpdateTemplateRequest>,
    ) -> Result<Response<MessageTemplate>, Status> {
        answer!(self, request, |scope, origin, message| {
            let id = view::id("templateId", &message.template_id)?;
            change::update_template(&self.engine, &scope, &origin, id, message)
        })
    }

    async fn submit_template(
        &self,
        request: Request<SubmitTemplateRequest>,
    ) -> Result<Response<MessageTemplate>, Status> {
        answer!(self, request, |scope, origin, message| {
            let id = view::id("templateId", &message.template_id)?;
            submit::submit_template(&self.engine, &scope, &origin, id)
        })
    }

    async fn delete_template(
        &self,
        request: Request<DeleteTemplateRequest>,
    ) -> Result<Response<DeleteTemplateResponse>, Status> {
        answer!(self, request, |scope, origin, message| {
            let id = view::id("templateId", &message.template_id)?;
            change::delete_template(&self.engine, &scope, &origin, id).await?;
            std::future::ready(Ok(DeleteTemplateResponse {}))
        })
    }

    async fn sync_templates(
        &self,
        request: Request<SyncTemplatesRequest>,
    ) -> Result<Response<SyncTemplatesResponse>, Status> {
        answer!(self, request, |scope, _origin, message| {
            change::sync_templates(&self.engine, &scope, &message.waba_id).await?;
            std::future::ready(Ok(SyncTemplatesResponse {}))
        })
    }
}

#[cfg(test)]
mod tests;

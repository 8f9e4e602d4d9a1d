//! One line per RPC of `ChannelHealthService`.

use std::sync::Arc;

use errors::to_status;
use proto::messaging::v1::{
    Channel, ChannelHealth, CheckChannelHealthRequest, GetChannelHealthRequest,
    RotateChannelTokenRequest, channel_health_service_server::ChannelHealthService,
};
use secrecy::SecretString;
use tonic::{Request, Response, Status};

use crate::{
    error::Error,
    ops::{channel_health, rotate_channel_token::rotate_channel_token, view},
    outbound::Engine,
};

/// The gRPC server of how numbers are doing.
#[derive(Debug, Clone)]
pub(crate) struct Service {
    pub(crate) engine: Arc<Engine>,
}

/// Decodes, calls and encodes: `answer!(request, |scope, origin, message| …)`.
macro_rules! answer {
    ($request:ident, |$scope:ident, $origin:ident, $message:ident| $work:expr) => {{
        let context = auth::context(&$request)?;
        let $scope = context.require_scope().map_err(|error| to_status(&error))?;
        let $origin = context.origin.clone();
        let $message = $request.into_inner();
        let answered: Result<_, Error> = Box::pin(async { $work.await }).await;
        answered
            .map(Response::new)
            .map_err(|error| to_status(&error))
    }};
}

#[tonic::async_trait]
impl ChannelHealthService for Service {
    async fn get_channel_health(
        &self,
        request: Request<GetChannelHealthRequest>,
    ) -> Result<Response<ChannelHealth>, Status> {
        answer!(request, |scope, _origin, message| {
            let id = view::id("channelId", &message.channel_id)?;
            channel_health::get_channel_health(&self.engine.db, &scope, id)
        })
    }

    async fn check_channel_health(
        &self,
        request: Request<CheckChannelHealthRequest>,
    ) -> Result<Response<ChannelHealth>, Status> {
        answer!(request, |scope, _origin, message| {
            let id = view::id("channelId", &message.channel_id)?;
            channel_health::check_channel_health(&self.engine, &scope, id)
        })
    }

    async fn rotate_channel_token(
        &self,
        request: Request<RotateChannelTokenRequest>,
    ) -> Result<Response<Channel>, Status> {
        answer!(request, |scope, origin, message| {
            let id = view::id("channelId", &message.channel_id)?;
            let token = SecretString::from(message.access_token);
            rotate_channel_token(&self.engine, &scope, &origin, id, token)
        })
    }
}

#[cfg(test)]
mod tests;

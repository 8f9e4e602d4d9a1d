use std::{convert::Infallible, fmt};

use axum::{Router, response::IntoResponse, routing::Route};
use tonic::{body::Body, codegen::Service, server::NamedService, service::Routes};
use tonic_reflection::server::v1::{ServerReflection, ServerReflectionServer};
use tower::Layer;

use super::grpc_health::Mirror;
use crate::{Environment, Health, StartError};

/// What a service serves over gRPC: its services, the layers around them, and the descriptors that
/// reflection shows. Health and reflection themselves are added by the chassis, outside the layers.
#[derive(Clone)]
pub struct Grpc {
    routes: Router,
    names: Vec<&'static str>,
    descriptors: &'static [u8],
}

impl Grpc {
    /// Nothing yet. `descriptors` is the encoded `FileDescriptorSet` of the services to come.
    pub fn new(descriptors: &'static [u8]) -> Self {
        Self {
            routes: Routes::default().into_axum_router(),
            names: Vec::new(),
            descriptors,
        }
    }

    /// Adds a generated server.
    #[must_use]
    #[expect(
        clippy::should_implement_trait,
        reason = "adds a service to a list; nothing arithmetic about it"
    )]
    pub fn add<S>(mut self, service: S) -> Self
    where
        S: Service<http::Request<Body>, Error = Infallible>
            + NamedService
            + Clone
            + Send
            + Sync
            + 'static,
        S::Response: IntoResponse,
        S::Future: Send + 'static,
    {
        self.names.push(S::NAME);
        self.routes = self
            .routes
            .merge(Routes::new(service).into_axum_router().reset_fallback());
        self
    }

    /// Puts a layer around the services added so far: authentication, for example.
    #[must_use]
    pub fn layer<L>(mut self, layer: L) -> Self
    where
        L: Layer<Route> + Clone + Send + Sync + 'static,
        L::Service: Service<axum::extract::Request, Error: Into<Infallible>, Response: IntoResponse>
            + Clone
            + Send
            + Sync
            + 'static,
        <L::Service as Service<axum::extract::Request>>::Future: Send + 'static,
    {
        self.routes = self.routes.layer(layer);
        self
    }

    /// Adds health, and on a developer's machine reflection: elsewhere nobody is told what there is
    /// to call.
    pub(super) fn finish(
        self,
        health: Health,
        environment: Environment,
    ) -> Result<(Router, Mirror), StartError> {
        let (mirror, health_server) = Mirror::new(health, self.names);
        let mut own = Routes::new(health_server);
        if environment == Environment::Development {
            own = own.add_service(reflection(self.descriptors)?);
        }
        let routes = self.routes.merge(own.into_axum_router().reset_fallback());
        Ok((routes, mirror))
    }
}

fn reflection(
    descriptors: &'static [u8],
) -> Result<ServerReflectionServer<impl ServerReflection>, StartError> {
    let mut builder = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET);
    if !descriptors.is_empty() {
        builder = builder.register_encoded_file_descriptor_set(descriptors);
    }
    builder.build_v1().map_err(StartError::Reflection)
}

impl fmt::Debug for Grpc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Grpc")
            .field("names", &self.names)
            .finish_non_exhaustive()
    }
}

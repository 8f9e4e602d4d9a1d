//! The services behind the gateway, and the generated transcoder on top of them.

use chassis::Channel;
use proto::{
    identity::v1::{
        __rest_over_grpc_bridge_IdentityService::IdentityServiceRestBridge, IdentityServiceForward,
        identity_service_client::IdentityServiceClient,
    },
    messaging::v1::{
        __rest_over_grpc_bridge_MessagingService::MessagingServiceRestBridge,
        MessagingServiceForward, messaging_service_client::MessagingServiceClient,
    },
    rest::Transcoder,
};
use tonic::{Status, metadata::MetadataMap};

type Guard = fn(&MetadataMap) -> Result<(), Status>;

/// REST → gRPC for every service.
pub(crate) type Api = Transcoder<
    IdentityServiceRestBridge<IdentityServiceForward<Channel>, Guard>,
    MessagingServiceRestBridge<MessagingServiceForward<Channel>, Guard>,
>;

/// Channels to the services; they connect when first used.
#[derive(Debug, Clone)]
pub(crate) struct Upstreams {
    pub(crate) identity: Channel,
    pub(crate) messaging: Channel,
}

impl Upstreams {
    /// The transcoder that serves the API. Callers are authenticated before they reach it.
    pub(crate) fn api(&self) -> Api {
        self.transcoder(|_| Ok(()))
    }

    /// A transcoder that reads requests and stops short of calling a service.
    pub(crate) fn reader(&self) -> Api {
        self.transcoder(|_| Err(Status::cancelled("only read")))
    }

    fn transcoder(&self, guard: Guard) -> Api {
        Transcoder::new(
            IdentityServiceRestBridge::with_guard(
                IdentityServiceForward(IdentityServiceClient::new(self.identity.clone())),
                guard,
            ),
            MessagingServiceRestBridge::with_guard(
                MessagingServiceForward(MessagingServiceClient::new(self.messaging.clone())),
                guard,
            ),
        )
    }
}

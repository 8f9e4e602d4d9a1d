//! The services behind the gateway, and the generated transcoder on top of them.

use chassis::Channel;
use proto::rest::Transcoder;
use tonic::{Status, metadata::MetadataMap};

type Guard = fn(&MetadataMap) -> Result<(), Status>;

/// Channels to the programs; they connect when first used.
#[derive(Debug, Clone)]
pub(crate) struct Upstreams {
    pub(crate) identity: Channel,
    pub(crate) messaging: Channel,
}

/// The transcoder over these gRPC services: each with the channel to its program, in the order of the proto
/// files (by name, but a file follows those it imports).
macro_rules! transcoder {
    ($($channel:ident: $bridges:ident :: $Bridge:ident, $Forward:ident, $clients:ident :: $Client:ident;)*) => {
        /// REST → gRPC for every service.
        pub(crate) type Api = Transcoder<$(
            proto::$channel::v1::$bridges::$Bridge<proto::$channel::v1::$Forward<Channel>, Guard>
        ),*>;

        impl Upstreams {
            fn transcoder(&self, guard: Guard) -> Api {
                Transcoder::new($({
                    use proto::$channel::v1::{$Forward, $bridges::$Bridge, $clients::$Client};
                    $Bridge::with_guard($Forward($Client::new(self.$channel.clone())), guard)
                }),*)
            }
        }
    };
}

transcoder! {
    identity: __rest_over_grpc_bridge_IdentityService::IdentityServiceRestBridge,
        IdentityServiceForward, identity_service_client::IdentityServiceClient;
    identity: __rest_over_grpc_bridge_AccountService::AccountServiceRestBridge,
        AccountServiceForward, account_service_client::AccountServiceClient;
    identity: __rest_over_grpc_bridge_AuditService::AuditServiceRestBridge,
        AuditServiceForward, audit_service_client::AuditServiceClient;
    identity: __rest_over_grpc_bridge_PeopleService::PeopleServiceRestBridge,
        PeopleServiceForward, people_service_client::PeopleServiceClient;
    identity: __rest_over_grpc_bridge_ScimService::ScimServiceRestBridge,
        ScimServiceForward, scim_service_client::ScimServiceClient;
    identity: __rest_over_grpc_bridge_SsoService::SsoServiceRestBridge,
        SsoServiceForward, sso_service_client::SsoServiceClient;
    messaging: __rest_over_grpc_bridge_MessagingService::MessagingServiceRestBridge,
        MessagingServiceForward, messaging_service_client::MessagingServiceClient;
    messaging: __rest_over_grpc_bridge_ChannelHealthService::ChannelHealthServiceRestBridge,
        ChannelHealthServiceForward, channel_health_service_client::ChannelHealthServiceClient;
    messaging: __rest_over_grpc_bridge_ContactService::ContactServiceRestBridge,
        ContactServiceForward, contact_service_client::ContactServiceClient;
    messaging: __rest_over_grpc_bridge_TemplateService::TemplateServiceRestBridge,
        TemplateServiceForward, template_service_client::TemplateServiceClient;
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
}

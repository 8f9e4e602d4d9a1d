//! Our side: what an administrator enters at the identity provider, and where we send people.

use chrono::{DateTime, Utc};
use samael::metadata::{
    EntityDescriptor, HTTP_POST_BINDING, IndexedEndpoint, NameIdFormat, SpSsoDescriptor,
};
use samael::schema::{AuthnRequest, Issuer, NameIdPolicy};
use samael::traits::ToXml;
use url::Url;

use crate::IdpMetadata;
use crate::response::is_ncname;
use crate::tree::PROTOCOL;

/// The bytes a relay state may have (Bindings 3.4.3).
const MAX_RELAY_STATE: usize = 80;

/// We, as one connection's identity provider knows us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceProvider {
    /// Our name, which assertions carry as their audience. One for each connection, so that an assertion of one
    /// tenant's provider is for nobody else.
    pub entity_id: String,
    /// Where responses are posted. Providers must send exactly these characters.
    pub acs_url: Url,
}

/// A request that can't be made: a mistake of the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// Not an XML name, or too long.
    #[error(
        "the request id must begin with a letter or _, and have letters, digits, _, - and . only"
    )]
    Id,
    /// Providers cut or refuse it.
    #[error("the relay state is longer than {MAX_RELAY_STATE} bytes")]
    RelayState,
}

impl ServiceProvider {
    /// The document for the identity provider's set-up: entity id, where to post, which names we take.
    pub fn metadata_xml(&self) -> String {
        let formats = [
            NameIdFormat::EmailAddressNameIDFormat,
            NameIdFormat::PersistentNameIDFormat,
        ];
        let descriptor = EntityDescriptor {
            entity_id: Some(self.entity_id.clone()),
            sp_sso_descriptors: Some(vec![SpSsoDescriptor {
                protocol_support_enumeration: Some(PROTOCOL.to_owned()),
                authn_requests_signed: Some(false),
                want_assertions_signed: Some(true),
                name_id_formats: Some(formats.map(|format| format.value().to_owned()).to_vec()),
                assertion_consumer_services: vec![IndexedEndpoint {
                    binding: HTTP_POST_BINDING.to_owned(),
                    location: self.acs_url.as_str().to_owned(),
                    index: 0,
                    is_default: Some(true),
                    ..IndexedEndpoint::default()
                }],
                ..SpSsoDescriptor::default()
            }]),
            ..EntityDescriptor::default()
        };
        descriptor
            .to_string()
            .expect("writing XML into memory does not fail")
    }

    /// Where to send the browser: the HTTP-Redirect binding. `id` is ours, unguessable, and to be stored with the
    /// browser's session until it is answered.
    ///
    /// No authentication context is requested: Entra would refuse whoever logs in without a password.
    ///
    /// # Errors
    /// [`RequestError`] for an id or a relay state that the binding does not carry.
    pub fn authn_request(
        &self,
        idp: &IdpMetadata,
        id: &str,
        relay_state: &str,
        now: DateTime<Utc>,
    ) -> Result<Url, RequestError> {
        if !is_ncname(id) {
            return Err(RequestError::Id);
        }
        if relay_state.len() > MAX_RELAY_STATE {
            return Err(RequestError::RelayState);
        }
        let request = AuthnRequest {
            id: id.to_owned(),
            version: "2.0".to_owned(),
            issue_instant: now,
            destination: Some(idp.sso_redirect_url().as_str().to_owned()),
            issuer: Some(Issuer {
                value: Some(self.entity_id.clone()),
                ..Issuer::default()
            }),
            // Without a format: the administrator chose one at the provider, and asking for another fails there.
            name_id_policy: Some(NameIdPolicy {
                allow_create: Some(true),
                ..NameIdPolicy::default()
            }),
            assertion_consumer_service_url: Some(self.acs_url.as_str().to_owned()),
            protocol_binding: Some(HTTP_POST_BINDING.to_owned()),
            ..AuthnRequest::default()
        };
        let url = request
            .redirect(relay_state)
            .expect("writing XML into memory does not fail, and the destination is a URL");
        Ok(url.expect("the request has a destination"))
    }
}

//! Reading `EntityDescriptor` (Metadata 2.3.2, 2.4.3).

use roxmltree::Node;
use url::{Host, Url};

use super::{Certificate, CertificateFault, IdpMetadata, MetadataError, Transport};
use crate::document;
use crate::tree::{Element, METADATA, PROTOCOL, SIGNATURE, all, attribute, instant, text};

/// A rotation has two; federations that publish old ones some more.
pub(super) const MAX_CERTIFICATES: usize = 8;
const MAX_ENTITY_ID: usize = 1024;
const REDIRECT: &str = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect";

pub(super) fn read(xml: &str, transport: Transport) -> Result<IdpMetadata, MetadataError> {
    let tree = document::parse(xml)?;
    let role = identity_provider(tree.root_element())?;
    let entity = role
        .parent()
        .filter(|parent| parent.has_tag_name((METADATA, "EntityDescriptor")))
        .ok_or(MetadataError::NotMetadata)?;
    let valid_until = attribute(entity, "validUntil")
        .map(|value| instant(value).ok_or(MetadataError::ValidUntil))
        .transpose()?;
    let wants_signed = attribute(role, "WantAuthnRequestsSigned");
    Ok(IdpMetadata {
        entity_id: entity_id(entity)?,
        sso_redirect_url: redirect_url(role, transport)?,
        certificates: certificates(role)?,
        wants_signed_requests: matches!(wants_signed, Some("true" | "1")),
        valid_until,
        xml: xml.to_owned(),
    })
}

/// The only one of the document, which is of one provider or a list with one.
fn identity_provider<'a, 'input>(
    root: Element<'a, 'input>,
) -> Result<Element<'a, 'input>, MetadataError> {
    let is_metadata = root.has_tag_name((METADATA, "EntityDescriptor"))
        || root.has_tag_name((METADATA, "EntitiesDescriptor"));
    if !is_metadata {
        return Err(MetadataError::NotMetadata);
    }
    let speaks_saml_2 = |role: &Node<'_, '_>| {
        attribute(*role, "protocolSupportEnumeration").is_some_and(|protocols| {
            protocols
                .split_ascii_whitespace()
                .any(|one| one == PROTOCOL)
        })
    };
    let mut roles = root
        .descendants()
        .filter(|node| node.has_tag_name((METADATA, "IDPSSODescriptor")))
        .filter(speaks_saml_2);
    let role = roles.next().ok_or(MetadataError::NoIdentityProvider)?;
    if roles.next().is_some() {
        return Err(MetadataError::SeveralIdentityProviders);
    }
    Ok(role)
}

fn entity_id(entity: Element<'_, '_>) -> Result<String, MetadataError> {
    attribute(entity, "entityID")
        .filter(|id| !id.is_empty() && id.chars().count() <= MAX_ENTITY_ID)
        .filter(|id| !id.contains(|part: char| part.is_whitespace() || part.is_control()))
        .map(str::to_owned)
        .ok_or(MetadataError::EntityId)
}

fn redirect_url(role: Element<'_, '_>, transport: Transport) -> Result<Url, MetadataError> {
    let location = all(role, (METADATA, "SingleSignOnService"))
        .find(|service| attribute(*service, "Binding") == Some(REDIRECT))
        .and_then(|service| attribute(service, "Location"))
        .ok_or(MetadataError::NoRedirectUrl)?;
    Url::parse(location)
        .ok()
        .filter(|url| is_safe(url, transport))
        .ok_or(MetadataError::RedirectUrl)
}

fn is_safe(url: &Url, transport: Transport) -> bool {
    let is_loopback = || match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    let is_private = match url.scheme() {
        "https" => url.host().is_some(),
        "http" => transport == Transport::HttpOnLoopback && is_loopback(),
        _ => false,
    };
    is_private && url.username().is_empty() && url.password().is_none() && url.fragment().is_none()
}

/// Of the keys for signing, and of those for no use in particular (Metadata 2.4.1.1).
fn certificates(role: Element<'_, '_>) -> Result<Vec<Certificate>, MetadataError> {
    let texts = all(role, (METADATA, "KeyDescriptor"))
        .filter(|key| attribute(*key, "use").is_none_or(|purpose| purpose == "signing"))
        .flat_map(|key| key.descendants())
        .filter(|node| node.has_tag_name((SIGNATURE, "X509Certificate")));
    let mut found: Vec<Certificate> = Vec::new();
    for (at, element) in texts.enumerate() {
        let certificate = certificate(element).map_err(|source| MetadataError::Certificate {
            number: at + 1,
            source,
        })?;
        if !found.contains(&certificate) {
            found.push(certificate);
        }
        if found.len() > MAX_CERTIFICATES {
            return Err(MetadataError::TooManyCertificates);
        }
    }
    if found.is_empty() {
        return Err(MetadataError::NoCertificate);
    }
    Ok(found)
}

fn certificate(element: Element<'_, '_>) -> Result<Certificate, CertificateFault> {
    Certificate::from_base64(text(element).ok_or(CertificateFault::NotBase64)?)
}

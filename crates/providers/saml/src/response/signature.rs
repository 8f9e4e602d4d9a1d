//! Signatures: the one form the SAML profile needs (Core 5.4), then `xmlsec`.

use roxmltree::Node;
use samael::crypto::{
    AllowedSignatureAlgorithm as Algorithm, CertificateDer, CryptoError, CryptoProvider,
    ReduceMode, XmlSec,
};

use crate::refusal::{Part, Refusal, Shown};
use crate::tree::{Element, SIGNATURE, all, attribute, elements, only, text};
use crate::{Certificate, IdpMetadata};

const ALGORITHMS: [Algorithm; 6] = [
    Algorithm::RsaSha256,
    Algorithm::RsaSha384,
    Algorithm::RsaSha512,
    Algorithm::EcdsaSha256,
    Algorithm::EcdsaSha384,
    Algorithm::EcdsaSha512,
];
const ENVELOPED: &str = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";
const EXCLUSIVE: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";

/// Checks the form of all signatures and returns the outermost signed element: the response or the assertion.
pub(super) fn check_form<'a, 'input>(
    response: Element<'a, 'input>,
    assertion: Element<'a, 'input>,
) -> Result<Element<'a, 'input>, Refusal> {
    let mut places = [(response, Part::Response), (assertion, Part::Assertion)]
        .into_iter()
        .filter_map(|(parent, part)| Some((parent, part, signature_of(parent)?)))
        .peekable();
    let outermost = places.peek().map(|(parent, ..)| *parent);
    let mut known = 0;
    for (parent, part, signature) in places {
        check_signature(parent, part, signature)?;
        known += 1;
    }
    let is_signature = |node: &Node<'_, '_>| {
        let name = node.tag_name().name();
        name.eq_ignore_ascii_case("Signature") || name == "SignedInfo"
    };
    // Each signature we know has one SignedInfo, and there is no other of either.
    if response.descendants().filter(is_signature).count() != known * 2 {
        return Err(Refusal::MisplacedSignature);
    }
    outermost.ok_or(Refusal::Unsigned)
}

/// The canonical bytes that were digested for the outermost signature, after every signature of the document was
/// verified with one certificate of the metadata. A provider signs with one key at a time, also during a rotation.
///
/// Each certificate is tried alone: a key of another kind is an error for `xmlsec`, which would end a longer list.
pub(super) fn signed_bytes(text: &str, idp: &IdpMetadata) -> Result<String, Refusal> {
    idp.certificates()
        .iter()
        .find_map(|certificate| verified_by(certificate, text).ok())
        .ok_or(Refusal::InvalidSignature)
}

pub(crate) fn verified_by(certificate: &Certificate, text: &str) -> Result<String, CryptoError> {
    XmlSec::reduce_xml_to_signed_with_allowed_algorithms(
        text,
        &[CertificateDer::from(certificate.der().to_vec())],
        // Not the other modes: they hand back the document's nodes, this one the bytes that were digested.
        ReduceMode::PreDigest,
        Some(&ALGORITHMS),
    )
}

/// More than one is the shape's refusal.
fn signature_of<'a, 'input>(parent: Element<'a, 'input>) -> Option<Element<'a, 'input>> {
    only(parent, (SIGNATURE, "Signature"))
}

fn check_signature(
    parent: Element<'_, '_>,
    part: Part,
    signature: Element<'_, '_>,
) -> Result<(), Refusal> {
    let form = |what| Refusal::SignatureForm { part, what };
    // Without ds:Object, which may hold anything.
    check_children(signature, &["SignedInfo", "SignatureValue", "KeyInfo"])
        .map_err(|()| form("it must hold SignedInfo, SignatureValue and KeyInfo only"))?;
    let value = only(signature, (SIGNATURE, "SignatureValue"));
    if value.and_then(text).is_none() {
        return Err(form("SignatureValue must be plain text"));
    }
    let info = only(signature, (SIGNATURE, "SignedInfo"))
        .ok_or_else(|| form("one SignedInfo is needed"))?;
    check_children(
        info,
        &["CanonicalizationMethod", "SignatureMethod", "Reference"],
    )
    .map_err(|()| form("SignedInfo must hold each of its three parts once"))?;
    check_key_info(signature).map_err(|()| form("KeyInfo holds a reference"))?;

    let canonicalization = algorithm(info, "CanonicalizationMethod", part)?;
    if canonicalization != EXCLUSIVE {
        return Err(Refusal::Transform {
            part,
            algorithm: Shown::new(canonicalization),
        });
    }
    let method = algorithm(info, "SignatureMethod", part)?;
    if !ALGORITHMS
        .iter()
        .any(|allowed| allowed.signature_uri() == method)
    {
        return Err(Refusal::SignatureAlgorithm {
            part,
            algorithm: Shown::new(method),
        });
    }
    let reference =
        only(info, (SIGNATURE, "Reference")).ok_or_else(|| form("one Reference is needed"))?;
    check_reference(parent, part, reference)
}

fn check_reference(
    parent: Element<'_, '_>,
    part: Part,
    reference: Element<'_, '_>,
) -> Result<(), Refusal> {
    let form = |what| Refusal::SignatureForm { part, what };
    let uri = attribute(reference, "URI").and_then(|uri| uri.strip_prefix('#'));
    if uri.is_none() || uri != attribute(parent, "ID") {
        return Err(Refusal::Reference { part });
    }
    check_children(reference, &["Transforms", "DigestMethod", "DigestValue"])
        .map_err(|()| form("Reference must hold each of its three parts once"))?;
    check_transforms(part, reference)?;
    let digest = algorithm(reference, "DigestMethod", part)?;
    if !ALGORITHMS
        .iter()
        .any(|allowed| allowed.digest_uri() == digest)
    {
        return Err(Refusal::DigestAlgorithm {
            part,
            algorithm: Shown::new(digest),
        });
    }
    let value = only(reference, (SIGNATURE, "DigestValue"));
    if value.and_then(text).is_none() {
        return Err(form("DigestValue must be plain text"));
    }
    Ok(())
}

/// Exactly enveloped-signature, then exclusive canonicalisation without comments.
fn check_transforms(part: Part, reference: Element<'_, '_>) -> Result<(), Refusal> {
    let what = "its transforms must be enveloped-signature and exclusive canonicalisation";
    let form = Refusal::SignatureForm { part, what };
    let transforms = only(reference, (SIGNATURE, "Transforms")).ok_or_else(|| form.clone())?;
    let mut wanted = [ENVELOPED, EXCLUSIVE].into_iter();
    for transform in elements(transforms) {
        let algorithm = attribute(transform, "Algorithm").unwrap_or_default();
        let is_transform = transform.has_tag_name((SIGNATURE, "Transform"));
        if !is_transform || wanted.next() != Some(algorithm) {
            return Err(Refusal::Transform {
                part,
                algorithm: Shown::new(algorithm),
            });
        }
        // A list of prefixes adds declarations to the digested bytes and takes nothing away.
        let is_parameter =
            |child: Node<'_, '_>| child.has_tag_name((EXCLUSIVE, "InclusiveNamespaces"));
        if elements(transform).any(|child| algorithm != EXCLUSIVE || !is_parameter(child)) {
            return Err(form);
        }
    }
    if wanted.next().is_some() {
        return Err(form);
    }
    Ok(())
}

/// Nothing in it is used; what could make a library fetch something is refused.
fn check_key_info(signature: Element<'_, '_>) -> Result<(), ()> {
    let foreign = |node: Node<'_, '_>| {
        node.tag_name().namespace() != Some(SIGNATURE)
            || node.tag_name().name() == "RetrievalMethod"
    };
    let is_foreign = all(signature, (SIGNATURE, "KeyInfo"))
        .flat_map(|info| info.descendants())
        .filter(Node::is_element)
        .any(foreign);
    if is_foreign { Err(()) } else { Ok(()) }
}

fn algorithm<'a>(
    parent: Element<'a, '_>,
    name: &'static str,
    part: Part,
) -> Result<&'a str, Refusal> {
    let what = "a method names no algorithm";
    let method = only(parent, (SIGNATURE, name)).ok_or(Refusal::SignatureForm { part, what })?;
    if elements(method).next().is_some() {
        let what = "a method has parameters";
        return Err(Refusal::SignatureForm { part, what });
    }
    attribute(method, "Algorithm").ok_or(Refusal::SignatureForm { part, what })
}

/// Children of these names only, each at most once.
fn check_children(parent: Element<'_, '_>, names: &[&'static str]) -> Result<(), ()> {
    for child in elements(parent) {
        let known = names
            .iter()
            .find(|name| child.has_tag_name((SIGNATURE, **name)));
        if known
            .and_then(|name| only(parent, (SIGNATURE, name)))
            .is_none()
        {
            return Err(());
        }
    }
    Ok(())
}

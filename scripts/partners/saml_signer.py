"""Makes keys and signs XML for the tests of `saml`: one JSON request a line in, one JSON answer a line out.

{"do": "key", "name": N, "kind": K}            makes a key and a self-signed certificate -> {"certificate": base64 DER}
    optional: "from", "until": days from today
{"do": "sign", "xml": X, "key": N, "ids": [..]} signs the elements with these ID, in this order -> {"xml": X}
    optional: "method", "digest", "prefixes" (InclusiveNamespaces), "default_namespace": true (no ds: prefix)
{"do": "resign", "xml": X, "key": N}           writes a new SignatureValue over each SignedInfo as it is -> {"xml": X}

A signature goes behind the Issuer, where SAML wants it. A failure is {"error": text}.
"""

import base64
import copy
import datetime
import json
import sys

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from lxml import etree
from signxml import CanonicalizationMethod, SignatureReference, XMLSigner

DS = "http://www.w3.org/2000/09/xmldsig#"
ISSUER = "{urn:oasis:names:tc:SAML:2.0:assertion}Issuer"
EXCLUSIVE = CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0
KINDS = {
    "rsa-1024": lambda: rsa.generate_private_key(65537, 1024),
    "rsa-2048": lambda: rsa.generate_private_key(65537, 2048),
    "p-256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "p-384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "k-256": lambda: ec.generate_private_key(ec.SECP256K1()),
    "ed25519": ed25519.Ed25519PrivateKey.generate,
}

keys = {}


class Signer(XMLSigner):
    """Signs with anything: what is too weak must be refused by us, not by the tool."""

    def check_deprecated_methods(self):
        pass

    def _build_transforms_for_reference(self, *, transforms_node, reference, **options):
        """signxml digests with the list of prefixes, but writes it for detached signatures only."""
        super()._build_transforms_for_reference(transforms_node=transforms_node, reference=reference, **options)
        if reference.inclusive_ns_prefixes:
            parameter = etree.SubElement(transforms_node[-1], etree.QName(EXCLUSIVE.value, "InclusiveNamespaces"))
            parameter.set("PrefixList", " ".join(reference.inclusive_ns_prefixes))


def make_key(request):
    key = KINDS[request["kind"]]()
    today = datetime.datetime.now(datetime.timezone.utc)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "idp " + request["name"])])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today + datetime.timedelta(days=request.get("from", -1)))
        .not_valid_after(today + datetime.timedelta(days=request.get("until", 365)))
        .sign(key, None if request["kind"] == "ed25519" else hashes.SHA256())
    )
    keys[request["name"]] = (key, certificate)
    der = certificate.public_bytes(serialization.Encoding.DER)
    return {"certificate": base64.b64encode(der).decode()}


def sign(request):
    root = etree.fromstring(request["xml"].encode())
    for element_id in request["ids"]:
        element = root.xpath("//*[@ID = $id]", id=element_id)[0]
        signed = signed_copy(element, element_id, request)
        if element is root:
            root = signed
        else:
            signed.tail = element.tail
            element.getparent().replace(element, signed)
    return {"xml": etree.tostring(root, encoding="unicode")}


def signed_copy(element, element_id, request):
    signer = Signer(
        signature_algorithm=request.get("method", "rsa-sha256"),
        digest_algorithm=request.get("digest", "sha256"),
        c14n_algorithm=EXCLUSIVE,
    )
    if request.get("default_namespace"):
        signer.namespaces = {None: DS}
    key, certificate = keys[request["key"]]
    options = {"cert": [certificate.public_bytes(serialization.Encoding.PEM).decode()]}
    if request.get("method", "").startswith("hmac"):
        # The classic: the public certificate as the secret.
        key, options = certificate.public_bytes(serialization.Encoding.PEM), {}

    unsigned = copy.deepcopy(element)
    unsigned.tail = None
    place = etree.Element(etree.QName(DS, "Signature"), Id="placeholder", nsmap=signer.namespaces)
    issuer = unsigned.find(ISSUER)
    unsigned.insert(0 if issuer is None else unsigned.index(issuer) + 1, place)
    return signer.sign(
        unsigned,
        key=key,
        reference_uri=[SignatureReference("#" + element_id, EXCLUSIVE, request.get("prefixes"))],
        id_attribute="ID",
        **options,
    )


def resign(request):
    root = etree.fromstring(request["xml"].encode())
    key, _ = keys[request["key"]]
    for signature in root.iter(etree.QName(DS, "Signature")):
        info = signature.find(etree.QName(DS, "SignedInfo"))
        octets = etree.tostring(info, method="c14n", exclusive=True, with_comments=False)
        value = key.sign(octets, padding.PKCS1v15(), hashes.SHA256())
        signature.find(etree.QName(DS, "SignatureValue")).text = base64.b64encode(value).decode()
    return {"xml": etree.tostring(root, encoding="unicode")}


def main():
    answers = {"key": make_key, "sign": sign, "resign": resign}
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = answers[request["do"]](request)
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


main()

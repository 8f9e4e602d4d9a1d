//! What the server says about itself (RFC 7643, 5 to 7; RFC 7644, 4).
//!
//! `base` is everywhere the address of the SCIM service, without a slash at its end.

use serde_json::{Value, json};

use crate::{
    Query, ResourceKind,
    answer::ListResponse,
    schema::{Attribute, Kind, Mutability},
};

const CONFIG: &str = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig";
const RESOURCE_TYPE: &str = "urn:ietf:params:scim:schemas:core:2.0:ResourceType";
const SCHEMA: &str = "urn:ietf:params:scim:schemas:core:2.0:Schema";

/// The answer to `/ServiceProviderConfig`.
pub fn service_provider_config(base: &str) -> Value {
    json!({
        "schemas": [CONFIG],
        "patch": {"supported": true},
        "bulk": {"supported": false, "maxOperations": 0, "maxPayloadSize": 0},
        "filter": {"supported": true, "maxResults": Query::MAX_COUNT},
        "changePassword": {"supported": false},
        "sort": {"supported": false},
        "etag": {"supported": true},
        "authenticationSchemes": [{
            "type": "oauthbearertoken",
            "name": "OAuth Bearer Token",
            "description": "The token made for this directory, in the Authorization header",
            "specUri": "https://www.rfc-editor.org/rfc/rfc6750",
            "primary": true,
        }],
        "meta": {
            "resourceType": "ServiceProviderConfig",
            "location": format!("{base}/ServiceProviderConfig"),
        },
    })
}

/// The answer to `/ResourceTypes`.
pub fn resource_types(base: &str) -> Value {
    list(ResourceKind::ALL.map(|kind| describe_type(kind, base)))
}

/// The answer to `/ResourceTypes/{id}`; `None` if there is no such type.
pub fn resource_type(base: &str, id: &str) -> Option<Value> {
    let kind = ResourceKind::ALL
        .into_iter()
        .find(|kind| kind.name() == id)?;
    Some(describe_type(kind, base))
}

/// The answer to `/Schemas`.
pub fn schemas(base: &str) -> Value {
    list(ResourceKind::ALL.map(|kind| describe_schema(kind, base)))
}

/// The answer to `/Schemas/{urn}`; `None` if there is no such schema.
pub fn schema(base: &str, urn: &str) -> Option<Value> {
    let is_it = |kind: &ResourceKind| kind.schema_urn().eq_ignore_ascii_case(urn);
    let kind = ResourceKind::ALL.into_iter().find(is_it)?;
    Some(describe_schema(kind, base))
}

fn list<const N: usize>(resources: [Value; N]) -> Value {
    let list = ListResponse {
        total_results: resources.len() as u64,
        start_index: 1,
        resources: resources.into(),
    };
    list.to_json()
}

fn describe_type(kind: ResourceKind, base: &str) -> Value {
    json!({
        "schemas": [RESOURCE_TYPE],
        "id": kind.name(),
        "name": kind.name(),
        "description": kind.schema().description,
        "endpoint": kind.endpoint(),
        "schema": kind.schema_urn(),
        "meta": {
            "resourceType": "ResourceType",
            "location": format!("{base}/ResourceTypes/{}", kind.name()),
        },
    })
}

fn describe_schema(kind: ResourceKind, base: &str) -> Value {
    let schema = kind.schema();
    json!({
        "schemas": [SCHEMA],
        "id": schema.urn,
        "name": schema.name,
        "description": schema.description,
        "attributes": describe_all(schema.attributes),
        "meta": {
            "resourceType": "Schema",
            "location": format!("{base}/Schemas/{}", schema.urn),
        },
    })
}

fn describe_all(attributes: &[Attribute]) -> Vec<Value> {
    attributes.iter().map(describe).collect()
}

fn describe(attribute: &Attribute) -> Value {
    let mut described = json!({
        "name": attribute.name,
        "description": attribute.description,
        "multiValued": attribute.many,
        "required": attribute.required,
        "mutability": match attribute.mutability {
            Mutability::ReadWrite => "readWrite",
            Mutability::ReadOnly => "readOnly",
            Mutability::Immutable => "immutable",
        },
        "returned": "default",
    });
    let (kind, is_text) = match attribute.kind {
        Kind::Text => ("string", true),
        Kind::Boolean => ("boolean", false),
        Kind::DateTime => ("dateTime", false),
        Kind::Complex(subs) => {
            described["subAttributes"] = describe_all(subs).into();
            ("complex", false)
        }
    };
    described["type"] = kind.into();
    if is_text {
        described["caseExact"] = attribute.case_exact.into();
        described["uniqueness"] = if attribute.unique { "server" } else { "none" }.into();
    }
    described
}

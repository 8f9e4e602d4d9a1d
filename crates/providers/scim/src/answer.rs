//! The two answers that are no resources: lists and errors.

use serde_json::{Value, json};

use crate::{Error, ScimType};

const LIST: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";
const ERROR: &str = "urn:ietf:params:scim:api:messages:2.0:Error";

kept_private!(ListResponse, |list| format_args!(
    "{} of {}",
    list.resources.len(),
    list.total_results
));

/// A page of resources (RFC 7644, 3.4.2). No hits are an empty page with status 200.
#[derive(Clone, PartialEq)]
pub struct ListResponse {
    /// How many there are in all.
    pub total_results: u64,
    /// Where the page begins; 1 for the first.
    pub start_index: u64,
    /// The page, projected.
    pub resources: Vec<Value>,
}

impl ListResponse {
    /// As it is answered.
    pub fn to_json(&self) -> Value {
        json!({
            "schemas": [LIST],
            "totalResults": self.total_results,
            "startIndex": self.start_index,
            "itemsPerPage": self.resources.len(),
            "Resources": self.resources,
        })
    }
}

/// An error as it is answered (RFC 7644, 3.12).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorResponse {
    /// The HTTP status.
    pub status: u16,
    pub scim_type: Option<ScimType>,
    /// A sentence for the administrator who reads the directory's log.
    pub detail: String,
}

impl ErrorResponse {
    /// An error with a status and no keyword: 401, 403, 404, 412, 413, 429, 500, 501.
    pub fn new(status: u16, detail: impl Into<String>) -> Self {
        Self {
            status,
            scim_type: None,
            detail: detail.into(),
        }
    }

    /// 409: another resource has this value. Directories tell it by the keyword from other
    /// conflicts and look the resource up.
    pub fn uniqueness(attribute: &str) -> Self {
        Self {
            status: 409,
            scim_type: Some(ScimType::Uniqueness),
            detail: format!("another resource has the same `{attribute}`"),
        }
    }

    /// 404: there is no such resource, or not in this tenant.
    pub fn not_found() -> Self {
        Self::new(404, "there is no such resource")
    }

    /// 412: `If-Match` names another version.
    pub fn version_mismatch() -> Self {
        Self::new(412, "the resource has changed since it was read")
    }

    /// 400: a change that is refused for a reason of ours, such as locking the last owner out.
    pub fn refused_change(detail: impl Into<String>) -> Self {
        Self {
            status: 400,
            scim_type: Some(ScimType::Mutability),
            detail: detail.into(),
        }
    }

    /// As it is answered. `status` is a text, as the RFC wants it.
    pub fn to_json(&self) -> Value {
        let mut body = json!({
            "schemas": [ERROR],
            "status": self.status.to_string(),
            "detail": self.detail,
        });
        if let Some(scim_type) = self.scim_type {
            body["scimType"] = scim_type.name().into();
        }
        body
    }
}

impl From<&Error> for ErrorResponse {
    fn from(error: &Error) -> Self {
        Self {
            status: 400,
            scim_type: Some(error.scim_type()),
            detail: error.to_string(),
        }
    }
}

//! What a directory is answered.

use db::DbError;
use scim::{Meta, Version, answer::ErrorResponse};
use serde_json::Value;

use crate::{Error, PeopleError, store::scim::users::Refused};

/// A status, perhaps headers, perhaps a document.
pub(crate) struct ScimAnswer {
    pub(crate) status: u16,
    pub(crate) location: Option<String>,
    pub(crate) version: Option<Version>,
    pub(crate) body: Option<Value>,
}

/// Without the document, which is about people.
impl std::fmt::Debug for ScimAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ScimAnswer({})", self.status)
    }
}

impl ScimAnswer {
    pub(super) const fn ok(body: Value) -> Self {
        Self {
            status: 200,
            location: None,
            version: None,
            body: Some(body),
        }
    }

    /// A resource with the headers that its `meta` has.
    pub(super) fn resource(status: u16, meta: Option<Meta>, body: Value) -> Self {
        let (location, version) = match meta {
            Some(meta) => (Some(meta.location), Some(meta.version)),
            None => (None, None),
        };
        Self {
            status,
            location,
            version,
            body: Some(body),
        }
    }

    pub(super) const fn no_content(version: Option<Version>) -> Self {
        Self {
            status: 204,
            location: None,
            version,
            body: None,
        }
    }

    pub(super) fn refused(error: &ErrorResponse) -> Self {
        Self {
            status: error.status,
            location: None,
            version: None,
            body: Some(error.to_json()),
        }
    }
}

/// Why a request is not carried out.
#[derive(Debug)]
pub(super) enum Refusal {
    Told(ErrorResponse),
    Failed(Error),
}

impl Refusal {
    /// In SCIM's words, if the directory can do something about it.
    pub(super) fn told(self) -> Result<ErrorResponse, Error> {
        match self {
            Self::Told(told) => Ok(told),
            Self::Failed(Error::People(PeopleError::LastOwner)) => {
                Ok(ErrorResponse::refused_change(
                    "the organization would have no active owner; make somebody else an owner first",
                ))
            }
            Self::Failed(Error::People(PeopleError::NoSeat)) => {
                Ok(ErrorResponse::new(403, "the organization has no seat left"))
            }
            Self::Failed(error) => Err(error),
        }
    }
}

impl From<ErrorResponse> for Refusal {
    fn from(told: ErrorResponse) -> Self {
        Self::Told(told)
    }
}

impl From<scim::Error> for Refusal {
    fn from(error: scim::Error) -> Self {
        Self::Told(ErrorResponse::from(&error))
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl From<DbError> for Refusal {
    fn from(error: DbError) -> Self {
        Self::Failed(error.into())
    }
}

impl From<Refused> for Refusal {
    fn from(refused: Refused) -> Self {
        match refused.answer() {
            Ok(told) => Self::Told(told),
            Err(error) => error.into(),
        }
    }
}

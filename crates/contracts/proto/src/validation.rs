//! Field rules (`buf.validate`) → a status that names each wrong field.

use std::borrow::Cow;

use errors::{Classify, Code, FieldViolation, codes};
use prost_protovalidate::{Validate, ValidationError, Violation};

/// The generated rules name the packages from their own root.
#[allow(
    clippy::all,
    clippy::pedantic,
    clippy::restriction,
    reason = "generated code is not reviewed by lints"
)]
mod rules {
    use crate::generated::{google, switchboard};
    include!(concat!(env!("OUT_DIR"), "/validate_impl.rs"));
}

#[derive(Debug, thiserror::Error)]
#[error("the request breaks {} field rules", .0.len())]
struct Broken(Vec<FieldViolation>);

impl Classify for Broken {
    fn code(&self) -> &'static Code {
        &codes::REQUEST_INVALID
    }

    fn detail(&self) -> Cow<'static, str> {
        self.0.first().map_or_else(
            || Cow::Borrowed(codes::REQUEST_INVALID.title),
            |first| Cow::Owned(format!("{}: {}", first.field, first.message)),
        )
    }

    fn fields(&self) -> Vec<FieldViolation> {
        self.0.clone()
    }
}

pub(crate) fn check<M: Validate>(message: &M) -> Result<(), tonic::Status> {
    message
        .validate()
        .map_err(|error| errors::to_status(&broken(&error)))
}

fn broken(error: &ValidationError) -> Broken {
    Broken(
        error
            .violations()
            .iter()
            .map(|violation| {
                FieldViolation::new(json_path(&violation.field_path()), sentence(violation))
            })
            .collect(),
    )
}

/// The validator has no words for the formats of `buf.validate`, such as `email`.
fn sentence(violation: &Violation) -> &str {
    match (violation.message(), violation.rule_id()) {
        ("", "string.email" | "string.email_empty") => {
            "must be an e-mail address, like `ada@example.com`"
        }
        ("", _) => "does not have the form that this field needs",
        (message, _) => message,
    }
}

/// Callers know fields by their JSON names: `organization_name` → `organizationName`.
fn json_path(proto: &str) -> String {
    let mut path = String::with_capacity(proto.len());
    let mut upper = false;
    for letter in proto.chars() {
        match letter {
            '_' => upper = true,
            _ if upper => {
                path.extend(letter.to_uppercase());
                upper = false;
            }
            _ => path.push(letter),
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::v1::InviteRequest;

    #[test]
    fn a_wrong_address_is_told_in_words() {
        for email in ["", "ada", "ada@", "a\0da@example.com"] {
            let request = InviteRequest {
                email: email.to_owned(),
                ..InviteRequest::default()
            };
            let fields = broken(&request.validate().unwrap_err()).fields();
            let told = fields.iter().find(|field| field.field == "email").unwrap();
            assert!(told.message.contains("e-mail address"), "{told:?}");
        }
    }
}

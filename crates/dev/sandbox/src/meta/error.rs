//! Errors in the shape and with the codes the Graph API uses.

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use http::{Method, StatusCode};
use serde_json::{Value, json};

/// A refusal by the Graph API.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
pub(super) struct GraphError {
    pub(super) status: StatusCode,
    pub(super) code: u32,
    pub(super) subcode: Option<u32>,
    pub(super) message: String,
    pub(super) details: Option<String>,
    kind: &'static str,
}

impl GraphError {
    /// `code` with its usual HTTP status and title.
    pub(super) fn of(code: u32) -> Self {
        Self {
            status: usual_status(code),
            code,
            subcode: None,
            message: format!("(#{code}) {}", title(code)),
            details: None,
            kind: "OAuthException",
        }
    }

    pub(super) fn details(mut self, details: impl Into<String>) -> Self {
        self.details = Some(details.into());
        self
    }

    pub(super) fn subcode(mut self, subcode: u32) -> Self {
        self.subcode = Some(subcode);
        self
    }

    pub(super) const fn status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// The body breaks the schema; Meta says so in the message itself.
    pub(super) fn schema(message: &str) -> Self {
        Self {
            message: format!("(#100) {message}"),
            ..Self::of(100)
        }
    }

    pub(super) fn missing(details: impl Into<String>) -> Self {
        Self::of(131_008).details(details)
    }

    pub(super) fn value(details: impl Into<String>) -> Self {
        Self::of(131_009).details(details)
    }

    /// Absent and forbidden look the same, as they do at Meta.
    pub(super) fn unknown_object(method: &Method, id: &str) -> Self {
        let verb = method.as_str().to_lowercase();
        Self {
            kind: "GraphMethodException",
            message: format!(
                "Unsupported {verb} request. Object with ID '{id}' does not exist, cannot be \
                 loaded due to missing permissions, or does not support this operation."
            ),
            ..Self::of(100).subcode(33)
        }
    }

    pub(super) fn unknown_path(path: &str) -> Self {
        Self {
            message: format!("Unknown path components: {path}"),
            ..Self::of(2500)
        }
    }

    pub(super) fn no_token() -> Self {
        Self::of(200)
    }

    pub(super) fn malformed_token() -> Self {
        Self {
            message: "Invalid OAuth access token - Cannot parse access token".into(),
            ..Self::of(190)
        }
    }

    pub(super) fn expired_token() -> Self {
        Self {
            message: "Error validating access token: Session has expired".into(),
            ..Self::of(190).subcode(463)
        }
    }

    pub(super) fn revoked_token() -> Self {
        Self {
            message: "Error validating access token: The session has been invalidated".into(),
            ..Self::of(190).subcode(460)
        }
    }

    pub(super) fn is_transient(&self) -> bool {
        matches!(
            self.code,
            1 | 2 | 4 | 80_007 | 130_429 | 131_000 | 131_016 | 131_056 | 131_057 | 133_004
        )
    }

    pub(super) fn body(&self, trace_id: &str) -> Value {
        let mut error = json!({
            "message": self.message,
            "type": self.kind,
            "code": self.code,
            "fbtrace_id": trace_id,
        });
        if let Some(details) = &self.details {
            error["error_data"] = json!({"messaging_product": "whatsapp", "details": details});
        }
        if let Some(subcode) = self.subcode {
            error["error_subcode"] = subcode.into();
        }
        if self.is_transient() {
            error["is_transient"] = true.into();
        }
        json!({ "error": error })
    }

    pub(super) fn response(&self, trace_id: &str) -> Response {
        let mut response = (self.status, Json(self.body(trace_id))).into_response();
        if self.code == 190 {
            response.headers_mut().insert(
                http::header::WWW_AUTHENTICATE,
                http::HeaderValue::from_static(
                    "OAuth \"Facebook Platform\" \"invalid_token\" \"Invalid access token\"",
                ),
            );
        }
        response
    }
}

/// The HTTP status Meta's error table gives for a code; rate limits are 400 there.
pub(super) fn usual_status(code: u32) -> StatusCode {
    match code {
        0 | 104 | 190 => StatusCode::UNAUTHORIZED,
        3 | 131_000 | 131_016 | 131_045 | 131_057 | 133_000 | 134_101 => {
            StatusCode::INTERNAL_SERVER_ERROR
        }
        10 | 200..=299 | 368 | 130_497 | 131_005 | 131_031 => StatusCode::FORBIDDEN,
        803 | 132_001 => StatusCode::NOT_FOUND,
        2 | 133_004 => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::BAD_REQUEST,
    }
}

/// The title of a code, as answers and `failed` statuses carry it.
pub(super) fn title(code: u32) -> &'static str {
    match code {
        1 => "An unknown error occurred",
        2 => "Service temporarily unavailable",
        4 => "Application request limit reached",
        10 => "Application does not have permission for this action",
        100 => "Invalid parameter",
        190 => "Invalid OAuth access token",
        200 => "Provide valid app ID",
        368 => "Temporarily blocked for policies violations",
        2200 => "Callback verification failed",
        80_007 => "Rate limit issues",
        130_429 => "Rate limit hit",
        130_472 => "User's number is part of an experiment",
        131_000 => "Something went wrong",
        131_005 => "Access denied",
        131_008 => "Required parameter is missing",
        131_009 => "Parameter value is not valid",
        131_016 => "Service unavailable",
        131_021 => "Recipient cannot be sender",
        131_026 => "Message undeliverable",
        131_030 => "Recipient phone number not in allowed list",
        131_031 => "Account has been locked",
        131_037 => {
            "WhatsApp provided number needs display name approval before message can be sent"
        }
        131_042 => "Business eligibility payment issue",
        131_047 => "Re-engagement message",
        131_048 => "Spam rate limit hit",
        131_049 => "This message was not delivered to maintain healthy ecosystem engagement.",
        131_050 => "User's preference: the user has stopped marketing messages",
        131_051 => "Unsupported message type",
        131_052 => "Media download error",
        131_053 => "Media upload error",
        131_056 => "(Business Account, Consumer Account) pair rate limit hit",
        131_057 => "Account in maintenance mode",
        131_062 => "Message type cannot be sent to a business-scoped user ID",
        132_000 => "Number of parameters does not match the expected number of params",
        132_001 => "Template name does not exist in the translation",
        132_005 => "Translated text too long",
        132_012 => "Parameter format does not match format in the created template",
        132_015 => "Template is Paused",
        132_016 => "Template is Disabled",
        132_018 => "There's an issue with the parameters in your template",
        133_004 => "Server Temporarily Unavailable",
        133_010 => "Account not registered",
        _ => "Error",
    }
}

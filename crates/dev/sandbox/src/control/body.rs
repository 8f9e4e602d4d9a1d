//! Request bodies of the control API.

use axum::{
    body::Bytes,
    extract::{FromRequest, Request},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::ControlError;

/// A JSON body, whatever its content type. An empty one counts as `{}`.
pub(crate) struct Body<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = ControlError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ControlError> {
        let bytes = Bytes::from_request(request, state)
            .await
            .map_err(|error| ControlError::Invalid(error.to_string()))?;
        let text: &[u8] = if bytes.is_empty() { b"{}" } else { &bytes };
        serde_json::from_slice(text)
            .map(Self)
            .map_err(|error| ControlError::Invalid(error.to_string()))
    }
}

/// `current` with the fields of `patch` put over it (RFC 7396).
pub(crate) fn patched<T: Serialize + DeserializeOwned>(
    current: &T,
    patch: &Value,
) -> Result<T, ControlError> {
    let invalid = |error: serde_json::Error| ControlError::Invalid(error.to_string());
    let mut value = serde_json::to_value(current).map_err(invalid)?;
    merge(&mut value, patch);
    serde_json::from_value(value).map_err(invalid)
}

fn merge(target: &mut Value, patch: &Value) {
    let (Value::Object(target), Value::Object(patch)) = (&mut *target, patch) else {
        *target = patch.clone();
        return;
    };
    for (name, value) in patch {
        merge(target.entry(name.as_str()).or_insert(Value::Null), value);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::meta::Settings;

    #[test]
    fn a_patch_changes_only_what_it_names() {
        let patch = json!({"limits": {"pair": false}, "statuses": {"sent_ms": [1, 2]}});
        let settings = patched(&Settings::default(), &patch).expect("a valid patch");
        assert!(!settings.limits.pair);
        assert!(settings.limits.throughput);
        assert_eq!(settings.statuses.sent_ms.1, 2);
        assert!(patched(&settings, &json!({"limits": {"pear": false}})).is_err());
    }
}

use opentelemetry::KeyValue;
use opentelemetry_sdk::Resource;

use super::Settings;

/// Who this process is, for traces and metrics. `OTEL_SERVICE_NAME` wins over
/// `OTEL_RESOURCE_ATTRIBUTES`, which wins over what we know ourselves.
pub(super) fn resource(settings: &Settings, service: &str) -> Resource {
    let mut attributes = vec![
        KeyValue::new("service.name", service.to_owned()),
        KeyValue::new("service.namespace", "switchboard"),
        KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
        KeyValue::new("deployment.environment.name", settings.environment.name()),
    ];
    let given = settings.resource.iter();
    attributes.extend(given.map(|(key, value)| KeyValue::new(key.clone(), value.clone())));
    if let Some(name) = &settings.service_name {
        attributes.push(KeyValue::new("service.name", name.clone()));
    }
    // Of attributes with the same key the last one stays.
    Resource::builder_empty()
        .with_attributes(attributes)
        .build()
}

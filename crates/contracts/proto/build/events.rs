//! The event registry, from the option `switchboard.options.v1.event`.

use std::fmt::Write;

use anyhow::{Context, ensure};
use heck::ToUpperCamelCase;
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor};

/// Rust source: one `impl DomainEvent` per event message and the table of all.
pub(crate) fn registry(pool: &DescriptorPool) -> anyhow::Result<String> {
    let extension = pool
        .get_extension_by_name("switchboard.options.v1.event")
        .context("find the event option")?;
    let mut implementations = String::new();
    let mut table = String::from("pub(crate) static TABLE: &[&Spec] = &[\n");
    for message in pool.all_messages() {
        let options = message.options();
        if !options.has_extension(&extension) {
            continue;
        }
        let value = options.get_extension(&extension).into_owned();
        let event = value.as_message().context("event option")?;
        write_event(&mut implementations, &mut table, &message, event)
            .with_context(|| message.full_name().to_owned())?;
    }
    table.push_str("];\n");
    Ok(implementations + &table)
}

fn write_event(
    implementations: &mut String,
    table: &mut String,
    message: &MessageDescriptor,
    event: &DynamicMessage,
) -> anyhow::Result<()> {
    let text = |field: &str| -> String {
        event
            .get_field_by_name(field)
            .and_then(|value| value.as_str().map(str::to_owned))
            .unwrap_or_default()
    };
    let (routing_key, key) = (text("routing_key"), text("key"));
    let owner = message
        .package_name()
        .split('.')
        .nth(1)
        .context("owner in the package name")?;
    ensure!(
        routing_key.starts_with(&format!("{owner}."))
            && routing_key.rsplit('.').next() == Some("v1"),
        "routing key {routing_key:?} must be <owner>.<aggregate>.<event>.v1"
    );
    ensure!(
        message.get_field_by_name(&key).is_some(),
        "key names the field {key:?}, which is missing"
    );
    let personal_data = event
        .get_field_by_name("personal_data")
        .and_then(|value| value.as_bool())
        .unwrap_or(false);
    let retention_days = event
        .get_field_by_name("retention_days")
        .and_then(|value| value.as_u32())
        .unwrap_or(0);
    ensure!(retention_days > 0, "retention_days is missing");

    let rust = format!(
        "crate::{}::{}",
        message.package_name().replace('.', "::"),
        message.name().to_upper_camel_case()
    );
    let file = message.parent_file();
    let comment = crate::access::comment(file.file_descriptor_proto(), message.path());
    let summary = comment.lines().collect::<Vec<_>>().join(" ");
    writeln!(
        implementations,
        "impl DomainEvent for {rust} {{\n    const SPEC: &'static Spec = &Spec {{ event_type: {:?}, routing_key: {routing_key:?}, owner: {owner:?}, key: {key:?}, personal_data: {personal_data}, retention_days: {retention_days}, summary: {:?} }};\n    fn key(&self) -> &str {{ &self.{key} }}\n}}",
        message.full_name(),
        summary.trim(),
    )?;
    writeln!(table, "    <{rust} as DomainEvent>::SPEC,")?;
    Ok(())
}

//! The access table, from the option `switchboard.options.v1.access`.

use std::{collections::HashSet, fmt::Write};

use anyhow::{Context, ensure};
use heck::ToUpperCamelCase;
use prost_reflect::{DescriptorPool, DynamicMessage, MethodDescriptor, ReflectMessage};

/// What a method's options say.
pub(crate) struct Method {
    pub(crate) descriptor: MethodDescriptor,
    /// `Permission("…")`, `Public`, `Service`, `Authenticated`.
    pub(crate) rule: String,
    pub(crate) permission: Option<String>,
    pub(crate) rate_class: String,
    pub(crate) idempotency_key: bool,
    pub(crate) step_up: bool,
    /// Mapped to REST.
    pub(crate) public_api: bool,
}

impl Method {
    /// `/switchboard.identity.v1.IdentityService/LogIn`
    pub(crate) fn path(&self) -> String {
        let service = self.descriptor.parent_service().full_name();
        format!("/{service}/{}", self.descriptor.name())
    }
}

/// Every method of our services, sorted by path.
pub(crate) fn methods(pool: &DescriptorPool) -> anyhow::Result<Vec<Method>> {
    let mut methods = Vec::new();
    for service in pool
        .services()
        .filter(|service| service.full_name().starts_with("switchboard."))
    {
        for descriptor in service.methods() {
            let name = descriptor.full_name().to_owned();
            methods.push(read(pool, descriptor).with_context(|| name)?);
        }
    }
    methods.sort_by_key(Method::path);
    // An operation of the REST API is known by the bare name of its RPC.
    let mut names = HashSet::new();
    for method in methods.iter().filter(|method| method.public_api) {
        let name = method.descriptor.name();
        ensure!(
            names.insert(name),
            "two RPCs of the REST API are called {name}"
        );
    }
    Ok(methods)
}

fn read(pool: &DescriptorPool, descriptor: MethodDescriptor) -> anyhow::Result<Method> {
    let option = |name: &str| -> anyhow::Result<Option<DynamicMessage>> {
        let extension = pool
            .get_extension_by_name(name)
            .with_context(|| format!("find {name}"))?;
        let options = descriptor.options();
        if !options.has_extension(&extension) {
            return Ok(None);
        }
        Ok(options.get_extension(&extension).as_message().cloned())
    };
    let http = option("google.api.http")?;
    let get = http
        .as_ref()
        .is_some_and(|rule| rule.has_field_by_name("get"));
    let access = option("switchboard.options.v1.access")?;
    let (rule, permission) = access
        .as_ref()
        .map_or_else(|| ("Missing".to_owned(), None), rule_of);
    let public_api = http.is_some();
    ensure!(
        !(public_api && rule == "Service"),
        "a method for services only must not be mapped to REST"
    );
    Ok(Method {
        rate_class: rate_class(access.as_ref(), get)?,
        idempotency_key: access
            .as_ref()
            .is_some_and(|access| flag(access, "idempotency_key")),
        step_up: access
            .as_ref()
            .is_some_and(|access| flag(access, "step_up")),
        descriptor,
        rule,
        permission,
        public_api,
    })
}

/// A method without the option becomes `Missing`, which denies everybody and fails a test.
fn rule_of(access: &DynamicMessage) -> (String, Option<String>) {
    if flag(access, "public") {
        ("Public".to_owned(), None)
    } else if flag(access, "service") {
        ("Service".to_owned(), None)
    } else if flag(access, "authenticated") {
        ("Authenticated".to_owned(), None)
    } else {
        let permission = access
            .get_field_by_name("permission")
            .and_then(|value| value.as_str().map(str::to_owned))
            .unwrap_or_default();
        if permission.is_empty() {
            ("Missing".to_owned(), None)
        } else {
            (format!("Permission({permission:?})"), Some(permission))
        }
    }
}

fn flag(access: &DynamicMessage, field: &str) -> bool {
    access
        .get_field_by_name(field)
        .and_then(|value| value.as_bool())
        .unwrap_or(false)
}

/// The name of the value, `RATE_CLASS_SEND`, as the Rust variant, `Send`.
fn rate_class(access: Option<&DynamicMessage>, get: bool) -> anyhow::Result<String> {
    let by_kind = if get { "Read" } else { "Write" };
    let Some(access) = access else {
        return Ok(by_kind.to_owned());
    };
    let field = access
        .descriptor()
        .get_field_by_name("rate_class")
        .context("find rate_class")?;
    let number = access.get_field(&field).as_enum_number();
    let value = field
        .kind()
        .as_enum()
        .zip(number)
        .and_then(|(values, number)| values.get_value(number))
        .with_context(|| format!("there is no rate class {number:?}"))?;
    let name = value
        .name()
        .strip_prefix("RATE_CLASS_")
        .with_context(|| format!("{} is no rate class", value.name()))?;
    Ok(match name {
        "UNSPECIFIED" => by_kind.to_owned(),
        name => name.to_upper_camel_case(),
    })
}

/// Rust source of the table.
pub(crate) fn table(methods: &[Method]) -> String {
    let mut source = String::from("pub(crate) static TABLE: &[Access] = &[\n");
    for method in methods {
        let _infallible = writeln!(
            source,
            "    Access {{ path: {:?}, rule: Rule::{}, rate_class: RateClass::{}, idempotency_key: {}, step_up: {}, public_api: {} }},",
            method.path(),
            method.rule,
            method.rate_class,
            method.idempotency_key,
            method.step_up,
            method.public_api,
        );
    }
    source.push_str("];\n");
    source
}

/// Comment of a descriptor, without the leading blank of each line.
pub(crate) fn comment(pool_file: &prost_types::FileDescriptorProto, path: &[i32]) -> String {
    pool_file
        .source_code_info
        .iter()
        .flat_map(|info| &info.location)
        .find(|location| location.path == path)
        .map(|location| {
            location
                .leading_comments()
                .lines()
                .map(|line| line.strip_prefix(' ').unwrap_or(line))
                .collect::<Vec<_>>()
                .join("\n")
        })
        .unwrap_or_default()
}

/// The comment above a method.
pub(crate) fn method_comment(method: &MethodDescriptor) -> String {
    comment(method.parent_file().file_descriptor_proto(), method.path())
}

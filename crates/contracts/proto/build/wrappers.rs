//! Two wrappers per service, both implementing its server trait:
//! `…Validated` checks the request's rules before the service sees it, and `…Forward` calls the
//! service over gRPC, which is all the gateway needs to serve it.

use std::fmt::Write;

use heck::{ToSnakeCase, ToUpperCamelCase};
use prost_reflect::{DescriptorPool, MessageDescriptor, MethodDescriptor, ServiceDescriptor};

/// Anything the generated clients can call through: tonic's channel, or one of ours around it.
const CHANNEL: &str = "C: tonic::client::GrpcService<tonic::body::Body, Future: Send> + Clone + Send + Sync + 'static, \
     C::Error: Into<tonic::codegen::StdError>, \
     C::ResponseBody: tonic::codegen::Body<Data = tonic::codegen::Bytes> + Send + 'static, \
     <C::ResponseBody as tonic::codegen::Body>::Error: Into<tonic::codegen::StdError> + Send,";

/// Rust source for the services of `package`. `validated` is the generated validation code: a
/// request type it does not mention has no rules.
pub(crate) fn of_package(pool: &DescriptorPool, package: &str, validated: &str) -> String {
    pool.services()
        .filter(|service| service.package_name() == package)
        .map(|service| wrapper(&service, Some(validated)) + &wrapper(&service, None))
        .collect()
}

fn wrapper(service: &ServiceDescriptor, validated: Option<&str>) -> String {
    let name = service.name();
    let module = name.to_snake_case();
    let mut source = String::new();
    let header = if validated.is_some() {
        format!(
            "/// [`{module}_server::{name}`] that refuses requests which break their field rules.\n\
             #[derive(Debug, Clone)]\npub struct {name}Validated<T>(pub T);\n\
             #[tonic::async_trait]\nimpl<T: {module}_server::{name}> {module}_server::{name} for {name}Validated<T> {{\n"
        )
    } else {
        format!(
            "/// [`{module}_server::{name}`] that passes every call on to the service over gRPC.\n\
             #[derive(Debug, Clone)]\npub struct {name}Forward<C>(pub {module}_client::{name}Client<C>);\n\
             #[tonic::async_trait]\nimpl<C> {module}_server::{name} for {name}Forward<C>\nwhere {CHANNEL}\n{{\n"
        )
    };
    source.push_str(&header);
    for method in service.methods() {
        write_method(&mut source, &method, validated, &module, name);
    }
    source.push_str("}\n");
    source
}

fn write_method(
    source: &mut String,
    method: &MethodDescriptor,
    validated: Option<&str>,
    module: &str,
    service: &str,
) {
    let function = method.name().to_snake_case();
    let request = path(&method.input());
    let mut result = path(&method.output());
    if method.is_server_streaming() {
        let stream = format!("{}Stream", method.name());
        let kind = if validated.is_some() {
            format!("<T as {module}_server::{service}>::{stream}")
        } else {
            format!("tonic::Streaming<{result}>")
        };
        let _infallible = writeln!(source, "type {stream} = {kind};");
        result = format!("Self::{stream}");
    }
    let body = match validated {
        Some(rules) => {
            let check = if rules.contains(&format!("for {} {{", raw_path(&method.input()))) {
                "crate::validation::check(request.get_ref())?; "
            } else {
                ""
            };
            format!("{check}self.0.{function}(request).await")
        }
        None => format!("self.0.clone().{function}(request).await"),
    };
    let _infallible = writeln!(
        source,
        "async fn {function}(&self, request: tonic::Request<{request}>) -> Result<tonic::Response<{result}>, tonic::Status> {{ {body} }}"
    );
}

fn path(message: &MessageDescriptor) -> String {
    format!("crate::{}", raw_path(message))
}

fn raw_path(message: &MessageDescriptor) -> String {
    let package = message.package_name().replace('.', "::");
    format!("{package}::{}", message.name().to_upper_camel_case())
}

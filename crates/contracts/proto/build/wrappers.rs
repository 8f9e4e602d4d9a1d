//! Two wrappers per service, both implementing its server trait:
//! `…Validated` checks the request's rules before the service sees it, and `…Forward` calls the
//! service over gRPC, which is all the gateway needs to serve it.

use std::fmt::Write;

use heck::{ToSnakeCase, ToUpperCamelCase};
use prost_reflect::{DescriptorPool, MessageDescriptor, MethodDescriptor, ServiceDescriptor};

use crate::rules::Rules;

/// Anything the generated clients can call through: tonic's channel, or one of ours around it.
const CHANNEL: &str = "C: tonic::client::GrpcService<tonic::body::Body, Future: Send> + Clone + Send + Sync + 'static, \
     C::Error: Into<tonic::codegen::StdError>, \
     C::ResponseBody: tonic::codegen::Body<Data = tonic::codegen::Bytes> + Send + 'static, \
     <C::ResponseBody as tonic::codegen::Body>::Error: Into<tonic::codegen::StdError> + Send,";

/// What a wrapper does with a call before it passes it on.
#[derive(Clone, Copy)]
enum Wrapper<'p> {
    /// Checks the request by these rules.
    Validated(&'p Rules),
    /// Nothing.
    Forward,
}

/// Rust source for the services of `package`.
pub(crate) fn of_package(pool: &DescriptorPool, package: &str, rules: &Rules) -> String {
    pool.services()
        .filter(|service| service.package_name() == package)
        .map(|service| {
            wrapper(&service, Wrapper::Validated(rules)) + &wrapper(&service, Wrapper::Forward)
        })
        .collect()
}

fn wrapper(service: &ServiceDescriptor, wrapper: Wrapper<'_>) -> String {
    let name = service.name();
    let module = name.to_snake_case();
    let mut source = String::new();
    let header = match wrapper {
        Wrapper::Validated(_) => format!(
            "/// [`{module}_server::{name}`] that refuses requests which break their field rules.\n\
             #[derive(Debug, Clone)]\npub struct {name}Validated<T>(pub T);\n\
             #[tonic::async_trait]\nimpl<T: {module}_server::{name}> {module}_server::{name} for {name}Validated<T> {{\n"
        ),
        Wrapper::Forward => format!(
            "/// [`{module}_server::{name}`] that passes every call on to the service over gRPC.\n\
             #[derive(Debug, Clone)]\npub struct {name}Forward<C>(pub {module}_client::{name}Client<C>);\n\
             #[tonic::async_trait]\nimpl<C> {module}_server::{name} for {name}Forward<C>\nwhere {CHANNEL}\n{{\n"
        ),
    };
    source.push_str(&header);
    for method in service.methods() {
        write_method(&mut source, &method, wrapper, &module, name);
    }
    source.push_str("}\n");
    source
}

fn write_method(
    source: &mut String,
    method: &MethodDescriptor,
    wrapper: Wrapper<'_>,
    module: &str,
    service: &str,
) {
    let function = method.name().to_snake_case();
    let request = path(&method.input());
    let mut result = path(&method.output());
    if method.is_server_streaming() {
        let stream = format!("{}Stream", method.name());
        let kind = match wrapper {
            Wrapper::Validated(_) => format!("<T as {module}_server::{service}>::{stream}"),
            Wrapper::Forward => format!("tonic::Streaming<{result}>"),
        };
        let _infallible = writeln!(source, "type {stream} = {kind};");
        result = format!("Self::{stream}");
    }
    let body = match wrapper {
        // Does not compile where the rules exist and the generator of their code overlooked them.
        Wrapper::Validated(rules) if rules.bind(&method.input()) => format!(
            "crate::validation::check(request.get_ref())?; self.0.{function}(request).await"
        ),
        Wrapper::Validated(_) => format!("self.0.{function}(request).await"),
        Wrapper::Forward => format!("self.0.clone().{function}(request).await"),
    };
    let _infallible = writeln!(
        source,
        "async fn {function}(&self, request: tonic::Request<{request}>) -> Result<tonic::Response<{result}>, tonic::Status> {{ {body} }}"
    );
}

fn path(message: &MessageDescriptor) -> String {
    let package = message.package_name().replace('.', "::");
    format!("crate::{package}::{}", message.name().to_upper_camel_case())
}

//! A gRPC service written by hand: each method is a function from text to text.

use std::{
    convert::Infallible,
    sync::Arc,
    task::{Context, Poll},
};

use futures::future::BoxFuture;
use prost::Message;
use prost_types::{
    FileDescriptorProto, FileDescriptorSet, MethodDescriptorProto, MethodOptions,
    ServiceDescriptorProto, method_options::IdempotencyLevel,
};
use tonic::{
    Request, Response, Status,
    body::Body,
    codegen::Service,
    server::{NamedService, UnaryService},
};
use tonic_prost::ProstCodec;

type Method =
    Arc<dyn Fn(Request<String>) -> BoxFuture<'static, Result<String, Status>> + Send + Sync>;

/// `test.Echo`, with every method doing the same.
#[derive(Clone)]
pub(crate) struct Echo(Method);

impl Echo {
    pub(crate) fn new<F, Fut>(method: F) -> Self
    where
        F: Fn(Request<String>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<String, Status>> + Send + 'static,
    {
        Self(Arc::new(move |request| Box::pin(method(request))))
    }
}

impl NamedService for Echo {
    const NAME: &'static str = "test.Echo";
}

impl UnaryService<String> for Echo {
    type Response = String;
    type Future = BoxFuture<'static, Result<Response<String>, Status>>;

    fn call(&mut self, request: Request<String>) -> Self::Future {
        let answering = (self.0)(request);
        Box::pin(async { answering.await.map(Response::new) })
    }
}

impl Service<http::Request<Body>> for Echo {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let service = self.clone();
        Box::pin(async move {
            if !["/test.Echo/Read", "/test.Echo/Write"].contains(&request.uri().path()) {
                return Ok(Status::unimplemented("no such method").into_http());
            }
            let codec = ProstCodec::<String, String>::default();
            Ok(tonic::server::Grpc::new(codec)
                .unary(service, request)
                .await)
        })
    }
}

/// The descriptors of `test.Echo`: `Read` may be repeated, `Write` may not.
pub(crate) fn descriptors() -> Vec<u8> {
    let method = |name: &str, level| MethodDescriptorProto {
        name: Some(name.to_owned()),
        input_type: Some(".test.Text".to_owned()),
        output_type: Some(".test.Text".to_owned()),
        options: Some(MethodOptions {
            idempotency_level: Some(i32::from(level)),
            ..MethodOptions::default()
        }),
        ..MethodDescriptorProto::default()
    };
    FileDescriptorSet {
        file: vec![FileDescriptorProto {
            name: Some("test.proto".to_owned()),
            package: Some("test".to_owned()),
            syntax: Some("proto3".to_owned()),
            message_type: vec![prost_types::DescriptorProto {
                name: Some("Text".to_owned()),
                ..prost_types::DescriptorProto::default()
            }],
            service: vec![ServiceDescriptorProto {
                name: Some("Echo".to_owned()),
                method: vec![
                    method("Read", IdempotencyLevel::NoSideEffects),
                    method("Write", IdempotencyLevel::IdempotencyUnknown),
                ],
                ..ServiceDescriptorProto::default()
            }],
            ..FileDescriptorProto::default()
        }],
    }
    .encode_to_vec()
}

/// Calls a method of `test.Echo` through any transport.
pub(crate) async fn call<T>(
    transport: T,
    method: &'static str,
    request: Request<String>,
) -> Result<String, Status>
where
    T: tonic::client::GrpcService<Body>,
    T::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    T::ResponseBody: http_body::Body<Data = bytes::Bytes> + Send + 'static,
    <T::ResponseBody as http_body::Body>::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let mut client = tonic::client::Grpc::new(transport);
    client
        .ready()
        .await
        .map_err(|error| Status::from_error(error.into()))?;
    let path = http::uri::PathAndQuery::from_static(method);
    let codec = ProstCodec::<String, String>::default();
    client
        .unary(request, path, codec)
        .await
        .map(Response::into_inner)
}

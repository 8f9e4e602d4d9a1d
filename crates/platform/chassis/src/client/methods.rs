use std::{collections::HashMap, sync::Arc};

use prost::Message;
use prost_types::{FileDescriptorSet, method_options::IdempotencyLevel};

/// What the descriptors say about the methods of the services being called: which may be repeated
/// and which answer with a stream.
#[derive(Clone, Debug, Default)]
pub(super) struct Methods(Arc<HashMap<String, Method>>);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Method {
    /// `idempotency_level` is `NO_SIDE_EFFECTS` or `IDEMPOTENT`, and no side streams.
    pub(super) repeatable: bool,
    /// The answer is a stream: it has no end to wait for.
    pub(super) streams: bool,
}

impl Methods {
    /// Reads an encoded `FileDescriptorSet`.
    pub(super) fn from_descriptors(encoded: &[u8]) -> Result<Self, prost::DecodeError> {
        let set = FileDescriptorSet::decode(encoded)?;
        let mut methods = HashMap::new();
        for file in &set.file {
            for service in &file.service {
                for method in &service.method {
                    let path = format!(
                        "/{}{}{}/{}",
                        file.package(),
                        if file.package().is_empty() { "" } else { "." },
                        service.name(),
                        method.name()
                    );
                    let level = method
                        .options
                        .as_ref()
                        .map_or(IdempotencyLevel::IdempotencyUnknown, |o| {
                            o.idempotency_level()
                        });
                    let streams = method.server_streaming();
                    let repeatable = level != IdempotencyLevel::IdempotencyUnknown
                        && !streams
                        && !method.client_streaming();
                    methods.insert(
                        path,
                        Method {
                            repeatable,
                            streams,
                        },
                    );
                }
            }
        }
        Ok(Self(Arc::new(methods)))
    }

    /// What is known of a method; one that is not known is not repeated and must end in time.
    pub(super) fn of(&self, path: &str) -> Method {
        self.0.get(path).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use prost_types::{
        FileDescriptorProto, MethodDescriptorProto, MethodOptions, ServiceDescriptorProto,
    };

    use super::*;

    #[test]
    fn only_unary_methods_marked_idempotent_are_repeated() {
        let method = |name: &str, level: Option<IdempotencyLevel>, streams| MethodDescriptorProto {
            name: Some(name.to_owned()),
            options: level.map(|level| MethodOptions {
                idempotency_level: Some(level.into()),
                ..MethodOptions::default()
            }),
            server_streaming: Some(streams),
            ..MethodDescriptorProto::default()
        };
        let set = FileDescriptorSet {
            file: vec![FileDescriptorProto {
                package: Some("a.v1".to_owned()),
                service: vec![ServiceDescriptorProto {
                    name: Some("S".to_owned()),
                    method: vec![
                        method("Get", Some(IdempotencyLevel::NoSideEffects), false),
                        method("Put", Some(IdempotencyLevel::Idempotent), false),
                        method("Post", None, false),
                        method("Watch", Some(IdempotencyLevel::NoSideEffects), true),
                    ],
                    ..ServiceDescriptorProto::default()
                }],
                ..FileDescriptorProto::default()
            }],
        };
        let methods = Methods::from_descriptors(&set.encode_to_vec()).expect("a descriptor set");
        let repeatable = |name: &str| methods.of(&format!("/a.v1.S/{name}")).repeatable;
        assert!(repeatable("Get") && repeatable("Put"));
        assert!(!repeatable("Post") && !repeatable("Watch") && !repeatable("Unknown"));
        assert!(methods.of("/a.v1.S/Watch").streams);
        assert!(Methods::from_descriptors(b"\xff").is_err());
    }
}

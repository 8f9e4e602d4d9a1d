//! One descriptor set, everything generated from it: messages, clients and servers, JSON, REST,
//! OpenAPI, validation, the access table, the event registry and the gateway's forwarders.

#[path = "build/access.rs"]
mod access;
#[path = "build/descriptors.rs"]
mod descriptors;
#[path = "build/events.rs"]
mod events;
#[path = "build/modules.rs"]
mod modules;
#[path = "build/openapi.rs"]
mod openapi;
#[path = "build/rules.rs"]
mod rules;
#[path = "build/wrappers.rs"]
mod wrappers;

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use anyhow::Context;
use prost::Message;
use prost_reflect::DescriptorPool;
use rest_over_grpc::build::{DescriptorOptions, Generator, OpenApiInfo, ServiceDefinition};

/// Where `google.protobuf` types live: pbjson's carry the JSON mapping.
const WELL_KNOWN: (&str, &str) = (".google.protobuf", "::pbjson_types");

#[expect(
    clippy::disallowed_methods,
    reason = "cargo speaks to build scripts by environment variables"
)]
fn main() -> anyhow::Result<()> {
    let out = PathBuf::from(env::var_os("OUT_DIR").context("read OUT_DIR")?);
    let package = env::var_os("CARGO_MANIFEST_DIR").context("read CARGO_MANIFEST_DIR")?;
    let root = PathBuf::from(package).join("../../../proto");
    println!("cargo::rerun-if-changed={}", root.display());
    println!("cargo::rerun-if-changed=build");

    // The folder outlives builds. What is left of a proto file that is gone must not be taken for one of this build.
    fs::remove_dir_all(&out)?;
    fs::create_dir(&out)?;

    // The encoded set keeps extension options, which prost's own types would drop.
    let (encoded, set) = descriptors::compile(&root)?;
    fs::write(out.join("descriptor.bin"), &encoded)?;
    let pool = DescriptorPool::decode(encoded.as_slice()).context("decode descriptors")?;

    tonic_prost_build::configure()
        .extern_path(WELL_KNOWN.0, WELL_KNOWN.1)
        .compile_well_known_types(true)
        .compile_fds(set)?;
    pbjson_build::Builder::new()
        .register_descriptors(&encoded)?
        .extern_path(WELL_KNOWN.0, WELL_KNOWN.1)
        .build(&[".switchboard"])?;
    prost_protovalidate_build::Builder::new()
        .file_descriptor_set_bytes(encoded.clone())
        .extern_path(WELL_KNOWN.0, WELL_KNOWN.1)
        .fail_on_runtime_only(true)
        .compile()?;
    let openapi = rest(&encoded, &out)?;

    let methods = access::methods(&pool)?;
    fs::write(out.join("access.rs"), access::table(&methods))?;
    fs::write(out.join("events.rs"), events::registry(&pool)?)?;
    let rules = rules::Rules::new(&pool)?;
    fs::write(
        out.join("openapi.json"),
        openapi::finish(&openapi, &pool, &methods)?,
    )?;
    fs::write(
        out.join("modules.rs"),
        modules::tree(&pool, &out, |package| {
            wrappers::of_package(&pool, package, &rules)
        }),
    )?;
    Ok(())
}

/// The REST traits, bridges and transcoder; returns the raw OpenAPI documents.
fn rest(encoded: &[u8], out: &Path) -> anyhow::Result<Vec<String>> {
    let options = DescriptorOptions::new()
        .package(".switchboard")
        .extern_path(WELL_KNOWN.0, WELL_KNOWN.1);
    let mut generator = Generator::builder()
        .emit_tonic_bridge(true)
        .emit_openapi_spec(Some(OpenApiInfo::new("Switchboard API", "v1")))
        .build();
    generator.add_all(ServiceDefinition::from_fds(encoded, &options)?);
    generator.write(out)?;
    // One document per package comes out.
    let mut documents = Vec::new();
    for entry in fs::read_dir(out)? {
        let path = entry?.path();
        if path.to_string_lossy().ends_with(".v1.openapi.json") {
            documents.push(fs::read_to_string(path)?);
        }
    }
    documents.sort();
    Ok(documents)
}

/// Encodes a set the way `descriptor.bin` has it; used by `descriptors`.
fn encode(set: &prost_types::FileDescriptorSet) -> Vec<u8> {
    set.encode_to_vec()
}

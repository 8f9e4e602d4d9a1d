//! Compiles `proto/` without protoc.

use std::path::Path;

use anyhow::Context;
use prost_types::FileDescriptorSet;
use protox::file::{
    ChainFileResolver, DescriptorSetFileResolver, GoogleFileResolver, IncludeFileResolver,
};

/// The encoded descriptor set with options and comments, and the same as prost types.
pub(crate) fn compile(root: &Path) -> anyhow::Result<(Vec<u8>, FileDescriptorSet)> {
    let mut resolver = ChainFileResolver::new();
    resolver.add(IncludeFileResolver::new(root.to_owned()));
    // buf/validate/validate.proto ships inside the validation crate, as descriptors.
    let validate = crate::encode(&FileDescriptorSet {
        file: prost_protovalidate_types::DESCRIPTOR_POOL
            .file_descriptor_protos()
            .cloned()
            .collect(),
    });
    resolver.add(DescriptorSetFileResolver::decode(validate.as_slice())?);
    resolver.add(GoogleFileResolver::new());

    let mut compiler = protox::Compiler::with_file_resolver(resolver);
    compiler.include_imports(true).include_source_info(true);
    for file in sources(&root.join("switchboard"))? {
        let name = file
            .strip_prefix(root)
            .context("proto file outside proto/")?;
        compiler.open_file(name)?;
    }
    Ok((
        compiler.encode_file_descriptor_set(),
        compiler.file_descriptor_set(),
    ))
}

fn sources(folder: &Path) -> anyhow::Result<Vec<std::path::PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(sources(&path)?);
        } else if path
            .extension()
            .is_some_and(|extension| extension == "proto")
        {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

//! Rebuilds when a platform migration is added: `include_str!` alone watches only the known files.

fn main() {
    println!("cargo::rerun-if-changed=../../../migrations/_platform");
}

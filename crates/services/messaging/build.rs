//! Rebuilds when a migration is added: the macro alone watches only the known files.

fn main() {
    println!("cargo::rerun-if-changed=../../../migrations/messaging");
}

//! A folder that goes with its test.

use std::{
    path::PathBuf,
    sync::atomic::{AtomicU32, Ordering},
};

/// Tells apart the folders of one process.
static NUMBER: AtomicU32 = AtomicU32::new(0);

/// An empty folder; removed, with what is in it by then, when it is dropped.
#[derive(Debug)]
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("switchboard-e2e-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).expect("a folder");
        Self(path)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What can't be removed is in the folder for temporary things.
        let _left_behind = std::fs::remove_dir_all(&self.0);
    }
}

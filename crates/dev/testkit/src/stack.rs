//! Where the development servers are.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

/// Addresses of the servers that `make up` starts.
#[derive(Debug, Clone)]
pub struct Stack(HashMap<String, String>);

impl Stack {
    /// Reads the file that `make up` writes (found above the package, or named by `SWITCHBOARD_STACK_ENV`). A variable
    /// of the environment with the same name wins over a line of the file.
    ///
    /// # Panics
    /// When there is neither.
    pub fn find() -> Self {
        let mut addresses = HashMap::new();
        if let Some(path) = file() {
            let text = std::fs::read_to_string(&path)
                .unwrap_or_else(|error| panic!("read {}: {error}", path.display()));
            for line in text.lines() {
                if let Some((name, value)) = line.split_once('=') {
                    addresses.insert(name.trim().to_owned(), value.trim().to_owned());
                }
            }
        }
        Self(addresses)
    }

    /// `postgres://` URL of a superuser.
    pub fn database_admin_url(&self) -> String {
        self.get("DATABASE_ADMIN_URL")
    }

    /// `amqp://` URL.
    pub fn amqp_url(&self) -> String {
        self.get("AMQP_URL")
    }

    /// `http://` URL of RabbitMQ's management API, with user and password.
    pub fn management_url(&self) -> String {
        self.get("RABBITMQ_MANAGEMENT_URL")
    }

    fn get(&self, name: &str) -> String {
        environment(name)
            .or_else(|| self.0.get(name).cloned())
            .unwrap_or_else(|| {
                panic!("{name} is unknown: run `make up` to start the servers that tests need")
            })
    }
}

fn file() -> Option<PathBuf> {
    if let Some(path) = environment("SWITCHBOARD_STACK_ENV") {
        return Some(path.into());
    }
    // Set by cargo while tests run, unlike the variable of the same name at build time: builds may be shared.
    let start = environment("CARGO_MANIFEST_DIR")
        .map(PathBuf::from)
        .or_else(|| std::env::current_dir().ok())?;
    start
        .ancestors()
        .map(|folder| folder.join(Path::new(".dev/stack/env")))
        .find(|path| path.is_file())
}

#[expect(
    clippy::disallowed_methods,
    reason = "tests have no configuration of their own; this is the one place where they read the environment"
)]
fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

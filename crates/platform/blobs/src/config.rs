//! What an operator sets.

use std::{path::PathBuf, sync::Arc, time::Duration};

use object_store::{ClientOptions, ObjectStore, aws::AmazonS3Builder, local::LocalFileSystem};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use crate::{BlobError, Store};

/// A store that says nothing for so long is not there. How long a whole file takes is the reader's matter: the library's own
/// limit would cut every file that a slow reader asks for.
const QUIET: Duration = Duration::from_secs(30);

/// The section of a service's configuration that says where files are.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BlobsConfig {
    /// What keeps the files.
    #[serde(default)]
    pub provider: Provider,
    /// The folder of the provider `folder`; made when it is missing.
    #[serde(default)]
    pub path: Option<PathBuf>,
    /// The bucket of the provider `s3`.
    #[serde(default)]
    pub bucket: Option<String>,
    /// Its region.
    #[serde(default)]
    pub region: Option<String>,
    /// Another address than AWS's, for stores that speak S3.
    #[serde(default)]
    pub endpoint: Option<String>,
    /// The key; without one, what AWS gives the machine or the pod.
    #[serde(default)]
    pub access_key_id: Option<String>,
    /// Its secret.
    #[serde(default)]
    pub secret_access_key: Option<SecretString>,
    /// Where files wait while they arrive; the system's folder for temporary files without it.
    #[serde(default)]
    pub spool_path: Option<PathBuf>,
}

/// What keeps files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Provider {
    /// A folder of this machine: for one replica.
    #[default]
    Folder,
    /// A bucket.
    S3,
}

impl BlobsConfig {
    /// Keys, defaults and meanings, for the configuration reference.
    pub const DOCS: &[(&str, &str, &str)] = &[
        (
            "provider",
            "folder",
            "What keeps files: `folder` (one replica only) or `s3`.",
        ),
        ("path", "", "The folder of the provider `folder`."),
        ("bucket", "", "The bucket of the provider `s3`."),
        ("region", "", "The region of the bucket."),
        (
            "endpoint",
            "",
            "Address of a store that speaks S3 and is not AWS.",
        ),
        (
            "access_key_id",
            "",
            "Key for the bucket. Without one: what AWS gives the machine or the pod.",
        ),
        ("secret_access_key", "", "The secret of that key."),
        (
            "spool_path",
            "",
            "Folder where files wait while they arrive. Without one: the system's folder for temporary files.",
        ),
    ];

    /// Everything that is wrong with it, each as `field: sentence`; nothing when it is right.
    pub fn problems(&self) -> Vec<String> {
        let needed = |key, provider| format!("{key}: is needed by the provider `{provider}`");
        let mut found = Vec::new();
        match self.provider {
            Provider::Folder if self.path.is_none() => found.push(needed("path", "folder")),
            Provider::S3 if self.bucket.is_none() => found.push(needed("bucket", "s3")),
            Provider::Folder | Provider::S3 => {}
        }
        if self.access_key_id.is_some() != self.secret_access_key.is_some() {
            found.push("secret_access_key: goes with `access_key_id`, set both or none".to_owned());
        }
        found
    }

    /// Opens the store. Nothing is asked of a bucket yet.
    ///
    /// # Errors
    /// When the folder can't be made or the settings of the bucket are wrong.
    pub fn open(&self) -> Result<Store, BlobError> {
        let objects: Arc<dyn ObjectStore> = match self.provider {
            Provider::Folder => Arc::new(self.folder()?),
            Provider::S3 => Arc::new(self.s3().build().map_err(wrong)?),
        };
        Ok(Store::new(objects, self.spool_path.clone()))
    }

    fn folder(&self) -> Result<LocalFileSystem, BlobError> {
        let path = self.path.clone().unwrap_or_default();
        std::fs::create_dir_all(&path).map_err(|source| BlobError::Folder {
            path: path.clone(),
            source,
        })?;
        let folder = LocalFileSystem::new_with_prefix(path).map_err(wrong)?;
        Ok(folder.with_fsync(true))
    }

    fn s3(&self) -> AmazonS3Builder {
        let mut builder = match (&self.access_key_id, &self.secret_access_key) {
            (Some(id), Some(secret)) => AmazonS3Builder::new()
                .with_access_key_id(id)
                .with_secret_access_key(secret.expose_secret()),
            // The machine's role, or the pod's: AWS hands both over in variables of its own.
            _ => AmazonS3Builder::from_env(),
        };
        if let Some(bucket) = &self.bucket {
            builder = builder.with_bucket_name(bucket);
        }
        if let Some(region) = &self.region {
            builder = builder.with_region(region);
        }
        let mut client = ClientOptions::new()
            .with_timeout_disabled()
            .with_read_timeout(QUIET);
        if let Some(endpoint) = &self.endpoint {
            builder = builder.with_endpoint(endpoint);
            client = client.with_allow_http(endpoint.starts_with("http://"));
        }
        builder.with_client_options(client)
    }
}

fn wrong(error: object_store::Error) -> BlobError {
    BlobError::store("opening the store of files", error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_provider_needs_is_asked_for() {
        let keys = |config: &BlobsConfig| -> Vec<String> {
            let problems = config.problems().into_iter();
            let key = |problem: String| problem.split(": ").next().map(str::to_owned);
            problems.filter_map(key).collect()
        };
        assert_eq!(keys(&BlobsConfig::default()), ["path"]);
        let bucket = BlobsConfig {
            provider: Provider::S3,
            access_key_id: Some("AKIA".to_owned()),
            ..BlobsConfig::default()
        };
        assert_eq!(keys(&bucket), ["bucket", "secret_access_key"]);
    }

    #[test]
    fn a_bucket_opens_without_being_asked_anything() {
        // A program does this at its start; only the first test of a process is heard.
        drop(rustls::crypto::ring::default_provider().install_default());
        let bucket = BlobsConfig {
            provider: Provider::S3,
            bucket: Some("media".to_owned()),
            region: Some("eu-central-1".to_owned()),
            endpoint: Some("http://127.0.0.1:9".to_owned()),
            access_key_id: Some("AKIA".to_owned()),
            secret_access_key: Some(SecretString::from("s3cret")),
            ..BlobsConfig::default()
        };
        assert!(format!("{:?}", bucket.open().expect("a store")).contains("media"));
        assert!(!format!("{bucket:?}").contains("s3cret"));
    }
}

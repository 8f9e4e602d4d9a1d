//! Addresses of files that open for a short time to whoever has them. The signature covers whose file it is, which one,
//! what may be done and until when.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use hmac::{Hmac, KeyInit, Mac};
use ids::{MediaId, OrganizationId};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// What an address is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Variant {
    /// To read the file.
    File,
    /// To read its small picture.
    Thumbnail,
    /// To put its bytes there.
    Upload,
}

impl Variant {
    const ALL: [Self; 3] = [Self::File, Self::Thumbnail, Self::Upload];

    const fn as_str(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Thumbnail => "thumbnail",
            Self::Upload => "upload",
        }
    }

    /// How long an address lives: long enough to show a page of messages, or to choose a slow line for an upload.
    const fn lifetime(self) -> TimeDelta {
        match self {
            Self::File | Self::Thumbnail => TimeDelta::minutes(10),
            Self::Upload => TimeDelta::minutes(30),
        }
    }
}

/// What an address opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) organization_id: OrganizationId,
    pub(crate) media_id: MediaId,
    pub(crate) variant: Variant,
}

/// Makes and reads addresses.
#[derive(Debug, Clone)]
pub(crate) struct Links {
    secret: SecretString,
    base: Arc<str>,
}

impl Links {
    pub(crate) fn new(secret: SecretString, public_url: &str) -> Self {
        Self {
            secret,
            base: public_url.trim_end_matches('/').into(),
        }
    }

    /// The address of `target` and when it ends.
    pub(crate) fn sign(&self, target: Target, now: DateTime<Utc>) -> (String, DateTime<Utc>) {
        let expires_at = now + target.variant.lifetime();
        let expires = expires_at.timestamp();
        let signature = hex::encode(self.mac(target, expires));
        let address = format!(
            "{}/media/{}/{}/{}?expires={expires}&signature={signature}",
            self.base,
            target.organization_id,
            target.media_id,
            target.variant.as_str(),
        );
        (address, expires_at)
    }

    /// What the parts of an address open now; `None` for one that was not made here, or has ended.
    pub(crate) fn open(&self, parts: &Parts, now: DateTime<Utc>) -> Option<Target> {
        let variant = Variant::ALL
            .into_iter()
            .find(|variant| variant.as_str() == parts.variant)?;
        let target = Target {
            organization_id: parts.organization_id.parse().ok()?,
            media_id: parts.media_id.parse().ok()?,
            variant,
        };
        let signature = hex::decode(&parts.signature).ok()?;
        let right = self.mac(target, parts.expires);
        (bool::from(right.ct_eq(&signature)) && now.timestamp() < parts.expires).then_some(target)
    }

    fn mac(&self, target: Target, expires: i64) -> [u8; 32] {
        let key = self.secret.expose_secret().as_bytes();
        let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
        let text = format!(
            "media link 1\n{}\n{}\n{}\n{expires}",
            target.organization_id,
            target.media_id,
            target.variant.as_str(),
        );
        mac.update(text.as_bytes());
        mac.finalize().into_bytes().into()
    }
}

/// An address in pieces, as it came.
#[derive(Debug, Clone)]
pub(crate) struct Parts {
    pub(crate) organization_id: String,
    pub(crate) media_id: String,
    pub(crate) variant: String,
    pub(crate) expires: i64,
    pub(crate) signature: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn links(secret: &str) -> Links {
        Links::new(SecretString::from(secret), "https://files.example/")
    }

    fn parts(address: &str) -> Parts {
        let address = address
            .strip_prefix("https://files.example/media/")
            .expect("the base");
        let (path, query) = address.split_once('?').expect("a query");
        let path: Vec<&str> = path.split('/').collect();
        let (expires, signature) = query.split_once('&').expect("two");
        Parts {
            organization_id: path[0].to_owned(),
            media_id: path[1].to_owned(),
            variant: path[2].to_owned(),
            expires: expires["expires=".len()..].parse().expect("a number"),
            signature: signature["signature=".len()..].to_owned(),
        }
    }

    fn target() -> Target {
        Target {
            organization_id: OrganizationId::generate(),
            media_id: MediaId::generate(),
            variant: Variant::File,
        }
    }

    #[test]
    fn an_address_opens_what_it_was_made_for_until_it_ends() {
        let (links, target) = (links("secret"), target());
        let now = DateTime::from_timestamp(1_770_000_000, 0).expect("a time");
        let (address, expires_at) = links.sign(target, now);
        let parts = parts(&address);
        assert_eq!(links.open(&parts, now), Some(target));
        let last = expires_at - TimeDelta::seconds(1);
        assert_eq!(links.open(&parts, last), Some(target));
        assert_eq!(links.open(&parts, expires_at), None);
    }

    #[test]
    fn a_changed_address_opens_nothing() {
        let (links, made_for) = (links("secret"), target());
        let now = DateTime::from_timestamp(1_770_000_000, 0).expect("a time");
        let right = parts(&links.sign(made_for, now).0);
        let stranger = target();
        let change = |change: &dyn Fn(&mut Parts)| {
            let mut changed = right.clone();
            change(&mut changed);
            links.open(&changed, now)
        };
        assert_eq!(change(&|_| ()), Some(made_for));
        let organization_id = stranger.organization_id.to_string();
        let media_id = stranger.media_id.to_string();
        assert_eq!(
            change(&|parts| parts.organization_id.clone_from(&organization_id)),
            None
        );
        assert_eq!(change(&|parts| parts.media_id.clone_from(&media_id)), None);
        for variant in ["upload", "thumbnail", "", "FILE"] {
            assert_eq!(
                change(&|parts| variant.clone_into(&mut parts.variant)),
                None
            );
        }
        assert_eq!(change(&|parts| parts.expires += 1), None);
        assert_eq!(change(&|parts| parts.signature.clear()), None);
        assert_eq!(super::tests::links("other").open(&right, now), None);
    }

    #[test]
    fn the_secret_shows_nowhere() {
        let links = links("s3cret");
        assert!(!format!("{links:?}").contains("s3cret"));
    }
}

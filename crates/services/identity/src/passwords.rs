//! Password hashing: argon2id with 46 MiB, one pass, one lane (OWASP and ASVS 5 both list it).
//!
//! One hash keeps a core busy for about 0.1 s and needs 46 MiB, so two run at a time, on threads that give way to others; a
//! short queue waits, and whoever comes then is told to come back: logins must not starve everything else.
//!
//! bcrypt hashes of the older system are verified, too, and replaced as soon as their password is known. They cut a
//! password after 72 bytes; what replaces them does not.

mod strength;
mod threads;

use std::{fmt, sync::Arc, time::Duration};

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{self, PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use self::threads::Threads;
use crate::{Error, domain::secret};

/// KiB.
const MEMORY: u32 = 46 * 1024;
const PASSES: u32 = 1;
const LANES: u32 = 1;

/// Hashes under way at once.
const WORKERS: usize = 2;
/// Callers that wait for one of them: about a second's worth.
const QUEUE: usize = 16;
/// Longest wait.
const PATIENCE: Duration = Duration::from_secs(3);

/// What a check found.
#[derive(Debug)]
pub(crate) enum Verdict {
    Wrong,
    Right,
    /// Right, and this is a better hash of it than the stored one.
    Outdated(SecretString),
}

impl Verdict {
    pub(crate) const fn is_right(&self) -> bool {
        matches!(self, Self::Right | Self::Outdated(_))
    }
}

/// Hashes and checks passwords. Cheap to clone; clones share the places.
#[derive(Clone)]
pub(crate) struct Passwords(Arc<Shared>);

struct Shared {
    argon2: Argon2<'static>,
    threads: Threads,
    workers: Arc<Semaphore>,
    queue: Semaphore,
    /// Of a password nobody has: what an unknown person's password is compared with, so that it takes as long.
    nobody: SecretString,
}

impl fmt::Debug for Passwords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passwords")
    }
}

impl Passwords {
    /// Computes one hash, so it takes as long as a login.
    pub(crate) async fn new() -> Result<Self, Error> {
        let params = Params::new(MEMORY, PASSES, LANES, None)
            .expect("the parameters are constants within argon2's bounds");
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let random = SecretString::from(BASE64_STANDARD.encode(secret::random_bytes().as_slice()));
        let threads = Threads::start(WORKERS)?;
        let hasher = argon2.clone();
        let nobody = threads.run(move || hash(&hasher, &random)).await?;
        Ok(Self(Arc::new(Shared {
            argon2,
            threads,
            workers: Arc::new(Semaphore::new(WORKERS)),
            queue: Semaphore::new(QUEUE + WORKERS),
            nobody,
        })))
    }

    /// The PHC string to store, with a salt of its own.
    pub(crate) async fn hash(&self, password: SecretString) -> Result<SecretString, Error> {
        let argon2 = self.0.argon2.clone();
        self.work(move || hash(&argon2, &password)).await
    }

    /// [`hash`](Self::hash) of a password that somebody chose. `context` is what others know of the person.
    ///
    /// # Errors
    /// [`Error::PasswordGuessable`].
    pub(crate) async fn hash_chosen(
        &self,
        password: SecretString,
        context: Vec<String>,
    ) -> Result<SecretString, Error> {
        let argon2 = self.0.argon2.clone();
        let work = move || {
            strength::judge(password.expose_secret(), &context)
                .map_err(Error::PasswordGuessable)?;
            hash(&argon2, &password)
        };
        self.work(work).await
    }

    /// Whether `password` is the stored one; never, and after the same time, when none is stored.
    pub(crate) async fn verify(
        &self,
        password: SecretString,
        stored: Option<SecretString>,
    ) -> Result<Verdict, Error> {
        let argon2 = self.0.argon2.clone();
        let exists = stored.is_some();
        let stored = stored.unwrap_or_else(|| self.0.nobody.clone());
        let work = move || {
            if !verify(&argon2, &password, &stored)? || !exists {
                return Ok(Verdict::Wrong);
            }
            if is_outdated(stored.expose_secret())? {
                return Ok(Verdict::Outdated(hash(&argon2, &password)?));
            }
            Ok(Verdict::Right)
        };
        self.work(work).await
    }

    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let _place = self.0.queue.try_acquire().map_err(|_| Error::Busy)?;
        let worker = tokio::time::timeout(PATIENCE, Arc::clone(&self.0.workers).acquire_owned())
            .await
            .map_err(|_| Error::Busy)?
            .map_err(|_| Error::Busy)?;
        // A caller that goes away does not stop the hash, so the permit goes with it and not with the caller.
        let work = move || {
            let _worker: OwnedSemaphorePermit = worker;
            work()
        };
        self.0.threads.run(work).await
    }
}

fn hash(argon2: &Argon2<'_>, password: &SecretString) -> Result<SecretString, Error> {
    argon2
        .hash_password(password.expose_secret().as_bytes())
        .map(|hash| SecretString::from(hash.to_string()))
        .map_err(Error::Hash)
}

fn verify(
    argon2: &Argon2<'_>,
    password: &SecretString,
    stored: &SecretString,
) -> Result<bool, Error> {
    if is_bcrypt(stored.expose_secret()) {
        return bcrypt::verify(password.expose_secret(), stored.expose_secret())
            .map_err(Error::OldHash);
    }
    let stored = parse(stored.expose_secret())?;
    match argon2.verify_password(password.expose_secret().as_bytes(), &stored) {
        Ok(()) => Ok(true),
        Err(password_hash::Error::PasswordInvalid) => Ok(false),
        Err(error) => Err(Error::Hash(error)),
    }
}

fn is_bcrypt(stored: &str) -> bool {
    ["$2a$", "$2b$", "$2y$"]
        .iter()
        .any(|version| stored.starts_with(version))
}

/// Whether a hash made now would cost a guesser more.
fn is_outdated(stored: &str) -> Result<bool, Error> {
    if is_bcrypt(stored) {
        return Ok(true);
    }
    let params = Params::try_from(&parse(stored)?).map_err(Error::Hash)?;
    Ok(params.m_cost() < MEMORY || params.t_cost() < PASSES)
}

fn parse(stored: &str) -> Result<PasswordHash, Error> {
    PasswordHash::new(stored).map_err(|_| Error::Hash(password_hash::Error::EncodingInvalid))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "an old password, longer than it looks";

    #[tokio::test]
    async fn hashes_of_the_older_system_and_weaker_ones_verify_and_are_replaced() {
        let passwords = Passwords::new().await.unwrap();
        let parts = bcrypt::hash_with_result(OLD, 4).unwrap();
        let versions = [
            bcrypt::Version::TwoA,
            bcrypt::Version::TwoB,
            bcrypt::Version::TwoY,
        ];
        let weak = Params::new(8 * 1024, 1, 1, None).unwrap();
        let weak = Argon2::new(Algorithm::Argon2id, Version::V0x13, weak);
        let mut old: Vec<SecretString> = versions
            .into_iter()
            .map(|version| SecretString::from(parts.format_for_version(version)))
            .collect();
        old.push(hash(&weak, &text(OLD)).unwrap());
        for stored in old {
            let verdict = passwords.verify(text(OLD), Some(stored.clone())).await;
            let Ok(Verdict::Outdated(better)) = verdict else {
                panic!("{verdict:?}");
            };
            assert!(better.expose_secret().starts_with(COST));
            let again = passwords.verify(text(OLD), Some(better)).await.unwrap();
            assert!(matches!(again, Verdict::Right));
            let wrong = passwords.verify(text("x"), Some(stored)).await.unwrap();
            assert!(!wrong.is_right());
        }
    }

    #[tokio::test]
    async fn a_hash_that_is_none_is_an_error_and_not_a_way_in() {
        let passwords = Passwords::new().await.unwrap();
        for broken in ["", "$2b$", "$2b$04$short", "$argon2id$", "plain"] {
            let verdict = passwords.verify(text(broken), Some(text(broken))).await;
            assert!(verdict.is_err(), "{broken}");
        }
    }

    /// How every hash begins: the method and what it costs.
    const COST: &str = "$argon2id$v=19$m=47104,t=1,p=1$";

    fn text(password: &str) -> SecretString {
        SecretString::from(password)
    }

    #[tokio::test]
    async fn a_password_is_verified_exactly_as_typed() {
        let passwords = Passwords::new().await.unwrap();
        // Leading blank, NUL, emoji, combining letters, and longer than bcrypt's 72 bytes.
        let odd = format!(" e\u{301}\0🦀{}", "x".repeat(200));
        let hash = passwords.hash(text(&odd)).await.unwrap();
        assert!(hash.expose_secret().starts_with(COST));
        assert!(
            passwords
                .verify(text(&odd), Some(hash.clone()))
                .await
                .unwrap()
                .is_right()
        );
        let cut = &odd[..odd.len() - 1];
        for wrong in [
            odd.trim(),
            cut,
            &odd.to_uppercase(),
            &odd.replace("e\u{301}", "é"),
            "",
        ] {
            assert!(
                !passwords
                    .verify(text(wrong), Some(hash.clone()))
                    .await
                    .unwrap()
                    .is_right()
            );
        }
    }

    #[tokio::test]
    async fn equal_passwords_have_different_hashes() {
        let passwords = Passwords::new().await.unwrap();
        let hash = || passwords.hash(text("correct horse battery"));
        let (one, two) = (hash().await.unwrap(), hash().await.unwrap());
        assert_ne!(one.expose_secret(), two.expose_secret());
    }

    #[tokio::test]
    async fn nobody_has_no_password() {
        let passwords = Passwords::new().await.unwrap();
        assert!(!passwords.verify(text(""), None).await.unwrap().is_right());
    }

    /// So that nobody learns from the time of an answer who has an account.
    #[tokio::test]
    async fn an_unknown_persons_password_costs_a_hash_like_a_known_ones() {
        let passwords = Passwords::new().await.unwrap();
        assert!(passwords.0.nobody.expose_secret().starts_with(COST));
        let places = u32::try_from(WORKERS).unwrap();
        let workers = Arc::clone(&passwords.0.workers);
        let stored = passwords.hash(text("known")).await.unwrap();
        for stored in [None, Some(stored)] {
            // No place to hash in is free: whoever must hash waits, whoever need not is done at once.
            let held = workers.clone().acquire_many_owned(places).await.unwrap();
            let verify = passwords.verify(text("x"), stored);
            tokio::pin!(verify);
            let at_once = tokio::time::timeout(Duration::ZERO, verify.as_mut()).await;
            assert!(at_once.is_err());
            drop(held);
            assert!(!verify.await.unwrap().is_right());
        }
    }

    #[tokio::test]
    async fn a_crowd_is_told_to_come_back_and_the_rest_is_served() {
        let passwords = Passwords::new().await.unwrap();
        let crowd = (0..40).map(|_| {
            let passwords = passwords.clone();
            async move { passwords.verify(text("x"), None).await }
        });
        let mut waiting = tokio::task::JoinSet::new();
        for visitor in crowd {
            waiting.spawn(visitor);
        }
        let outcomes = waiting.join_all().await;
        let served = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
        let busy = outcomes
            .iter()
            .filter(|outcome| matches!(outcome, Err(Error::Busy)))
            .count();
        assert_eq!(served + busy, 40);
        assert!((WORKERS..=WORKERS + QUEUE).contains(&served), "{served}");
        // The places are free again.
        assert!(passwords.verify(text("x"), None).await.is_ok());
    }
}

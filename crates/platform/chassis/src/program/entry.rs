//! Services of different types in one list.

use std::marker::PhantomData;

use futures::{FutureExt, future::BoxFuture};

use crate::{
    Base, Host, Service, StartError,
    base::SECTIONS,
    config::{self, Field, Problems, Source},
};

/// A service before its configuration is known.
pub(super) trait Entry: Send + Sync {
    fn name(&self) -> &'static str;
    fn about(&self) -> &'static str;
    fn commands(&self) -> Vec<clap::Command>;
    fn fields(&self) -> Vec<Field>;
    fn load(&self, source: &Source<'_>) -> Result<Box<dyn Ready>, Problems>;
}

/// A service with its configuration.
pub(super) trait Ready: Send {
    fn name(&self) -> &'static str;
    fn base(&self) -> &Base;
    /// Builds and starts it in `host`.
    fn start(self: Box<Self>, host: &mut Host) -> BoxFuture<'_, Result<(), StartError>>;
    fn migrate(self: Box<Self>, host: &Host) -> BoxFuture<'static, anyhow::Result<()>>;
    fn command<'a>(
        self: Box<Self>,
        name: &'a str,
        arguments: &'a clap::ArgMatches,
        host: &Host,
    ) -> BoxFuture<'a, anyhow::Result<()>>;
}

/// The entry of `S`.
pub(super) struct Of<S>(PhantomData<fn() -> S>);

impl<S> Of<S> {
    pub(super) fn new() -> Self {
        Self(PhantomData)
    }
}

struct Loaded<S: Service> {
    base: Base,
    config: S::Config,
}

impl<S: Service> Entry for Of<S> {
    fn name(&self) -> &'static str {
        S::NAME
    }

    fn about(&self) -> &'static str {
        S::ABOUT
    }

    fn commands(&self) -> Vec<clap::Command> {
        S::commands()
    }

    fn fields(&self) -> Vec<Field> {
        let mut fields = config::schema::<S::Config>(S::NAME);
        fields.extend(config::schema::<Base>(S::NAME));
        fields
    }

    fn load(&self, source: &Source<'_>) -> Result<Box<dyn Ready>, Problems> {
        let (base, config) = config::load_pair::<Base, S::Config>(source, &SECTIONS)?;
        Ok(Box::new(Loaded::<S> { base, config }))
    }
}

impl<S: Service> Ready for Loaded<S> {
    fn name(&self) -> &'static str {
        S::NAME
    }

    fn base(&self) -> &Base {
        &self.base
    }

    fn start(self: Box<Self>, host: &mut Host) -> BoxFuture<'_, Result<(), StartError>> {
        async move { host.add::<S>(&self.base, self.config).await.map(drop) }.boxed()
    }

    fn migrate(self: Box<Self>, host: &Host) -> BoxFuture<'static, anyhow::Result<()>> {
        S::migrate(self.config, host.deps(S::NAME)).boxed()
    }

    fn command<'a>(
        self: Box<Self>,
        name: &'a str,
        arguments: &'a clap::ArgMatches,
        host: &Host,
    ) -> BoxFuture<'a, anyhow::Result<()>> {
        S::command(name, arguments, self.config, host.deps(S::NAME)).boxed()
    }
}

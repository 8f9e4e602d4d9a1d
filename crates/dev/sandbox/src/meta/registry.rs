//! The apps, accounts, numbers and tokens this sandbox knows.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use chrono::{DateTime, Utc};
use reqwest::Url;
use secrecy::SecretString;

use super::{
    error::GraphError,
    number::Number,
    template::{Needs, Template},
    webhook::Lane,
};
use crate::locked::Locked;

/// An app and the queue of webhooks waiting for it.
#[derive(Debug)]
pub(super) struct App {
    pub(super) id: Arc<str>,
    pub(super) name: String,
    pub(super) secret: SecretString,
    pub(super) callback: Option<Url>,
    pub(super) lane: Arc<Lane>,
}

#[derive(Debug)]
pub(super) struct Account {
    pub(super) id: String,
    pub(super) business_id: String,
    pub(super) name: String,
    pub(super) review_status: String,
    subscriptions: Locked<Vec<Subscription>>,
    templates: RwLock<Vec<Arc<Registered>>>,
}

/// An app that gets an account's webhooks, perhaps at another address than its own.
#[derive(Clone, Debug)]
pub(super) struct Subscription {
    pub(super) app_id: String,
    pub(super) callback_override: Option<Url>,
}

#[derive(Debug)]
pub(super) struct Registered {
    pub(super) template: Template,
    pub(super) needs: Needs,
}

impl Account {
    pub(super) fn new(
        id: String,
        business_id: String,
        name: String,
        review_status: String,
    ) -> Self {
        Self {
            id,
            business_id,
            name,
            review_status,
            subscriptions: Locked::default(),
            templates: RwLock::default(),
        }
    }

    pub(super) fn subscribe(&self, subscription: Subscription) {
        self.subscriptions.with(|list| {
            list.retain(|known| known.app_id != subscription.app_id);
            list.push(subscription);
        });
    }

    pub(super) fn unsubscribe(&self, app_id: &str) {
        self.subscriptions
            .with(|list| list.retain(|known| known.app_id != app_id));
    }

    pub(super) fn subscriptions(&self) -> Vec<Subscription> {
        self.subscriptions.with(|list| list.clone())
    }

    /// Adds a template, or replaces the one with the same name and language.
    pub(super) fn put_template(&self, template: Template) {
        let registered = Arc::new(Registered {
            needs: template.needs(),
            template,
        });
        let mut list = self
            .templates
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        list.retain(|known| {
            (&known.template.name, &known.template.language)
                != (&registered.template.name, &registered.template.language)
        });
        list.push(registered);
    }

    /// Takes away one language of a name, or all of them; false when there was none.
    pub(super) fn remove_templates(&self, name: &str, id: Option<&str>) -> bool {
        let mut list = self
            .templates
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        let before = list.len();
        list.retain(|known| {
            known.template.name != name || id.is_some_and(|id| known.template.id != id)
        });
        list.len() < before
    }

    pub(super) fn templates(&self) -> Vec<Arc<Registered>> {
        self.templates
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(super) fn find_template(&self, name: &str, language: &str) -> Option<Arc<Registered>> {
        let list = self
            .templates
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        list.iter()
            .find(|known| known.template.name == name && known.template.language == language)
            .cloned()
    }
}

/// What an access token opens.
#[derive(Clone, Debug)]
pub(super) struct Grant {
    pub(super) app_id: String,
    pub(super) accounts: Vec<String>,
    pub(super) scopes: Vec<String>,
    pub(super) issued_at: DateTime<Utc>,
    pub(super) expires_at: Option<DateTime<Utc>>,
    pub(super) revoked: bool,
}

impl Grant {
    pub(super) fn opens(&self, account_id: &str) -> bool {
        self.accounts.is_empty() || self.accounts.iter().any(|id| id == account_id)
    }

    pub(super) fn has_scope(&self, scope: &str) -> bool {
        self.scopes.iter().any(|known| known == scope)
    }

    pub(super) fn check(&self, now: DateTime<Utc>) -> Result<(), GraphError> {
        if self.revoked {
            return Err(GraphError::revoked_token());
        }
        if self.expires_at.is_some_and(|at| at <= now) {
            return Err(GraphError::expired_token());
        }
        Ok(())
    }
}

#[derive(Default)]
pub(super) struct Registry(RwLock<Tables>);

#[derive(Default)]
struct Tables {
    apps: HashMap<String, Arc<App>>,
    accounts: HashMap<String, Arc<Account>>,
    numbers: HashMap<String, Arc<Number>>,
    tokens: HashMap<String, Arc<Grant>>,
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The keys of one table are access tokens.
        f.debug_struct("Registry").finish_non_exhaustive()
    }
}

impl Registry {
    fn read<R>(&self, look: impl FnOnce(&Tables) -> R) -> R {
        look(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn write<R>(&self, change: impl FnOnce(&mut Tables) -> R) -> R {
        change(&mut self.0.write().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn put_app(&self, app: Arc<App>) -> Option<Arc<App>> {
        self.write(|tables| tables.apps.insert(app.id.to_string(), app))
    }

    pub(super) fn find_app(&self, id: &str) -> Option<Arc<App>> {
        self.read(|tables| tables.apps.get(id).cloned())
    }

    pub(super) fn apps(&self) -> Vec<Arc<App>> {
        self.read(|tables| tables.apps.values().cloned().collect())
    }

    pub(super) fn put_account(&self, account: Arc<Account>) {
        self.write(|tables| tables.accounts.insert(account.id.clone(), account));
    }

    pub(super) fn find_account(&self, id: &str) -> Option<Arc<Account>> {
        self.read(|tables| tables.accounts.get(id).cloned())
    }

    pub(super) fn accounts(&self) -> Vec<Arc<Account>> {
        self.read(|tables| tables.accounts.values().cloned().collect())
    }

    pub(super) fn put_number(&self, number: Arc<Number>) {
        self.write(|tables| tables.numbers.insert(number.id.to_string(), number));
    }

    pub(super) fn find_number(&self, id: &str) -> Option<Arc<Number>> {
        self.read(|tables| tables.numbers.get(id).cloned())
    }

    pub(super) fn numbers(&self) -> Vec<Arc<Number>> {
        self.read(|tables| tables.numbers.values().cloned().collect())
    }

    pub(super) fn put_token(&self, token: String, grant: Grant) {
        self.write(|tables| tables.tokens.insert(token, Arc::new(grant)));
    }

    pub(super) fn find_token(&self, token: &str) -> Option<Arc<Grant>> {
        self.read(|tables| tables.tokens.get(token).cloned())
    }

    /// Whether there was such a token.
    pub(super) fn revoke_token(&self, token: &str) -> bool {
        self.write(|tables| {
            tables.tokens.get_mut(token).is_some_and(|grant| {
                Arc::make_mut(grant).revoked = true;
                true
            })
        })
    }

    /// Forgets everything; the lanes of the apps are returned so that they can be stopped.
    pub(super) fn clear(&self) -> Vec<Arc<App>> {
        self.write(|tables| {
            let tables = std::mem::take(tables);
            tables.apps.into_values().collect()
        })
    }
}

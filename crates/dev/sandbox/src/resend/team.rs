//! Teams: who may send from where, how fast, and who hears of it.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use chrono::{DateTime, Datelike, Utc};
use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};

use super::{
    EndpointSpec, KeySpec, Permission, SetupSpec, error::ApiError, fate::Reason, idempotency::Keys,
    settings::LimitSettings, webhook::SigningKey,
};
use crate::{control::ControlError, locked::Locked};

/// All teams by their keys. Keys are only compared, so the map may hold them bare.
#[derive(Debug, Default)]
pub(super) struct Teams(RwLock<HashMap<Box<str>, Grant>>);

/// A key of a team.
#[derive(Clone, Debug)]
pub(super) struct Grant {
    pub(super) team: Arc<Team>,
    pub(super) permission: Permission,
}

#[derive(Debug)]
pub(super) struct Team {
    pub(super) name: Arc<str>,
    pub(super) domains: Vec<String>,
    pub(super) account_email: String,
    pub(super) endpoints: Vec<Arc<Endpoint>>,
    pub(super) keys: Arc<Keys>,
    /// Addresses Resend sends nothing to any more.
    pub(super) suppressed: Locked<HashMap<String, Reason>>,
    second: Locked<Window>,
    day: Locked<Window>,
    month: Locked<Window>,
}

/// A webhook endpoint.
#[derive(Debug)]
pub(super) struct Endpoint {
    pub(super) url: Url,
    pub(super) keys: Vec<SigningKey>,
    events: Option<Vec<String>>,
}

/// How much was used in which second, day or month.
#[derive(Debug, Default)]
struct Window {
    at: i64,
    used: u32,
}

/// What is left of this second.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rate {
    pub(super) limit: u32,
    pub(super) remaining: u32,
}

impl Window {
    /// Uses up `count` if no more than `limit` is used then.
    fn take(&mut self, at: i64, count: u32, limit: Option<u32>) -> bool {
        if self.at != at {
            *self = Self { at, used: 0 };
        }
        let used = self.used.saturating_add(count);
        let fits = limit.is_none_or(|limit| used <= limit);
        if fits {
            self.used = used;
        }
        fits
    }
}

impl Endpoint {
    fn new(spec: EndpointSpec) -> Result<Arc<Self>, ControlError> {
        let invalid = |text: &str| ControlError::Invalid(text.into());
        let url = Url::parse(&spec.url).map_err(|_| invalid("url is not a URL"))?;
        let keys = spec.signing_secrets.iter().map(SigningKey::new);
        let keys: Option<Vec<_>> = keys.collect();
        let keys = keys.filter(|keys| !keys.is_empty());
        let keys = keys.ok_or_else(|| invalid("signing_secrets are whsec_ and base64"))?;
        Ok(Arc::new(Self {
            url,
            keys,
            events: spec.events,
        }))
    }

    pub(super) fn wants(&self, event: &str) -> bool {
        let events = self.events.as_ref();
        events.is_none_or(|events| events.iter().any(|wanted| wanted == event))
    }
}

impl Team {
    /// Counts a call. The second answer is what the headers of the answer say.
    pub(super) fn admit(&self, limits: &LimitSettings, now: DateTime<Utc>) -> (bool, Option<Rate>) {
        let limit = limits.requests_per_second;
        if limit == 0 {
            return (true, None);
        }
        self.second.with(|second| {
            let admitted = second.take(now.timestamp(), 1, Some(limit));
            let remaining = limit.saturating_sub(second.used);
            (admitted, Some(Rate { limit, remaining }))
        })
    }

    /// Counts e-mails against the quotas; all or none.
    pub(super) fn spend(
        &self,
        emails: usize,
        limits: &LimitSettings,
        now: DateTime<Utc>,
    ) -> Result<(), ApiError> {
        let count = u32::try_from(emails).unwrap_or(u32::MAX);
        let month = i64::from(now.year()) * 12 + i64::from(now.month0());
        let day = i64::from(now.num_days_from_ce());
        self.month.with(|of_month| {
            let before = (of_month.at, of_month.used);
            if !of_month.take(month, count, limits.monthly_quota) {
                return Err(ApiError::quota("monthly"));
            }
            if self
                .day
                .with(|of_day| of_day.take(day, count, limits.daily_quota))
            {
                return Ok(());
            }
            (of_month.at, of_month.used) = before;
            Err(ApiError::quota("daily"))
        })
    }
}

impl Teams {
    pub(super) fn find(&self, api_key: &str) -> Option<Grant> {
        let teams = self.0.read().unwrap_or_else(PoisonError::into_inner);
        teams.get(api_key).cloned()
    }

    pub(super) fn set_up(&self, spec: SetupSpec) -> Result<(), ControlError> {
        let key = checked(&spec.api_key)?;
        let endpoints = spec.webhooks.into_iter().map(Endpoint::new);
        let team = Arc::new(Team {
            name: spec.team.as_str().into(),
            domains: spec
                .domains
                .iter()
                .map(|name| name.to_lowercase())
                .collect(),
            account_email: spec.account_email,
            endpoints: endpoints.collect::<Result<_, _>>()?,
            keys: Arc::default(),
            suppressed: Locked::default(),
            second: Locked::default(),
            day: Locked::default(),
            month: Locked::default(),
        });
        let mut teams = self.0.write().unwrap_or_else(PoisonError::into_inner);
        teams.retain(|_, grant| *grant.team.name != *spec.team);
        let permission = Permission::FullAccess;
        teams.insert(key, Grant { team, permission });
        Ok(())
    }

    pub(super) fn add_key(&self, spec: &KeySpec) -> Result<(), ControlError> {
        let key = checked(&spec.api_key)?;
        let mut teams = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let known = teams.values().find(|grant| *grant.team.name == *spec.team);
        let known = known.ok_or_else(|| ControlError::unknown("team", &spec.team))?;
        let team = Arc::clone(&known.team);
        let permission = spec.permission;
        teams.insert(key, Grant { team, permission });
        Ok(())
    }

    pub(super) fn clear(&self) {
        self.0
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }
}

fn checked(key: &SecretString) -> Result<Box<str>, ControlError> {
    let key = key.expose_secret();
    if key.is_empty() {
        return Err(ControlError::Invalid("api_key is empty".into()));
    }
    Ok(key.into())
}

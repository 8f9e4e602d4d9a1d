//! Replace the settings of the organization.

use auth::RequestContext;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::{
    Error, PeopleError,
    domain::organization::{is_locale, is_time_zone},
    ops::{Tools, office::Office},
    store::settings::{self, Settings},
};

#[derive(Debug)]
pub(crate) struct NewSettings {
    /// The version that the caller read.
    pub(crate) version: u64,
    pub(crate) name: String,
    pub(crate) time_zone: String,
    pub(crate) locale: String,
    pub(crate) mfa_required_from: Option<DateTime<Utc>>,
}

#[tracing::instrument(skip_all)]
pub(crate) async fn update_organization(
    tools: &Tools,
    caller: &RequestContext,
    new: NewSettings,
) -> Result<Settings, Error> {
    refuse_nonsense(&new)?;
    let mut office = Office::open(tools, caller).await?;
    if u64::try_from(office.organization.version) != Ok(new.version) {
        return Err(PeopleError::Changed.into());
    }
    let (before, now) = (told(&office.organization), office.occasion.at);
    let settings = &mut office.organization;
    settings.name = new.name;
    settings.time_zone = new.time_zone;
    settings.locale = new.locale;
    settings.mfa_required_from = match new.mfa_required_from {
        // It holds already, and stays as old as it is.
        from if from == settings.mfa_required_from => from,
        from => from.map(|from| from.max(now)),
    };
    let after = told(settings);
    if before != after {
        settings::update(&mut office.tx, settings).await?;
        let id = office.organization_id();
        office
            .record("organization.updated", id, Some(before), Some(after))
            .await?;
    }
    let settings = office.organization.clone();
    office.commit().await?;
    Ok(settings)
}

fn refuse_nonsense(new: &NewSettings) -> Result<(), Error> {
    if !is_time_zone(&new.time_zone) {
        return Err(Error::Field {
            field: "timeZone",
            problem: "is not an IANA time zone, such as Europe/Berlin",
        });
    }
    if !is_locale(&new.locale) {
        return Err(Error::Field {
            field: "locale",
            problem: "is not a BCP 47 language tag, such as pt-BR",
        });
    }
    Ok(())
}

fn told(settings: &Settings) -> Value {
    json!({
        "name": settings.name,
        "time_zone": settings.time_zone,
        "locale": settings.locale,
        "mfa_required_from": settings.mfa_required_from,
    })
}

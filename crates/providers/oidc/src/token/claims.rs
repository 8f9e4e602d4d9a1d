//! The claims every ID token has.

use chrono::{DateTime, TimeDelta, Utc};
use secrecy::SecretString;
use serde_json::Value;
use uuid::Uuid;

use super::{Object, Verified};
use crate::{Kind, Refusal, Settings, issuer::Issuer, login::is_same, shown::Shown};

/// How far the provider's clock and ours may be apart.
const SKEW: TimeDelta = TimeDelta::seconds(60);

/// The longest subject the standard allows (OpenID Connect Core section 2), in ASCII characters.
const MAX_SUBJECT: usize = 255;

/// Checks the claims of a token whose signature is right.
pub(super) fn check(
    settings: &Settings,
    issuer: &Issuer,
    claims: Object,
    nonce: &SecretString,
    now: DateTime<Utc>,
) -> Result<Verified, Refusal> {
    let tenant = match &settings.kind {
        Kind::Entra { tenant_ids } => Some(tenant(&claims, tenant_ids)?),
        Kind::Generic | Kind::Google { .. } | Kind::Okta => None,
    };
    let found = claims
        .text("iss")
        .ok_or(Refusal::IdTokenMalformed("it has no issuer"))?;
    if !issuer.is(found, tenant) {
        let found = Shown::new(found);
        return Err(Refusal::IssuerMismatch { found });
    }
    check_audience(&claims, &settings.client_id)?;
    check_times(&claims, now)?;
    let found = claims.text("nonce").ok_or(Refusal::NonceMissing)?;
    if !is_same(found, nonce) {
        return Err(Refusal::NonceMismatch);
    }
    let subject = claims
        .text("sub")
        .filter(|subject| is_subject(subject))
        .ok_or(Refusal::SubjectInvalid)?
        .to_owned();
    Ok(Verified {
        claims,
        subject,
        tenant,
    })
}

fn is_subject(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= MAX_SUBJECT
        && text
            .bytes()
            .all(|byte| byte.is_ascii_graphic() || byte == b' ')
}

/// The directory the token is from, if it is admitted.
fn tenant(claims: &Object, admitted: &[Uuid]) -> Result<Uuid, Refusal> {
    let text = claims.text("tid").ok_or(Refusal::TenantMissing)?;
    let tenant = Uuid::try_parse(text).map_err(|_| Refusal::TenantMissing)?;
    if admitted.contains(&tenant) {
        Ok(tenant)
    } else {
        let found = Shown::new(text);
        Err(Refusal::TenantRefused { found })
    }
}

/// The token is for us, and with several recipients it also was us who asked for it.
fn check_audience(claims: &Object, client_id: &str) -> Result<(), Refusal> {
    let audience: Vec<&str> = match claims.get("aud") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(many)) => many
            .iter()
            .map(|one| one.as_str().ok_or(Refusal::AudienceMismatch))
            .collect::<Result<_, _>>()?,
        _ => return Err(Refusal::AudienceMismatch),
    };
    if !audience.contains(&client_id) {
        return Err(Refusal::AudienceMismatch);
    }
    match claims.get("azp") {
        Some(party) if party == client_id => Ok(()),
        None if audience.len() == 1 => Ok(()),
        _ => Err(Refusal::AuthorizedPartyMismatch),
    }
}

fn check_times(claims: &Object, now: DateTime<Utc>) -> Result<(), Refusal> {
    if time(claims, "exp")? + SKEW <= now {
        return Err(Refusal::Expired);
    }
    if time(claims, "iat")? > now + SKEW {
        return Err(Refusal::NotYetValid);
    }
    if claims.has("nbf") && time(claims, "nbf")? > now + SKEW {
        return Err(Refusal::NotYetValid);
    }
    Ok(())
}

/// A time in whole seconds. One that is absent or of another type is no time, rather than no
/// limit.
fn time(claims: &Object, name: &str) -> Result<DateTime<Utc>, Refusal> {
    claims
        .get(name)
        .and_then(Value::as_i64)
        // To the year 9999: whoever adds to it must not get past the end of time.
        .filter(|seconds| (0..=253_402_300_799).contains(seconds))
        .and_then(|seconds| DateTime::from_timestamp(seconds, 0))
        .ok_or(Refusal::IdTokenMalformed(
            "its times are not numbers of seconds",
        ))
}

#[cfg(test)]
mod tests;

//! What each letter says.

use chrono::{DateTime, Utc};
use secrecy::SecretString;

use super::{
    Letter,
    links::AppUrl,
    names::shown,
    render::{Action, Words},
};
use crate::store::letters::Facts;

const ACCOUNT: &str = "You get this because the address is that of a Switchboard account.";
const NOT_YOU: &str =
    "If this was not you, reset your password now and look through your active sessions.";

/// The words of a letter. `secret` is that of its link, for those that have one.
pub(crate) fn words(letter: &Letter, facts: &Facts, secret: &SecretString, app: &AppUrl) -> Words {
    match letter {
        Letter::Invitation { .. } => invitation(facts, secret, app),
        Letter::ResetPassword { .. } => reset_password(facts, secret, app),
        Letter::VerifyEmail { .. } => verify_email(facts, secret, app),
        Letter::AccountExists { .. } => account_exists(app),
        Letter::PasswordChanged { .. } => changed(
            "Your password was changed",
            "The password of your Switchboard account was changed",
            facts,
            app,
        ),
        Letter::MfaEnabled { .. } => changed(
            "Two-factor authentication is on",
            "From now on a login needs your password and a code: a second factor was added to your Switchboard account",
            facts,
            app,
        ),
        Letter::MfaDisabled { .. } => changed(
            "Two-factor authentication is off",
            "From now on a login needs your password only: the second factor of your Switchboard account was removed",
            facts,
            app,
        ),
        Letter::AddressChanged { .. } => address_changed(facts, app),
        Letter::NewDevice { .. } => new_device(facts, app),
        Letter::OrganizationDeleted { .. } => organization_deleted(facts, app),
    }
}

fn invitation(facts: &Facts, secret: &SecretString, app: &AppUrl) -> Words {
    let inviter = shown(&facts.name, "Somebody");
    let organization = shown(&facts.organization, "an organization");
    Words {
        subject: format!("{inviter} invites you to {organization}"),
        heading: format!("Join {organization} on Switchboard"),
        paragraphs: vec![
            format!(
                "{inviter} invites you to work with {organization} on Switchboard, where teams answer their customers on WhatsApp."
            ),
            format!("The invitation is good until {}.", time(facts.at)),
        ],
        action: Some(Action {
            label: "Accept the invitation",
            url: app.with_secret(&["accept-invitation"], secret),
        }),
        footer: "If you do not know what this is about, ignore it: nothing happens unless you accept.",
    }
}

fn reset_password(facts: &Facts, secret: &SecretString, app: &AppUrl) -> Words {
    Words {
        subject: "Reset your password".to_owned(),
        heading: "Reset your password".to_owned(),
        paragraphs: vec![
            "Somebody, probably you, asked to reset the password of your Switchboard account."
                .to_owned(),
            format!("The link works once, until {}.", time(facts.at)),
        ],
        action: Some(Action {
            label: "Choose a new password",
            url: app.with_secret(&["reset-password"], secret),
        }),
        footer: "If it was not you, ignore this: your password stays as it is.",
    }
}

fn verify_email(facts: &Facts, secret: &SecretString, app: &AppUrl) -> Words {
    Words {
        subject: "Confirm your e-mail address".to_owned(),
        heading: "Confirm your e-mail address".to_owned(),
        paragraphs: vec![format!(
            "Please confirm that this address is yours, with the password that you chose when you signed up. The link is good until {}.",
            time(facts.at)
        )],
        action: Some(Action {
            label: "Confirm the address",
            url: app.with_secret(&["verify-email"], secret),
        }),
        footer: "If you did not sign up for Switchboard, ignore this: somebody used your address, and can do nothing with it.",
    }
}

fn account_exists(app: &AppUrl) -> Words {
    Words {
        subject: "You have a Switchboard account".to_owned(),
        heading: "You have an account already".to_owned(),
        paragraphs: vec![
            "Somebody, probably you, tried to sign up with this address. There is an account for it: log in, or reset the password if you have forgotten it.".to_owned(),
        ],
        action: Some(Action {
            label: "Log in",
            url: app.page(&["login"]),
        }),
        footer: "If it was not you, ignore this: nothing was changed.",
    }
}

/// The account is protected by something else now.
fn changed(heading: &str, sentence: &str, facts: &Facts, app: &AppUrl) -> Words {
    Words {
        subject: heading.to_owned(),
        heading: heading.to_owned(),
        paragraphs: vec![
            format!("{sentence}, on {}.", time(facts.at)),
            NOT_YOU.to_owned(),
        ],
        action: Some(security(app)),
        footer: ACCOUNT,
    }
}

fn address_changed(facts: &Facts, app: &AppUrl) -> Words {
    Words {
        subject: "You log in with another address now".to_owned(),
        heading: "You log in with another address now".to_owned(),
        paragraphs: vec![
            format!(
                "Your organization's directory gave your Switchboard account another e-mail address, on {}. From now on you log in with that one, and letters go there.",
                time(facts.at)
            ),
            "If that is a mistake, tell the administrator of your organization.".to_owned(),
        ],
        action: Some(Action {
            label: "Log in",
            url: app.page(&["login"]),
        }),
        footer: "You get this because the address was that of a Switchboard account.",
    }
}

fn new_device(facts: &Facts, app: &AppUrl) -> Words {
    let organization = shown(&facts.organization, "your organization");
    let address = match facts.address.as_str() {
        "" => "an unknown address",
        address => address,
    };
    Words {
        subject: "A new login to your account".to_owned(),
        heading: "A new login to your account".to_owned(),
        paragraphs: vec![
            format!(
                "Somebody logged in to {organization} with your account from a device that was not seen before."
            ),
            format!("When: {}", time(facts.at)),
            format!("From: {address}"),
            format!("With: {}", program(&facts.user_agent)),
            NOT_YOU.to_owned(),
        ],
        action: Some(security(app)),
        footer: ACCOUNT,
    }
}

fn organization_deleted(facts: &Facts, app: &AppUrl) -> Words {
    let organization = shown(&facts.organization, "Your organization");
    Words {
        subject: format!("{organization} will be deleted"),
        heading: format!("{organization} will be deleted"),
        paragraphs: vec![format!(
            "An owner asked to delete {organization} with everything in it. Nobody can use it any more, and on {} the deletion becomes final. Until then an owner can take it back.",
            time(facts.at)
        )],
        action: Some(Action {
            label: "Keep the organization",
            url: app.page(&["settings", "organization"]),
        }),
        footer: "You get this because you own the organization.",
    }
}

fn security(app: &AppUrl) -> Action {
    Action {
        label: "Review your account",
        url: app.page(&["settings", "security"]),
    }
}

/// What a browser says of itself is full of dots and slashes, and anybody can send anything: the known words of it.
fn program(user_agent: &str) -> String {
    let pick = |known: &[(&str, &'static str)]| {
        known
            .iter()
            .find(|(mark, _)| user_agent.contains(mark))
            .map(|(_, name)| *name)
    };
    // The order matters: Edge and Opera call themselves Chrome too, and Chrome calls itself Safari.
    let browser = pick(&[
        ("Edg/", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
    ]);
    let system = pick(&[
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("Mac OS X", "macOS"),
        ("Linux", "Linux"),
    ]);
    match (browser, system) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(one), None) | (None, Some(one)) => one.to_owned(),
        (None, None) => "an unknown program".to_owned(),
    }
}

/// Readers are anywhere, so the zone is said.
fn time(at: DateTime<Utc>) -> String {
    at.format("%-d %B %Y, %H:%M UTC").to_string()
}

#[cfg(test)]
mod tests;

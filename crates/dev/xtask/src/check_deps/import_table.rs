//! Who may import whom. The folder of a package states its place; exceptions are named here and nowhere else.

use super::workspace::{Group, Package, Use};

/// Which third party belongs to which service. `edge` is there for the signatures of the webhooks it accepts.
const PROVIDERS: &[(&str, &[&str])] = &[
    ("ai", &["openrouter"]),
    ("billing", &["stripe"]),
    ("crm-sync", &["hubspot", "pipedrive", "salesforce"]),
    ("edge", &["resend", "whatsapp"]),
    ("identity", &["oidc", "resend", "saml", "scim"]),
    ("messaging", &["whatsapp"]),
];

/// What a platform package may use of the platform, besides `clock` and `kill`.
const PLATFORM: &[(&str, &[&str])] = &[
    ("bus", &["db"]),
    ("db", &["vault"]),
    ("sb-http", &["chassis"]),
];

/// Services that speak HTTP to the outside.
const HTTP_SERVICES: &[&str] = &["edge", "gateway"];

/// Test support: for `dev-dependencies` of anything.
const TEST_SUPPORT: &[&str] = &["sandbox", "testkit"];

/// Every dependency between our packages that the table does not have.
pub(crate) fn violations(packages: &[Package]) -> Vec<String> {
    let mut found = Vec::new();
    for package in packages {
        for used in &package.uses {
            let verdict = packages
                .iter()
                .find(|candidate| candidate.name == used.package)
                .map_or(Err("is not a member of the workspace"), |target| {
                    verdict(package, target, used)
                });
            if let Err(reason) = verdict {
                found.push(format!(
                    "{}: {} may not use {}: {reason}",
                    package.manifest.display(),
                    package.name,
                    used.package,
                ));
            }
        }
    }
    found
}

fn verdict(from: &Package, to: &Package, used: &Use) -> Result<(), &'static str> {
    if used.in_tests && TEST_SUPPORT.contains(&to.name.as_str()) {
        return Ok(());
    }
    match from.group {
        Group::Contracts => contracts(to),
        Group::Platform => platform(from, to),
        Group::Providers => providers(to),
        Group::Services => services(from, to),
        Group::Dev => dev(from, to),
        Group::EndToEnd => Ok(()),
    }
}

fn contracts(to: &Package) -> Result<(), &'static str> {
    allow(
        is_one_of(to, &["errors", "ids"]),
        "contracts use `ids` and `errors` only",
    )
}

fn platform(from: &Package, to: &Package) -> Result<(), &'static str> {
    match to.group {
        Group::Contracts if from.name == "chassis" => allow(
            to.name == "errors",
            "`chassis` knows no contract but `errors`",
        ),
        Group::Contracts => Ok(()),
        Group::Platform => allow(
            is_one_of(to, &["clock", "kill"])
                || row(PLATFORM, &from.name).contains(&to.name.as_str()),
            "platform packages are independent: `bus` uses `db`, `db` stores `vault`'s keys, `sb-http` uses `chassis`, all use `clock` and `kill`",
        ),
        _ => Err("platform knows nothing of the product"),
    }
}

fn providers(to: &Package) -> Result<(), &'static str> {
    allow(
        is_one_of(to, &["clock", "errors", "ids", "outbound"]),
        "a provider uses `ids`, `errors`, `outbound` and `clock` only",
    )
}

fn services(from: &Package, to: &Package) -> Result<(), &'static str> {
    match to.group {
        Group::Contracts => Ok(()),
        Group::Platform => allow(
            to.name != "sb-http" || HTTP_SERVICES.contains(&from.name.as_str()),
            "only `gateway` and `edge` speak HTTP to the outside",
        ),
        Group::Providers => allow(
            row(PROVIDERS, &from.name).contains(&to.name.as_str()),
            "that third party belongs to another service",
        ),
        Group::Services => {
            Err("a service never imports another service: call its RPC or consume its event")
        }
        Group::Dev | Group::EndToEnd => Err("tools and test support are for tests"),
    }
}

fn dev(from: &Package, to: &Package) -> Result<(), &'static str> {
    match (from.name.as_str(), to.group) {
        // The composition of everything in one process, for a laptop and for end-to-end tests.
        ("switchboard", _) => allow(
            !is_one_of(to, &["testkit", "xtask"]),
            "what is shipped contains no test support",
        ),
        ("xtask", Group::Platform) => allow(
            is_one_of(to, &["clock", "db"]),
            "of the platform, `xtask` uses `db` only",
        ),
        (_, Group::Contracts) | ("sandbox" | "testkit", Group::Platform) => Ok(()),
        _ => Err("test support knows contracts and platform only"),
    }
}

fn allow(allowed: bool, reason: &'static str) -> Result<(), &'static str> {
    if allowed { Ok(()) } else { Err(reason) }
}

fn is_one_of(package: &Package, names: &[&str]) -> bool {
    names.contains(&package.name.as_str())
}

fn row<'table>(table: &[(&str, &'table [&'table str])], name: &str) -> &'table [&'table str] {
    table
        .iter()
        .find(|(from, _)| *from == name)
        .map_or(&[], |(_, targets)| targets)
}

#[cfg(test)]
mod tests;

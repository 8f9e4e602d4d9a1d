//! Who may have issued a token: the name must be exactly right, and two providers have more than
//! one right name.

use url::Url;
use uuid::Uuid;

use crate::{Kind, discovery::SetupFault};

/// The placeholder in the issuer of Microsoft's shared authorities, written so in their discovery
/// document.
const TENANT_PLACEHOLDER: &str = "{tenantid}";

/// The directory of everybody's private Microsoft accounts. Whoever admits it admits the world.
pub(crate) const PERSONAL_ACCOUNTS: Uuid =
    Uuid::from_u128(0x9188_040d_6c67_4c5b_b112_36a3_04b6_6dad);

const ENTRA_HOSTS: [&str; 4] = [
    "login.microsoftonline.com",
    "login.microsoftonline.us",
    "login.partner.microsoftonline.cn",
    "sts.windows.net",
];
const GOOGLE_HOST: &str = "accounts.google.com";
const GOOGLE: &str = "https://accounts.google.com";

/// The names a provider's tokens may bear.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Issuer {
    Exactly(String),
    /// Google's tokens may leave out the scheme.
    WithOrWithoutScheme(String),
    /// One name for each directory.
    EachTenant {
        template: String,
    },
}

impl Issuer {
    pub(crate) fn new(kind: &Kind, issuer: &str) -> Self {
        match kind {
            Kind::Generic | Kind::Okta => Self::Exactly(issuer.to_owned()),
            Kind::Google { .. } => Self::WithOrWithoutScheme(issuer.to_owned()),
            Kind::Entra { .. } => match shared_authority(issuer) {
                Some(template) => Self::EachTenant { template },
                None => Self::Exactly(issuer.to_owned()),
            },
        }
    }

    /// Whether this is what the discovery document must name.
    pub(crate) fn is_published_as(&self, found: &str) -> bool {
        match self {
            Self::Exactly(issuer) | Self::WithOrWithoutScheme(issuer) => issuer == found,
            Self::EachTenant { template } => template == found,
        }
    }

    /// Whether a token, or an answer through the browser, may bear this name. `tenant` is the
    /// directory the token says it is from; an answer through the browser does not say.
    pub(crate) fn is(&self, found: &str, tenant: Option<Uuid>) -> bool {
        match self {
            Self::Exactly(issuer) => issuer == found,
            Self::WithOrWithoutScheme(issuer) => {
                issuer == found
                    || issuer
                        .split_once("://")
                        .is_some_and(|(_, rest)| rest == found)
            }
            Self::EachTenant { template } => {
                tenant.is_some_and(|tenant| of_tenant(template, tenant) == found)
            }
        }
    }

    /// The name people's accounts are kept under: one for each provider or directory, however a
    /// token spelled it.
    pub(crate) fn canonical(&self, tenant: Option<Uuid>) -> String {
        match self {
            Self::Exactly(issuer) | Self::WithOrWithoutScheme(issuer) => issuer.clone(),
            Self::EachTenant { template } => {
                tenant.map_or_else(|| template.clone(), |tenant| of_tenant(template, tenant))
            }
        }
    }
}

/// The issuer a directory has by a template of Microsoft's.
pub(crate) fn of_tenant(template: &str, tenant: Uuid) -> String {
    template.replace(TENANT_PLACEHOLDER, &tenant.hyphenated().to_string())
}

/// The template, if this is one of the authorities that speak for many directories.
fn shared_authority(issuer: &str) -> Option<String> {
    ["common", "organizations", "consumers"]
        .into_iter()
        .find_map(|authority| {
            let (before, after) = issuer.split_once(&format!("/{authority}/"))?;
            (after == "v2.0").then(|| format!("{before}/{TENANT_PLACEHOLDER}/{after}"))
        })
}

/// Checks that the issuer is one of the kind's own, so that the kind's trust in e-mail addresses
/// can't be borrowed by another server. `on_loopback` is a developer's stand-in.
pub(crate) fn check_kind(kind: &Kind, issuer: &Url, on_loopback: bool) -> Vec<SetupFault> {
    let mut faults = Vec::new();
    let host = issuer.host_str().unwrap_or_default();
    let host = host.strip_suffix('.').unwrap_or(host);
    match kind {
        // Their addresses are believed by their own rules, and by no others'.
        Kind::Generic | Kind::Okta => {
            if host == GOOGLE_HOST {
                faults.push(SetupFault::IsGoogle);
            }
            if ENTRA_HOSTS.contains(&host) {
                faults.push(SetupFault::IsEntra);
            }
        }
        Kind::Google { .. } => {
            if !on_loopback && issuer.as_str().trim_end_matches('/') != GOOGLE {
                faults.push(SetupFault::IssuerNotGoogle);
            }
        }
        Kind::Entra { tenant_ids } => {
            if !on_loopback && !ENTRA_HOSTS.contains(&host) {
                faults.push(SetupFault::IssuerNotEntra);
            }
            if tenant_ids.is_empty() {
                faults.push(SetupFault::TenantsMissing);
            }
            if tenant_ids.contains(&PERSONAL_ACCOUNTS) {
                faults.push(SetupFault::PersonalAccounts);
            }
            let named = issuer
                .path_segments()
                .and_then(|mut segments| segments.next())
                .and_then(|segment| Uuid::try_parse(segment).ok());
            if named.is_some_and(|tenant| !tenant_ids.contains(&tenant)) {
                faults.push(SetupFault::TenantNotListed);
            }
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    const TENANT: Uuid = Uuid::from_u128(0x1111_2222_3333_4444_5555_6666_7777_8888);

    fn entra(issuer: &str) -> Issuer {
        Issuer::new(
            &Kind::Entra {
                tenant_ids: vec![TENANT],
            },
            issuer,
        )
    }

    #[test]
    fn a_name_is_exact_to_the_last_slash() {
        let issuer = Issuer::new(&Kind::Generic, "https://idp.example");
        assert!(issuer.is("https://idp.example", None));
        for other in [
            "https://idp.example/",
            "http://idp.example",
            "https://IDP.example",
            "https://idp.example/x",
            "https://idp.example.evil",
            "idp.example",
            "",
        ] {
            assert!(!issuer.is(other, None), "{other}");
        }
    }

    #[test]
    fn google_has_two_spellings_and_one_account() {
        let kind = Kind::Google {
            hosted_domains: Vec::new(),
        };
        let issuer = Issuer::new(&kind, GOOGLE);
        assert!(issuer.is("https://accounts.google.com", None));
        assert!(issuer.is("accounts.google.com", None));
        assert!(!issuer.is("http://accounts.google.com", None));
        assert!(!issuer.is("https://accounts.google.com/", None));
        assert!(!issuer.is_published_as("accounts.google.com"));
        assert_eq!(issuer.canonical(None), GOOGLE);
    }

    #[test]
    fn a_shared_authority_of_entra_speaks_in_the_name_of_the_directory() {
        let name = format!("https://login.microsoftonline.com/{TENANT}/v2.0");
        for authority in ["common", "organizations", "consumers"] {
            let issuer = entra(&format!(
                "https://login.microsoftonline.com/{authority}/v2.0"
            ));
            assert!(
                issuer.is_published_as("https://login.microsoftonline.com/{tenantid}/v2.0"),
                "{authority}"
            );
            assert!(issuer.is(&name, Some(TENANT)), "{authority}");
            assert!(!issuer.is(&name, Some(Uuid::nil())), "{authority}");
            assert!(!issuer.is(&name, None), "{authority}");
            assert_eq!(issuer.canonical(Some(TENANT)), name);
        }
        let own = entra(&name);
        assert!(own.is_published_as(&name) && own.is(&name, Some(TENANT)));
        assert!(!own.is_published_as("https://login.microsoftonline.com/{tenantid}/v2.0"));
    }

    #[test]
    fn a_kind_is_tied_to_its_providers_own_address() {
        let check = |kind: &Kind, issuer: &str| {
            let issuer = Url::parse(issuer).expect("a URL");
            check_kind(kind, &issuer, false)
        };
        let google = Kind::Google {
            hosted_domains: Vec::new(),
        };
        assert_eq!(check(&google, GOOGLE), []);
        assert_eq!(
            check(&google, "https://accounts.google.com.evil.example"),
            [SetupFault::IssuerNotGoogle]
        );
        for other in [Kind::Generic, Kind::Okta] {
            for (issuer, fault) in [
                (GOOGLE, SetupFault::IsGoogle),
                ("https://Accounts.Google.com./", SetupFault::IsGoogle),
                ("https://sts.windows.net/common", SetupFault::IsEntra),
                (
                    "https://login.microsoftonline.com/common/v2.0",
                    SetupFault::IsEntra,
                ),
            ] {
                assert_eq!(check(&other, issuer), [fault], "{issuer}");
            }
            assert_eq!(check(&other, "https://corp.okta.com"), []);
        }
        let entra = |tenant_ids: &[Uuid]| Kind::Entra {
            tenant_ids: tenant_ids.to_vec(),
        };
        let at = |segment: &str| format!("https://login.microsoftonline.com/{segment}/v2.0");
        assert_eq!(check(&entra(&[TENANT]), &at("organizations")), []);
        assert_eq!(check(&entra(&[TENANT]), &at(&TENANT.to_string())), []);
        assert_eq!(
            check(&entra(&[]), &at("common")),
            [SetupFault::TenantsMissing]
        );
        assert_eq!(
            check(&entra(&[PERSONAL_ACCOUNTS]), &at("common")),
            [SetupFault::PersonalAccounts]
        );
        assert_eq!(
            check(&entra(&[TENANT]), &at(&Uuid::max().to_string())),
            [SetupFault::TenantNotListed]
        );
        assert_eq!(
            check(&entra(&[TENANT]), "https://login.evil.example/common/v2.0"),
            [SetupFault::IssuerNotEntra]
        );
    }
}

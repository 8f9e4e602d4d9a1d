//! Who may call which method: the table made from the option `switchboard.options.v1.access`.

/// The rule of one method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Access {
    /// The gRPC path, `/switchboard.identity.v1.IdentityService/LogIn`.
    pub path: &'static str,
    /// Who may call it.
    pub rule: Rule,
    /// How fast one caller may repeat it.
    pub rate_class: RateClass,
    /// `Idempotency-Key` is honoured.
    pub idempotency_key: bool,
    /// A person must have proved who it is a moment ago.
    pub step_up: bool,
    /// It is part of the REST API.
    pub public_api: bool,
}

/// Who may call a method.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rule {
    /// The option is missing: nobody. A test keeps this from being released.
    Missing,
    /// Anybody.
    Public,
    /// Our own services only.
    Service,
    /// Anybody who is logged in.
    Authenticated,
    /// Callers whose role and scopes grant this permission.
    Permission(&'static str),
}

/// How fast one caller may repeat a method.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RateClass {
    /// Lists and single resources.
    Read,
    /// Ordinary changes.
    Write,
    /// Reaches a customer or costs money.
    Send,
    /// Guessing must be slow.
    Login,
    /// Limited by the number open at once.
    Stream,
}

include!(concat!(env!("OUT_DIR"), "/access.rs"));

/// Every method, sorted by path.
pub fn all() -> &'static [Access] {
    TABLE
}

/// The rule of a gRPC path; `None` for methods that are not ours (health, reflection).
pub fn find(path: &str) -> Option<&'static Access> {
    TABLE
        .binary_search_by(|access| access.path.cmp(path))
        .ok()
        .map(|index| &TABLE[index])
}

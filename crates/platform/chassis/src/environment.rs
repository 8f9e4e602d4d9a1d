use crate::config::{EnvSource, Problems};

/// Where the process runs, from `SWITCHBOARD_ENV`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Environment {
    /// A developer's machine: listens on loopback only, stops without a drain delay.
    Development,
    /// Anywhere else, and the default: what is forgotten must be safe.
    #[default]
    Production,
}

impl Environment {
    /// The variable that says it: `development` or `production`.
    pub const VARIABLE: &'static str = "SWITCHBOARD_ENV";

    /// Reads the variable.
    pub(crate) fn read(env: &EnvSource, problems: &mut Problems) -> Self {
        match env.get(Self::VARIABLE) {
            None | Some("production") => Self::Production,
            Some("development") => Self::Development,
            Some(_) => {
                problems.at(Self::VARIABLE, "expected one of: development, production");
                Self::Production
            }
        }
    }

    /// Its name, as telemetry shows it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Development => "development",
            Self::Production => "production",
        }
    }
}

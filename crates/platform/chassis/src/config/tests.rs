use std::{
    io::Write,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::*;

#[derive(Debug, Deserialize)]
struct Config {
    db: Database,
    #[serde(default)]
    limits: Limits,
    listen: Option<SocketAddr>,
    #[serde(default)]
    hosts: Vec<String>,
    #[serde(default)]
    secrets: Vec<SecretString>,
    #[serde(default)]
    mode: Mode,
}

#[derive(Debug, Deserialize)]
struct Database {
    url: SecretString,
    system_url: SecretString,
    #[serde(default = "ten")]
    max_connections: u32,
}

fn ten() -> u32 {
    10
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Limits {
    low: u16,
    high: u16,
    ratio: f32,
    strict: bool,
}

#[derive(Debug, Default, Deserialize, PartialEq)]
#[serde(rename_all = "snake_case")]
enum Mode {
    #[default]
    Quick,
    Careful,
}

impl Validate for Config {
    fn validate(&self, problems: &mut Problems) {
        problems.within("limits", |problems| {
            if self.limits.low > self.limits.high {
                problems.conflict(&["low", "high"], "low is above high");
            }
        });
    }
}

impl Settings for Config {
    fn docs() -> Docs {
        Docs::new()
            .section(
                "db",
                &[
                    ("url", "", "Where Postgres is."),
                    ("system_url", "", "The same for the system role."),
                    ("max_connections", "10", "Most connections."),
                ],
            )
            .section(
                "limits",
                &[
                    ("low", "0", "Lower bound."),
                    ("high", "0", "Upper bound."),
                    ("ratio", "0", "A ratio."),
                    ("strict", "false", "Whether."),
                ],
            )
            .key("listen", "", "Address.")
            .key("hosts", "", "Hosts.")
            .key("secrets", "", "Signing secrets, newest first.")
            .key("mode", "quick", "How.")
    }

    fn aliases() -> &'static [Alias] {
        &[
            Alias {
                env: "DATABASE_URL",
                key: "db.url",
            },
            Alias {
                env: "PG_URL",
                key: "db.url",
            },
        ]
    }
}

fn load_from<const N: usize>(variables: [(&str, &str); N]) -> Result<Config, Problems> {
    load_with_file(variables, None)
}

fn load_with_file<const N: usize>(
    variables: [(&str, &str); N],
    file: Option<&Path>,
) -> Result<Config, Problems> {
    load(&Source {
        service: "crm-sync",
        env: &EnvSource::from(variables),
        file: file.map(Path::to_owned),
    })
}

fn lines(result: Result<Config, Problems>) -> Vec<String> {
    let problems = result.expect_err("the configuration is wrong");
    problems.iter().map(ToString::to_string).collect()
}

/// A file that is removed with its owner.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str, text: &str) -> Self {
        let path = std::env::temp_dir().join(format!("chassis-{}-{name}", std::process::id()));
        let mut file = std::fs::File::create(&path).expect("create scratch file");
        file.write_all(text.as_bytes()).expect("write scratch file");
        Self(path)
    }

    fn path(&self) -> &str {
        self.0.to_str().expect("temporary paths are UTF-8")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        drop(std::fs::remove_file(&self.0));
    }
}

const URLS: [(&str, &str); 2] = [
    ("CRM_SYNC__DB__URL", "postgres://app"),
    ("CRM_SYNC__DB__SYSTEM_URL", "postgres://system"),
];

#[test]
fn the_environment_wins_over_the_file_and_the_file_over_defaults() {
    let file = Scratch::new(
        "layers.toml",
        "hosts = [\"a\", \"b\"]\n[db]\nurl = \"from file\"\nmax_connections = 7\n[limits]\nhigh = 3\n",
    );
    let config = load_with_file(
        [
            URLS[0],
            URLS[1],
            ("CRM_SYNC__LIMITS__HIGH", "9"),
            ("CRM_SYNC__LISTEN", "127.0.0.1:80"),
            ("CRM_SYNC__MODE", "careful"),
            ("CRM_SYNC__LIMITS__RATIO", "0.5"),
            ("CRM_SYNC__LIMITS__STRICT", "true"),
            ("CRM_SYNC__SECRETS", "one, two"),
        ],
        Some(&file.0),
    )
    .expect("the configuration is right");
    assert_eq!(config.db.url.expose_secret(), "postgres://app");
    assert_eq!(config.db.system_url.expose_secret(), "postgres://system");
    assert_eq!(config.db.max_connections, 7);
    assert_eq!((config.limits.low, config.limits.high), (0, 9));
    assert!(config.limits.strict && (config.limits.ratio - 0.5).abs() < f32::EPSILON);
    assert_eq!(config.hosts, ["a", "b"]);
    assert_eq!(config.mode, Mode::Careful);
    assert_eq!(config.secrets.len(), 2);
    assert!(config.listen.is_some());
}

#[test]
fn the_file_may_be_named_by_a_variable() {
    let file = Scratch::new("named.toml", "[db]\nurl = \"u\"\nsystem_url = \"s\"\n");
    let config = load_from([("CRM_SYNC__CONFIG", file.path())]).expect("right");
    assert_eq!(config.db.url.expose_secret(), "u");
}

#[test]
fn all_problems_are_reported_together_and_none_repeats_a_value() {
    let found = lines(load_from([
        ("CRM_SYNC__DB__MAX_CONECTIONS", "hunter2"),
        ("CRM_SYNC__DB__MAX_CONNECTIONS", "hunter2"),
        ("CRM_SYNC__LIMITS__LOW", "70000"),
        ("CRM_SYNC__LIMITS__STRICT", "hunter2"),
        ("CRM_SYNC__LISTEN", "hunter2"),
        ("CRM_SYNC__MODE", "hunter2"),
        ("CRM_SYNC__DB__URL_FILE", "/nowhere/hunter2"),
        ("CRM_SYNC__NONSENSE", "hunter2"),
        ("CRM_SYNC__HOSTS", "[hunter2"),
    ]));
    assert!(!found.join(" ").contains("hunter2"), "{found:#?}");
    insta::assert_snapshot!(found.join("\n"), @r"
    CRM_SYNC__DB__MAX_CONECTIONS: unknown key; did you mean max_connections?
    CRM_SYNC__DB__MAX_CONNECTIONS: expected a whole number from 0 to 4294967295
    CRM_SYNC__DB__URL_FILE: file cannot be read: no such file
    CRM_SYNC__HOSTS: expected a list: a,b,c or a JSON array
    CRM_SYNC__LIMITS__LOW: expected a whole number from 0 to 65535
    CRM_SYNC__LIMITS__STRICT: expected true or false
    CRM_SYNC__LISTEN: invalid socket address syntax
    CRM_SYNC__MODE: expected one of: quick, careful
    CRM_SYNC__NONSENSE: unknown key
    CRM_SYNC__DB__SYSTEM_URL: required (or CRM_SYNC__DB__SYSTEM_URL_FILE, or db.system_url in the file)
    ");
}

#[test]
fn values_that_contradict_each_other_are_reported_with_both_names() {
    let found = lines(load_from([
        URLS[0],
        URLS[1],
        ("CRM_SYNC__LIMITS__LOW", "2"),
        ("CRM_SYNC__LIMITS__HIGH", "1"),
    ]));
    insta::assert_snapshot!(found.join("\n"), @r"
    CRM_SYNC__LIMITS__LOW, CRM_SYNC__LIMITS__HIGH: low is above high
    ");
}

#[test]
fn a_contradiction_with_a_stand_in_is_not_reported() {
    let found = lines(load_from([
        URLS[0],
        URLS[1],
        ("CRM_SYNC__LIMITS__LOW", "2"),
        ("CRM_SYNC__LIMITS__HIGH", "x"),
    ]));
    assert_eq!(found.len(), 1, "{found:?}");
}

#[test]
fn a_secret_comes_from_a_value_or_a_file_but_not_both() {
    let file = Scratch::new("secret", "postgres://from-file\n");
    let config = load_from([("CRM_SYNC__DB__URL_FILE", file.path()), URLS[1]]).expect("right");
    assert_eq!(config.db.url.expose_secret(), "postgres://from-file");

    let found = lines(load_from([
        URLS[0],
        URLS[1],
        ("CRM_SYNC__DB__URL_FILE", file.path()),
    ]));
    insta::assert_snapshot!(found.join("\n"), @r"
    CRM_SYNC__DB__URL, CRM_SYNC__DB__URL_FILE: give the value or the file, not both
    ");
}

#[test]
fn a_file_reference_in_the_environment_wins_over_a_value_in_the_file() {
    let secret = Scratch::new("layered-secret", "from-secret");
    let file = Scratch::new(
        "layered.toml",
        "[db]\nurl = \"from toml\"\nsystem_url = \"s\"\n",
    );
    let config =
        load_with_file([("CRM_SYNC__DB__URL_FILE", secret.path())], Some(&file.0)).expect("right");
    assert_eq!(config.db.url.expose_secret(), "from-secret");
}

#[test]
fn names_of_the_older_product_still_work_and_ours_win() {
    let config = load_from([("DATABASE_URL", "old"), URLS[1]]).expect("right");
    assert_eq!(config.db.url.expose_secret(), "old");
    let config = load_from([("DATABASE_URL", "old"), URLS[0], URLS[1]]).expect("right");
    assert_eq!(config.db.url.expose_secret(), "postgres://app");
    let config = load_from([("DATABASE_URL", "old"), ("PG_URL", "old"), URLS[1]]).expect("right");
    assert_eq!(config.db.url.expose_secret(), "old");
    let found = lines(load_from([("DATABASE_URL", "a"), ("PG_URL", "b"), URLS[1]]));
    assert_eq!(
        found,
        ["DATABASE_URL, PG_URL: both are set, and they differ"]
    );
}

#[test]
fn a_blank_variable_counts_as_not_set() {
    let config = load_from([URLS[0], URLS[1], ("CRM_SYNC__LIMITS__LOW", " ")]).expect("right");
    assert_eq!(config.limits.low, 0);
}

#[test]
fn a_broken_or_missing_file_is_reported_without_its_text() {
    let file = Scratch::new("broken.toml", "[db]\nurl = \"x\"\npassword = hunter2\n");
    let found = lines(load_with_file([URLS[0], URLS[1]], Some(&file.0)));
    assert_eq!(found.len(), 1);
    assert!(found[0].ends_with("not valid TOML at line 3"), "{found:?}");
    let found = lines(load_with_file(
        [URLS[0], URLS[1]],
        Some(Path::new("/nowhere.toml")),
    ));
    assert_eq!(found.len(), 1);
}

#[derive(Debug)]
struct Picky;

impl<'de> Deserialize<'de> for Picky {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.starts_with("http") {
            return Ok(Self);
        }
        Err(serde::de::Error::custom(format!("{text} is no good")))
    }
}

#[derive(Debug, Deserialize)]
struct Strict {
    picky: Picky,
    list: Vec<Picky>,
    #[serde(default)]
    free: std::collections::BTreeMap<String, u8>,
}

impl Validate for Strict {
    fn validate(&self, problems: &mut Problems) {
        let _: (&Picky, &Vec<Picky>) = (&self.picky, &self.list);
        if self.free.is_empty() {
            problems.invalid("free", "empty");
        }
    }
}

impl Settings for Strict {}

#[test]
fn types_that_quote_what_they_refuse_are_not_repeated() {
    let env = EnvSource::from([
        ("X__PICKY", "hunter2"),
        ("X__LIST", "http://a, hunter2"),
        ("X__FREE__ONE", "1"),
        ("X__FREE__TWO", "300"),
    ]);
    let found = load::<Strict>(&Source {
        service: "x",
        env: &env,
        file: None,
    });
    insta::assert_snapshot!(found.expect_err("wrong"), @r"
    configuration cannot be used: 3 problems
      X__FREE__TWO: expected a whole number from 0 to 255
      X__LIST: item 2: not valid
      X__PICKY: not valid
    ");
}

#[test]
fn a_section_given_as_a_value_is_a_problem_not_a_panic() {
    for name in [
        "CRM_SYNC__DB",
        "CRM_SYNC__DB__",
        "CRM_SYNC____X",
        "CRM_SYNC__DB__URL__X",
    ] {
        assert!(load_from([(name, "x")]).is_err());
    }
}

#[test]
fn the_schema_lists_every_key_with_its_kind() {
    let fields = schema::<Config>("crm-sync");
    insta::assert_snapshot!(to_markdown(&fields), @r"
    | variable | key | value | default | meaning |
    |---|---|---|---|---|
    | `CRM_SYNC__DB__URL`, `DATABASE_URL`, `PG_URL` | `db.url` | text, secret | **required** | Where Postgres is. |
    | `CRM_SYNC__DB__SYSTEM_URL` | `db.system_url` | text, secret | **required** | The same for the system role. |
    | `CRM_SYNC__DB__MAX_CONNECTIONS` | `db.max_connections` | whole number | `10` | Most connections. |
    | `CRM_SYNC__LIMITS__LOW` | `limits.low` | whole number | `0` | Lower bound. |
    | `CRM_SYNC__LIMITS__HIGH` | `limits.high` | whole number | `0` | Upper bound. |
    | `CRM_SYNC__LIMITS__RATIO` | `limits.ratio` | number | `0` | A ratio. |
    | `CRM_SYNC__LIMITS__STRICT` | `limits.strict` | true or false | `false` | Whether. |
    | `CRM_SYNC__LISTEN` | `listen` | text |  | Address. |
    | `CRM_SYNC__HOSTS` | `hosts` | list |  | Hosts. |
    | `CRM_SYNC__SECRETS` | `secrets` | list |  | Signing secrets, newest first. |
    | `CRM_SYNC__MODE` | `mode` | one of: quick, careful | `quick` | How. |
    ");
    assert!(to_json(&fields).contains("CRM_SYNC__DB__URL"));
    assert_eq!(review::<Config>(), [""; 0]);
}

#[test]
fn the_settings_of_the_chassis_itself_are_documented() {
    let own: Vec<String> = review::<crate::Base>()
        .into_iter()
        .filter(|complaint| !complaint.ends_with("belongs to the chassis"))
        .collect();
    assert_eq!(own, [""; 0]);
}

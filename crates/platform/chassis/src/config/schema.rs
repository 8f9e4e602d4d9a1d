use serde::Serialize;

use super::{
    Docs, Settings,
    de::{Kind, marker},
    fill::{fill, probe},
    layers,
    node::{Layer, Node, Origin, Scalar},
};

/// One key an operator can set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Field {
    /// Dotted, as in the TOML file: `db.max_connections`.
    pub key: String,
    /// The variable: `MESSAGING__DB__MAX_CONNECTIONS`.
    pub env: String,
    /// Variables of the older product that set it too.
    pub aliases: Vec<&'static str>,
    /// `text`, `whole number`, `true or false`, `one of: …`.
    pub kind: String,
    /// True if the service does not start without it.
    pub required: bool,
    /// True if it never appears in debug output; prefer the `_FILE` form.
    pub secret: bool,
    /// Its value when not given, as it would be written; `None` if there is none.
    pub default: Option<&'static str>,
    /// What it means.
    pub doc: &'static str,
}

impl Field {
    /// Its section at the top level; a key outside of sections is one by itself.
    pub(crate) fn section(&self) -> &str {
        self.key.split('.').next().unwrap_or_default()
    }
}

/// Every key of `C`, in the order of declaration.
pub fn schema<C: Settings>(service: &str) -> Vec<Field> {
    fields::<C>(service, &C::docs())
}

fn fields<C: Settings>(service: &str, docs: &Docs) -> Vec<Field> {
    let required = fill::<C>(&Node::table()).notes.missing;
    let probed = probe::<C>(&Node::table());
    probed
        .notes
        .kinds
        .into_iter()
        .filter(|(key, _)| !key.contains('['))
        .map(|(key, kind)| {
            let doc = docs.find(&key);
            let secret = kind == Kind::Text && is_hidden::<C>(&key);
            Field {
                env: format!(
                    "{}{}",
                    layers::env_prefix(service),
                    layers::env_suffix(&key)
                ),
                aliases: C::aliases()
                    .iter()
                    .filter(|alias| alias.key == key)
                    .map(|alias| alias.env)
                    .collect(),
                kind: name(&kind),
                required: required.contains(&key),
                secret,
                default: doc.map(|doc| doc.default).filter(|text| !text.is_empty()),
                doc: doc.map_or("", |doc| doc.text),
                key,
            }
        })
        .collect()
}

/// True if a text given for `key` is accepted and does not show in debug output.
fn is_hidden<C: Settings>(key: &str) -> bool {
    let text = marker(key);
    given::<C>(key, &text).is_some_and(|shown| !shown.contains(&text))
}

/// The debug output of `C` with only `key` given; `None` if the text is refused.
fn given<C: Settings>(key: &str, text: &str) -> Option<String> {
    let mut tree = Node::table();
    let origin = Origin {
        layer: Layer::Env,
        place: String::new(),
    };
    tree.put(key, Node::Leaf(Scalar::Text(text.to_owned()), origin));
    let filled = fill::<C>(&tree);
    let refused = !filled.notes.wrong.is_empty();
    filled
        .value
        .filter(|_| !refused)
        .map(|value| format!("{value:?}"))
}

fn name(kind: &Kind) -> String {
    match kind {
        Kind::Text => "text".to_owned(),
        Kind::Integer => "whole number".to_owned(),
        Kind::Number => "number".to_owned(),
        Kind::Boolean => "true or false".to_owned(),
        Kind::Choice(variants) => format!("one of: {}", variants.join(", ")),
        Kind::List => "list".to_owned(),
        Kind::Map => "section with free keys".to_owned(),
        Kind::Any => "any".to_owned(),
    }
}

/// What is not right with the documentation of `C`: a key without a text, a text without a key, a
/// stated default that is not the default, a key that the chassis keeps for itself. For a test of
/// each service: `assert_eq!(chassis::config::review::<Config>(), [""; 0])`.
pub fn review<C: Settings>() -> Vec<String> {
    let docs = C::docs();
    let fields = fields::<C>("x", &docs);
    let plain = fill::<C>(&Node::table());
    let plain = plain.value.map(|value| format!("{value:?}"));
    let mut complaints = Vec::new();
    for field in &fields {
        if field.doc.is_empty() {
            complaints.push(format!("{}: not documented", field.key));
        }
        let section = field.section();
        if crate::base::SECTIONS.contains(&section) {
            complaints.push(format!("{}: {section} belongs to the chassis", field.key));
        }
        if let Some(default) = field.default
            && given::<C>(&field.key, default) != plain
        {
            complaints.push(format!("{}: {default} is not the default", field.key));
        }
    }
    let known = |key: &str| fields.iter().any(|field| field.key == key);
    for doc in docs.iter().filter(|doc| !known(&doc.key)) {
        complaints.push(format!("{}: documented, but no such key", doc.key));
    }
    for alias in C::aliases().iter().filter(|alias| !known(alias.key)) {
        complaints.push(format!("{}: alias of no key", alias.env));
    }
    complaints
}

/// The fields as a Markdown table, for the service's README.
pub fn to_markdown(fields: &[Field]) -> String {
    let head = "| variable | key | value | default | meaning |\n|---|---|---|---|---|\n".to_owned();
    fields.iter().fold(head, |table, field| table + &row(field))
}

fn row(field: &Field) -> String {
    let default = match field.default {
        Some(default) => format!("`{default}`"),
        None if field.required => "**required**".to_owned(),
        None => String::new(),
    };
    let names: Vec<String> = std::iter::once(field.env.as_str())
        .chain(field.aliases.iter().copied())
        .map(|name| format!("`{name}`"))
        .collect();
    let secret = if field.secret { ", secret" } else { "" };
    format!(
        "| {} | `{}` | {}{secret} | {default} | {} |\n",
        names.join(", "),
        field.key,
        field.kind,
        field.doc
    )
}

/// The fields as a JSON array.
pub fn to_json(fields: &[Field]) -> String {
    serde_json::to_string_pretty(fields).unwrap_or_default()
}

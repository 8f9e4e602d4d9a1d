//! A template message against the template it names.

use serde_json::Value;

use super::{
    content::file,
    fields::{array, child, object, text},
};
use crate::meta::{
    error::GraphError,
    template::{HeaderNeed, Needs, Template},
};

/// Meta: a body has at most 1024 characters once its variables are filled in.
const FILLED_BODY_LIMIT: usize = 1024;

/// Checks what can be checked without knowing the template.
pub(super) fn check_shape(content: &Value) -> Result<(), GraphError> {
    let content = object(content, "template")?;
    text(content, "template", "name")?;
    let language = child(content, "template", "language")?;
    text(language, "template['language']", "code")?;
    if content.contains_key("components") {
        for component in array(content, "template", "components")? {
            let component = object(component, "template['components'][]")?;
            text(component, "template['components'][]", "type")?;
        }
    }
    Ok(())
}

/// Checks status and parameters. The shape has been checked.
pub(in crate::meta) fn check(
    template: &Template,
    needs: &Needs,
    content: &Value,
) -> Result<(), GraphError> {
    match template.status.as_str() {
        "APPROVED" => {}
        "PAUSED" => return Err(GraphError::of(132_015)),
        "DISABLED" => return Err(GraphError::of(132_016)),
        _ => return Err(not_found(&template.name, &template.language)),
    }
    let components = content["components"].as_array();
    let components = components.map(Vec::as_slice).unwrap_or_default();
    check_header(needs, parameters_of(components, "header"))?;
    check_body(template, needs, parameters_of(components, "body"))?;
    check_buttons(needs, components)?;
    check_cards(needs, components)
}

pub(in crate::meta) fn not_found(name: &str, language: &str) -> GraphError {
    GraphError::of(132_001).details(format!(
        "template name ({name}) does not exist in {language}"
    ))
}

/// The parameters of the component of a type; empty when there is none.
fn parameters_of<'a>(components: &'a [Value], kind: &str) -> &'a [Value] {
    components
        .iter()
        .find(|component| is(&component["type"], kind))
        .and_then(|component| component["parameters"].as_array())
        .map(Vec::as_slice)
        .unwrap_or_default()
}

fn is(value: &Value, wanted: &str) -> bool {
    value
        .as_str()
        .is_some_and(|value| value.eq_ignore_ascii_case(wanted))
}

fn check_header(needs: &Needs, given: &[Value]) -> Result<(), GraphError> {
    match &needs.header {
        HeaderNeed::None => count("header", given.len(), 0),
        HeaderNeed::Text(names) => {
            count("header", given.len(), names.len())?;
            given
                .iter()
                .try_for_each(|parameter| check_text(parameter, "header").map(drop))
        }
        HeaderNeed::Media(kind) => {
            let received = given
                .first()
                .and_then(|parameter| parameter["type"].as_str())
                .unwrap_or("unknown");
            if received != kind || given.len() != 1 {
                return Err(GraphError::of(132_012).details(format!(
                    "header: Format mismatch, expected {}, received {}",
                    kind.to_uppercase(),
                    received.to_uppercase()
                )));
            }
            let content = object(&given[0][kind], &format!("header['{kind}']"))?;
            if kind != "location" {
                file(kind, content)?;
            }
            Ok(())
        }
    }
}

fn check_body(template: &Template, needs: &Needs, given: &[Value]) -> Result<(), GraphError> {
    count("body", given.len(), needs.body.len())?;
    let mut filled = needs.body_text.encode_utf16().count();
    for (parameter, expected) in given.iter().zip(&needs.body) {
        filled += check_text(parameter, "body")?.encode_utf16().count();
        if template.is_named() {
            let name = parameter["parameter_name"].as_str().unwrap_or_default();
            if !needs.body.iter().any(|known| known == name) {
                return Err(GraphError::of(132_012)
                    .details("body: Parameter name is missing or not in the template"));
            }
        }
        filled = filled.saturating_sub(expected.len() + 4);
    }
    if filled > FILLED_BODY_LIMIT {
        return Err(GraphError::of(132_005).details(format!(
            "body: Translated text is too long. Max length: {FILLED_BODY_LIMIT}"
        )));
    }
    Ok(())
}

/// A parameter that ends up as text, and that text.
fn check_text<'a>(parameter: &'a Value, place: &str) -> Result<&'a str, GraphError> {
    let filled = match parameter["type"].as_str() {
        Some("text") => &parameter["text"],
        Some(kind @ ("currency" | "date_time")) => &parameter[kind]["fallback_value"],
        _ => {
            return Err(GraphError::of(132_012).details(format!(
                "{place}: Format mismatch, expected TEXT parameters"
            )));
        }
    };
    let filled = filled.as_str().unwrap_or_default();
    if filled.is_empty() {
        return Err(GraphError::missing(format!(
            "{place}: Parameter of type text is missing text value"
        )));
    }
    if filled.contains(['\n', '\t']) || filled.contains("     ") {
        return Err(GraphError::of(132_018).details(
            "Param text cannot have new-line/tab characters or more than 4 consecutive spaces",
        ));
    }
    Ok(filled)
}

fn check_buttons(needs: &Needs, components: &[Value]) -> Result<(), GraphError> {
    let mut filled = vec![false; needs.buttons.len()];
    for component in components {
        if !is(&component["type"], "button") {
            continue;
        }
        let index = button_index(&component["index"])?;
        let Some(need) = needs.buttons.get(index) else {
            return Err(GraphError::of(132_018).details(format!(
                "buttons: Button at index {index} does not exist in the template"
            )));
        };
        if !is(&component["sub_type"], need.sub_type) {
            return Err(GraphError::of(132_012).details(format!(
                "buttons: Button at index {index} is of type {}",
                need.sub_type
            )));
        }
        let parameters = component["parameters"].as_array();
        filled[index] = parameters.is_some_and(|parameters| !parameters.is_empty());
    }
    for (index, (need, filled)) in needs.buttons.iter().zip(filled).enumerate() {
        if need.required && !filled {
            return Err(GraphError::missing(format!(
                "buttons: Button at index {index} of type {} requires a parameter",
                need.sub_type
            )));
        }
    }
    Ok(())
}

/// Meta's examples write the index as a string and as a number.
fn button_index(index: &Value) -> Result<usize, GraphError> {
    let number = match index {
        Value::String(number) => number.parse().ok(),
        Value::Number(number) => number.as_u64().and_then(|number| number.try_into().ok()),
        _ => None,
    };
    number.ok_or_else(|| GraphError::missing("The button component needs an index."))
}

fn check_cards(needs: &Needs, components: &[Value]) -> Result<(), GraphError> {
    let given = components
        .iter()
        .find(|component| is(&component["type"], "carousel"))
        .and_then(|carousel| carousel["cards"].as_array())
        .map_or(0, Vec::len);
    count("carousel", given, needs.cards)
}

fn count(place: &str, given: usize, expected: usize) -> Result<(), GraphError> {
    if given == expected {
        return Ok(());
    }
    Err(GraphError::of(132_000).details(format!(
        "{place}: number of localizable_params ({given}) does not match the expected number of \
         params ({expected})"
    )))
}

/// Name and language of a template message whose shape has been checked.
pub(in crate::meta) fn key(content: &Value) -> (&str, &str) {
    (
        content["name"].as_str().unwrap_or_default(),
        content["language"]["code"].as_str().unwrap_or_default(),
    )
}

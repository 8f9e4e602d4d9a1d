//! serde's words → a sentence for the sender.

/// Longer sentences are cut: serde quotes what it read.
const LONGEST: usize = 240;

/// Splits ` at line 1 column 7` off.
pub(super) fn split_position(error: &str) -> (&str, Option<(usize, usize)>) {
    let parse = |suffix: &str| {
        let (line, column) = suffix.split_once(" column ")?;
        Some((line.parse().ok()?, column.parse().ok()?))
    };
    match error.rsplit_once(" at line ") {
        Some((words, suffix)) => match parse(suffix) {
            Some(position) => (words, Some(position)),
            None => (error, None),
        },
        None => (error, None),
    }
}

/// The field that serde names itself: of an unknown, repeated or missing one.
pub(super) fn quoted_field(words: &str) -> Option<String> {
    ["unknown field `", "duplicate field `", "missing field `"]
        .iter()
        .find_map(|start| words.strip_prefix(start))
        .and_then(|rest| rest.split_once('`'))
        .map(|(field, _)| {
            let mut field = field.to_owned();
            cut(&mut field, 200);
            field
        })
}

/// The sentence.
pub(super) fn plain(words: &str) -> String {
    let mut sentence = if words.starts_with("unknown field") {
        format!("There is no such field; known here: {}.", known(words))
    } else if words.starts_with("duplicate field") {
        "The field is given twice.".to_owned()
    } else if words.starts_with("missing field") {
        "The field is required.".to_owned()
    } else if words.starts_with("unknown variant") {
        format!("There is no such value; known here: {}.", known(words))
    } else if words.contains("untagged enum") || words.starts_with("invalid digit") {
        "A number is expected.".to_owned()
    } else if let Some((_, rest)) = words.split_once("invalid type: ") {
        mismatch(rest)
    } else {
        format!("It can't be read: {words}.")
    };
    cut(&mut sentence, LONGEST);
    sentence
}

/// `integer `5`, expected a string`, where what was found may contain anything, also commas.
fn mismatch(words: &str) -> String {
    let Some((found, expected)) = words.rsplit_once(", expected ") else {
        return format!("It can't be read: {words}.");
    };
    let kind = found.split([' ', '`', '"']).next().unwrap_or(found);
    let found = match kind {
        "map" => "an object",
        "sequence" => "a list",
        "null" | "unit" => "null",
        "boolean" => "a boolean",
        "string" => "a string",
        "integer" | "floating" => "a number",
        _ => "something else",
    };
    // pbjson says `expected expected one of: ["A", "B"]` of enums.
    if let Some(names) = expected.strip_prefix("expected one of: ") {
        let names = names.trim_matches(['[', ']']).replace('"', "");
        return format!("One of {names} is expected, not {found}.");
    }
    let expected = if expected.starts_with("struct ") {
        "an object"
    } else if expected.starts_with("a sequence") {
        "a list"
    } else {
        expected
    };
    format!("Expected {expected}, not {found}.")
}

/// The names behind `expected`, in their JSON form: each field is listed in proto form too.
fn known(words: &str) -> String {
    let Some((_, listed)) = words.split_once("expected ") else {
        return "none".to_owned();
    };
    let is_variant = words.starts_with("unknown variant");
    let names: Vec<&str> = listed
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(|name| is_variant || !name.contains('_'))
        .collect();
    if names.is_empty() {
        "none".to_owned()
    } else {
        names.join(", ")
    }
}

/// Cuts at a character's border.
pub(super) fn cut(text: &mut String, longest: usize) {
    if text.len() > longest {
        let end = (0..=longest)
            .rev()
            .find(|index| text.is_char_boundary(*index))
            .unwrap_or(0);
        text.truncate(end);
        text.push('…');
    }
}

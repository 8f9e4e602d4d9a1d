use serde::Deserialize;

use super::*;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[expect(dead_code, reason = "only read by serde")]
struct Order {
    #[serde(default, alias = "order_name")]
    order_name: String,
    #[serde(default)]
    lines: Vec<Line>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only read by serde")]
struct Line {
    #[serde(default)]
    count: u32,
    #[serde(default)]
    unit: Unit,
    #[serde(default)]
    tags: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
enum Unit {
    #[default]
    Piece,
    Box,
}

fn mistake(body: &str) -> Mistake {
    let error = serde_json::from_str::<Order>(body).expect_err("a mistake");
    Mistake::of(body.as_bytes(), &error.to_string())
}

fn field(body: &str) -> String {
    mistake(body).field
}

#[test]
fn a_value_of_the_wrong_type_is_named() {
    assert_eq!(field(r#"{"orderName":5}"#), "orderName");
    assert_eq!(field(r#"{"orderName": {"a":1}}"#), "orderName");
    assert_eq!(field(r#"{"orderName": null }"#), "orderName");
    assert_eq!(
        field("{\"lines\":[{\"count\":1},\n {\"count\":\"x\"}]}"),
        "lines[1].count"
    );
    assert_eq!(
        field(r#"{"lines":[{"tags":["a","b",{}]}]}"#),
        "lines[0].tags[2]"
    );
    assert_eq!(field(r#"{"lines":[{"count":-1}]}"#), "lines[0].count");
    assert_eq!(field(r#"{"lines":[{"unit":"Kilo"}]}"#), "lines[0].unit");
}

#[test]
fn an_unknown_field_is_named_where_it_stands() {
    let unknown = mistake(r#"{"lines":[{"price":1}]}"#);
    assert_eq!(unknown.field, "lines[0].price");
    assert!(unknown.message.contains("count"), "{}", unknown.message);
    // The proto spelling is accepted but not advertised.
    let top = mistake(r#"{"nope":1}"#);
    assert_eq!(top.field, "nope");
    assert!(!top.message.contains("order_name"), "{}", top.message);
}

#[test]
fn keys_with_quotes_and_brackets_do_not_mislead() {
    assert_eq!(field(r#"{"a\"}]{[":1}"#), r#"a\"}]{["#);
    assert_eq!(field(r#"{"orderName":"},{[","lines":3}"#), "lines");
}

#[test]
fn a_text_that_breaks_off_names_the_last_field() {
    assert_eq!(field(r#"{"lines":[{"count":"#), "lines[0].count");
    assert_eq!(field(r#"{"orderName":"half"#), "orderName");
    assert_eq!(field(""), "");
    assert_eq!(field("{"), "");
}

#[test]
fn no_type_name_of_ours_is_shown() {
    for body in [r#"{"lines":[7]}"#, r#"{"lines":{}}"#, "7"] {
        let message = mistake(body).message;
        assert!(!message.contains("struct"), "{message}");
    }
}

#[test]
fn what_the_sender_wrote_is_not_repeated_at_length() {
    let long = format!(r#"{{"lines":"{}"}}"#, "x".repeat(100_000));
    let mistake = mistake(&long);
    assert_eq!(mistake.field, "lines");
    assert!(mistake.message.len() < 300);
    let long = format!(r#"{{"{}":1}}"#, "é".repeat(100_000));
    assert!(field(&long).len() < 300);
}

#[test]
fn words_without_a_position_still_name_the_field() {
    let mistake = Mistake::of(
        b"",
        "unknown field `limit`, expected one of `page_size`, `pageSize`",
    );
    assert_eq!(mistake.field, "limit");
    assert_eq!(
        mistake.message,
        "There is no such field; known here: pageSize."
    );
}

#[test]
fn any_text_and_any_position_are_survived() {
    for body in ["", "\"", "\"\\", "{\"a", "]]]", "{\"a\":}\n\n", ",,,:"] {
        for line in 0..4 {
            for column in [0, 1, 5, usize::MAX / 2] {
                let words = format!("invalid type: map, expected x at line {line} column {column}");
                let _mistake = Mistake::of(body.as_bytes(), &words);
            }
        }
    }
}

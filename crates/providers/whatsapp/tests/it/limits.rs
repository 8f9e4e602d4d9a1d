//! What Meta would refuse is refused here, by field.

use errors::Classify;
use serde_json::{Value, json};
use whatsapp::send::{Content, Draft, Recipient, Violations};

use crate::bodies::phone;

fn check(content: &Value) -> Result<(), Violations> {
    let content: Content = serde_json::from_value(content.clone()).expect("readable content");
    Draft::new(phone(), content).build().map(drop)
}

/// The fields at fault.
fn fields(content: &Value) -> Vec<String> {
    match check(content) {
        Ok(()) => Vec::new(),
        Err(violations) => violations
            .fields()
            .into_iter()
            .map(|field| field.field)
            .collect(),
    }
}

fn interactive(interactive: &Value) -> Vec<String> {
    fields(&json!({"type": "interactive", "interactive": interactive}))
}

fn template(components: &Value) -> Vec<String> {
    let template =
        json!({"name": "hello_world", "language": {"code": "en_US"}, "components": components});
    fields(&json!({"type": "template", "template": template}))
}

#[test]
fn text_is_counted_in_utf16_units() {
    let text = |body: String| fields(&json!({"type": "text", "text": {"body": body}}));
    assert_eq!(text("x".repeat(4096)), Vec::<String>::new());
    assert_eq!(text("x".repeat(4097)), ["text.body"]);
    assert_eq!(text("😀".repeat(2048)), Vec::<String>::new());
    assert_eq!(text("😀".repeat(2049)), ["text.body"]);
    assert_eq!(text(" \n".into()), ["text.body"]);
}

#[test]
fn parts_of_media_belong_to_their_kinds() {
    let media = |kind: &str, media: Value| {
        let mut content = json!({ "type": kind });
        content[kind] = media;
        fields(&content)
    };
    let none = Vec::<String>::new();
    assert_eq!(
        media("image", json!({"id": "1", "caption": "x".repeat(1024)})),
        none
    );
    assert_eq!(
        media("image", json!({"id": "1", "caption": "x".repeat(1025)})),
        ["image.caption"]
    );
    assert_eq!(
        media("audio", json!({"id": "1", "caption": "x"})),
        ["audio.caption"]
    );
    assert_eq!(
        media("sticker", json!({"id": "1", "voice": true})),
        ["sticker.voice"]
    );
    assert_eq!(media("video", json!({"link": "ftp://x/y"})), ["video.link"]);
    assert_eq!(media("video", json!({"link": "nonsense"})), ["video.link"]);
    assert_eq!(
        media("image", json!({"id": "1", "filename": "a"})),
        ["image.filename"]
    );
    assert_eq!(
        media("document", json!({"id": "", "filename": "a"})),
        ["document.id"]
    );
}

fn buttons(buttons: &[(&str, &str)]) -> Value {
    let button =
        |(id, title): &(&str, &str)| json!({"type": "reply", "reply": {"id": id, "title": title}});
    let buttons: Vec<Value> = buttons.iter().map(button).collect();
    json!({"type": "button", "body": {"text": "x"}, "action": {"buttons": buttons}})
}

#[test]
fn buttons_are_one_to_three_short_and_distinct() {
    let field = |text: &str| format!("interactive.action.{text}");
    assert_eq!(
        interactive(&buttons(&[("a", "A"), ("b", "B"), ("c", "C")])),
        Vec::<String>::new()
    );
    assert_eq!(interactive(&buttons(&[])), [field("buttons")]);
    let four = [("a", "A"), ("b", "B"), ("c", "C"), ("d", "D")];
    assert_eq!(interactive(&buttons(&four)), [field("buttons")]);
    let long = "x".repeat(21);
    assert_eq!(
        interactive(&buttons(&[("a", &long)])),
        [field("buttons[0].reply.title")]
    );
    let long = "x".repeat(257);
    assert_eq!(
        interactive(&buttons(&[("a", "A"), (&long, "B")])),
        [field("buttons[1].reply.id")]
    );
    assert_eq!(
        interactive(&buttons(&[("a", "A"), ("a", "B")])),
        [field("buttons")]
    );
    assert_eq!(
        interactive(&buttons(&[("a", "A"), ("b", "A")])),
        [field("buttons")]
    );
}

#[test]
fn headers_and_footers_have_their_limits() {
    let mut message = buttons(&[("a", "A")]);
    message["header"] = json!({"type": "text", "text": "x".repeat(61)});
    message["footer"] = json!({"text": "x".repeat(61)});
    message["body"]["text"] = json!("x".repeat(1025));
    let expected = [
        "interactive.header.text",
        "interactive.body.text",
        "interactive.footer.text",
    ];
    assert_eq!(interactive(&message), expected);
}

#[test]
fn a_list_has_ten_rows_in_all_sections() {
    let section = |title: Option<&str>, rows: std::ops::Range<usize>| {
        let rows: Vec<Value> = rows
            .map(|row| json!({"id": row.to_string(), "title": "x"}))
            .collect();
        let mut section = json!({ "rows": rows });
        if let Some(title) = title {
            section["title"] = json!(title);
        }
        section
    };
    let list = |sections: Value| {
        let action = json!({"button": "Choose", "sections": sections});
        interactive(&json!({"type": "list", "body": {"text": "x"}, "action": action}))
    };
    assert_eq!(list(json!([section(None, 0..10)])), Vec::<String>::new());
    assert_eq!(
        list(json!([section(Some("a"), 0..5), section(Some("b"), 5..10)])),
        Vec::<String>::new()
    );
    let sections = "interactive.action.sections";
    assert_eq!(
        list(json!([section(Some("a"), 0..6), section(Some("b"), 6..11)])),
        [sections]
    );
    assert_eq!(
        list(json!([section(Some("a"), 0..2), section(Some("b"), 1..3)])),
        [sections]
    );
    assert_eq!(list(json!([])), [sections]);
    let untitled = list(json!([section(None, 0..1), section(Some("b"), 1..2)]));
    assert_eq!(untitled, ["interactive.action.sections[0].title"]);
    assert_eq!(
        list(json!([section(None, 0..0)])),
        ["interactive.action.sections[0].rows"]
    );
}

#[test]
fn a_list_has_a_text_header_only() {
    let message = json!({
        "type": "list", "header": {"type": "image", "image": {"id": "1"}}, "body": {"text": "x"},
        "action": {"button": "Choose", "sections": [{"rows": [{"id": "1", "title": "x"}]}]}
    });
    assert_eq!(interactive(&message), ["interactive.header"]);
}

#[test]
fn template_parameters_are_all_named_or_all_in_order_and_on_one_line() {
    let body = |parameters: Value| template(&json!([{"type": "body", "parameters": parameters}]));
    let text = |text: &str| json!({"type": "text", "text": text});
    let named = json!({"type": "text", "text": "x", "parameter_name": "day"});
    assert_eq!(
        body(json!([text("a"), text("b    c")])),
        Vec::<String>::new()
    );
    assert_eq!(body(json!([named, named])), Vec::<String>::new());
    let parameters = "template.components[0].parameters";
    assert_eq!(body(json!([named, text("a")])), [parameters]);
    for bad in ["a\nb", "a\tb", "a     b", ""] {
        assert_eq!(
            body(json!([text(bad)])),
            [format!("{parameters}[0].text")],
            "{bad:?}"
        );
    }
}

#[test]
fn template_names_languages_and_buttons_are_checked() {
    let named = |name: &str, language: &str| {
        let template = json!({"name": name, "language": {"code": language}});
        fields(&json!({"type": "template", "template": template}))
    };
    assert_eq!(named("order_1", "pt_BR"), Vec::<String>::new());
    assert_eq!(named("Order-1", "pt_BR"), ["template.name"]);
    assert_eq!(named("order", "pt-BR"), ["template.language.code"]);
    let button = |index: Value, code: &str| {
        template(
            &json!([{"type": "button", "sub_type": "copy_code", "index": index, "parameters": [{"type": "coupon_code", "coupon_code": code}]}]),
        )
    };
    assert_eq!(button(json!("9"), "25OFF"), Vec::<String>::new());
    assert_eq!(button(json!(10), "25OFF"), ["template.components[0].index"]);
    let long = "x".repeat(21);
    assert_eq!(
        button(json!(0), &long),
        ["template.components[0].parameters[0].coupon_code"]
    );
}

#[test]
fn places_and_cards_are_checked() {
    let place = |latitude: &str, longitude: &str| {
        fields(
            &json!({"type": "location", "location": {"latitude": latitude, "longitude": longitude}}),
        )
    };
    assert_eq!(place("-90", "180"), Vec::<String>::new());
    assert_eq!(
        place("91", "x"),
        ["location.latitude", "location.longitude"]
    );
    assert_eq!(
        place("NaN", "inf"),
        ["location.latitude", "location.longitude"]
    );
    let cards = |names: &[Value]| {
        let cards: Vec<Value> = names.iter().map(|name| json!({ "name": name })).collect();
        fields(&json!({"type": "contacts", "contacts": cards}))
    };
    let sound = json!({"formatted_name": "A B", "first_name": "A"});
    assert_eq!(cards(std::slice::from_ref(&sound)), Vec::<String>::new());
    assert_eq!(cards(&[]), ["contacts"]);
    assert_eq!(cards(&vec![sound; 6]), ["contacts"]);
    assert_eq!(
        cards(&[json!({"formatted_name": "A"})]),
        ["contacts[0].name.first_name"]
    );
}

#[test]
fn a_reaction_quotes_nothing() {
    let reaction = json!({"type": "reaction", "reaction": {"message_id": "wamid.A", "emoji": ""}});
    assert_eq!(
        fields(&reaction),
        Vec::<String>::new(),
        "an empty emoji takes it back"
    );
    let content: Content = serde_json::from_value(reaction).expect("readable");
    let refused = Draft::new(phone(), content).reply_to("wamid.A").build();
    assert_eq!(refused.expect_err("refused").as_slice()[0].field, "context");
}

#[test]
fn recipients_are_numbers_with_country_code_or_scoped_ids() {
    let build = |recipient| Draft::new(recipient, Content::text("x")).build();
    for number in [
        "+16505551234",
        "16505551234",
        "+49 151 2345-6789",
        "+55 (11) 98765.4321",
    ] {
        assert!(build(Recipient::Phone(number.into())).is_ok(), "{number}");
    }
    for number in [
        "",
        "+",
        "12345",
        "+1234567890123456",
        "0151 23456789",
        "+16505551234x",
        "+1+6505551234",
        "００００００００",
    ] {
        let refused = build(Recipient::Phone(number.into())).expect_err(number);
        assert_eq!(refused.as_slice()[0].field, "to");
    }
    for id in ["US.1349", "US.ENT.1181", "DE.aZ9"] {
        assert!(build(Recipient::BusinessScoped(id.into())).is_ok(), "{id}");
    }
    for id in [
        "", "US", "US.", "us.1", "USA.1", "US.ENT.", "US.1-2", "US.1.2",
    ] {
        let refused = build(Recipient::BusinessScoped(id.into())).expect_err(id);
        assert_eq!(refused.as_slice()[0].field, "recipient");
    }
}

#[test]
fn the_mark_and_the_quote_have_their_limits() {
    let draft = || Draft::new(phone(), Content::text("x"));
    assert!(draft().callback_data("x".repeat(512)).build().is_ok());
    let refused = draft()
        .callback_data("x".repeat(513))
        .reply_to("")
        .build()
        .expect_err("refused");
    let fields: Vec<_> = refused
        .as_slice()
        .iter()
        .map(|field| field.field.as_str())
        .collect();
    assert_eq!(fields, ["context.message_id", "biz_opaque_callback_data"]);
    assert_eq!(refused.code().id, "messaging.content_invalid");
    assert_eq!(
        refused.to_string(),
        "the message is outside WhatsApp's limits: context.message_id, biz_opaque_callback_data"
    );
}

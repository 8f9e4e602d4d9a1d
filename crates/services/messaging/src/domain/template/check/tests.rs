use TemplateButtonKind::{Otp, PhoneNumber, QuickReply, Url};

use super::*;

fn utility(body: &str, examples: &[&str]) -> TemplateDefinition {
    TemplateDefinition {
        body: body.to_owned(),
        examples: examples
            .iter()
            .map(|value| TemplateExample {
                name: String::new(),
                value: (*value).to_owned(),
            })
            .collect(),
        ..TemplateDefinition::default()
    }
}

fn fields(definition: &TemplateDefinition) -> Vec<String> {
    let format = ParameterFormat::Positional;
    problems(definition, TemplateCategory::Utility, format)
        .into_iter()
        .map(|problem| problem.field)
        .collect()
}

fn button(kind: TemplateButtonKind) -> TemplateButton {
    TemplateButton {
        kind: kind.into(),
        text: "Go".to_owned(),
        url: "https://shop.example".to_owned(),
        phone_number: "+16505551234".to_owned(),
        example: "SAVE10".to_owned(),
        flow_id: "1".to_owned(),
    }
}

#[test]
fn a_good_template_breaks_no_rule() {
    assert!(
        fields(&utility(
            "Hi {{1}}, it comes {{2}} to you.",
            &["Ada", "today"]
        ))
        .is_empty()
    );
    let mut whole = utility("No places.", &[]);
    whole.footer = "Shop".to_owned();
    whole.buttons = [
        TemplateButtonKind::QuickReply,
        TemplateButtonKind::QuickReply,
        TemplateButtonKind::Url,
        TemplateButtonKind::PhoneNumber,
        TemplateButtonKind::CopyCode,
    ]
    .map(button)
    .to_vec();
    assert!(fields(&whole).is_empty());
}

#[test]
fn places_stand_between_words_and_count_from_one() {
    for bad in [
        "{{1}} is here",
        "It is {{1}}",
        "a {{1}} {{2}} b",
        "a {{2}} b",
    ] {
        let count = places::names(bad).len();
        let examples = vec!["x"; count];
        let found = fields(&utility(bad, &examples));
        assert!(
            found.iter().all(|field| field == "definition.body"),
            "{bad}"
        );
        assert!(!found.is_empty(), "{bad}");
    }
    assert_eq!(fields(&utility("a {{1}} b", &[])), ["definition.examples"]);
    assert_eq!(
        fields(&utility("a {{1}} b", &[" "])),
        ["definition.examples[0].value"]
    );
}

#[test]
fn lengths_are_those_of_meta_in_characters() {
    assert!(fields(&utility(&"é".repeat(BODY), &[])).is_empty());
    assert_eq!(
        fields(&utility(&"é".repeat(BODY + 1), &[])),
        ["definition.body"]
    );
    assert_eq!(fields(&utility("  ", &[])), ["definition.body"]);
    let mut footed = utility("a", &[]);
    footed.footer = "x {{1}}".to_owned();
    assert_eq!(fields(&footed), ["definition.footer"]);
}

#[test]
fn buttons_have_their_limits_and_quick_replies_stand_together() {
    let with = |kinds: &[TemplateButtonKind]| {
        let mut definition = utility("a", &[]);
        definition.buttons = kinds.iter().copied().map(button).collect();
        fields(&definition)
    };
    assert_eq!(with(&[Url, Url, Url]), ["definition.buttons"]);
    assert_eq!(with(&[PhoneNumber, PhoneNumber]), ["definition.buttons"]);
    assert_eq!(with(&[QuickReply, Url, QuickReply]), ["definition.buttons"]);
    assert_eq!(with(&[Otp]), ["definition.buttons"]);
    let mut definition = utility("a", &[]);
    let mut address = button(Url);
    address.url = "https://shop.example/{{1}}/x".to_owned();
    address.example.clear();
    definition.buttons = vec![address];
    let expected = ["definition.buttons[0].url", "definition.buttons[0].example"];
    assert_eq!(fields(&definition), expected);
}

#[test]
fn metas_own_text_of_a_code_is_not_written_here() {
    let problems = |definition: &TemplateDefinition| {
        let format = ParameterFormat::Positional;
        super::problems(definition, TemplateCategory::Authentication, format).len()
    };
    let code = TemplateDefinition {
        buttons: vec![button(TemplateButtonKind::Otp)],
        security_recommendation: true,
        code_expiration_minutes: 5,
        ..TemplateDefinition::default()
    };
    assert_eq!(problems(&code), 0);
    assert_eq!(problems(&utility("Your code is {{1}}.", &["1"])), 2);
}

#[test]
fn cards_are_alike() {
    use proto::messaging::v1::TemplateCard;

    let card = TemplateCard {
        header: Some(TemplateHeader {
            format: HeaderFormat::Image.into(),
            text: String::new(),
            example: "4::handle".to_owned(),
        }),
        body: String::new(),
        buttons: vec![button(TemplateButtonKind::QuickReply)],
        examples: Vec::new(),
    };
    let mut definition = utility("Look", &[]);
    definition.cards = vec![card.clone(), card.clone()];
    assert!(fields(&definition).is_empty());
    definition.cards[1].buttons[0].kind = TemplateButtonKind::Url.into();
    assert_eq!(fields(&definition), ["definition.cards[1]"]);
    definition.cards = vec![card];
    assert_eq!(fields(&definition), ["definition.cards"]);
}

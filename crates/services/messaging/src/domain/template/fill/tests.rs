use proto::messaging::v1::TemplateCard;

use super::*;

fn component(kind: &str, parameters: Vec<TemplateParameter>) -> TemplateComponent {
    TemplateComponent {
        r#type: kind.to_owned(),
        parameters,
        ..TemplateComponent::default()
    }
}

fn parameter(kind: &str, text: &str) -> TemplateParameter {
    TemplateParameter {
        r#type: kind.to_owned(),
        text: text.to_owned(),
        ..TemplateParameter::default()
    }
}

fn named(name: &str, text: &str) -> TemplateParameter {
    TemplateParameter {
        parameter_name: name.to_owned(),
        ..parameter("text", text)
    }
}

fn button(sub_type: &str, index: u32, one: TemplateParameter) -> TemplateComponent {
    TemplateComponent {
        sub_type: sub_type.to_owned(),
        index,
        ..component("button", vec![one])
    }
}

fn offer() -> TemplateDefinition {
    TemplateDefinition {
        header: Some(TemplateHeader {
            format: HeaderFormat::Image.into(),
            ..TemplateHeader::default()
        }),
        body: "Hi {{1}}, {{2}} off for you, {{1}}!".to_owned(),
        footer: "Shop".to_owned(),
        buttons: vec![
            TemplateButton {
                kind: TemplateButtonKind::QuickReply.into(),
                ..TemplateButton::default()
            },
            TemplateButton {
                kind: TemplateButtonKind::Url.into(),
                url: "https://shop.example/{{1}}".to_owned(),
                ..TemplateButton::default()
            },
        ],
        ..TemplateDefinition::default()
    }
}

fn filling() -> Vec<TemplateComponent> {
    vec![
        component("header", vec![parameter("image", "")]),
        component(
            "body",
            vec![parameter("text", "Ada"), parameter("text", "10 %")],
        ),
        button("url", 1, parameter("text", "a")),
    ]
}

fn fields(definition: &TemplateDefinition, components: &[TemplateComponent]) -> Vec<String> {
    problems(definition, ParameterFormat::Positional, components)
        .into_iter()
        .map(|problem| problem.field)
        .collect()
}

#[test]
fn what_fills_everything_has_no_problem_and_reads_as_the_customer_sees_it() {
    assert!(fields(&offer(), &filling()).is_empty());
    let read = text(&offer(), &filling());
    assert_eq!(read, "Hi Ada, 10 % off for you, Ada!\nShop");
}

#[test]
fn each_missing_or_wrong_parameter_names_its_place() {
    let without = |at: usize| {
        let mut filling = filling();
        filling.remove(at);
        fields(&offer(), &filling)
    };
    assert_eq!(without(0), ["components"]);
    assert_eq!(without(1), ["components"]);
    assert_eq!(without(2), ["components"]);
    let mut short = filling();
    short[1].parameters.pop();
    assert_eq!(fields(&offer(), &short), ["components[1].parameters"]);
    let mut wrong = filling();
    wrong[0].parameters[0].r#type = "video".to_owned();
    assert_eq!(fields(&offer(), &wrong), ["components[0].parameters"]);
    let mut many = filling();
    many.push(button("url", 7, parameter("text", "a")));
    many.push(component("limited_time_offer", vec![]));
    many.push(component("body", vec![]));
    many.push(TemplateComponent {
        card: Some(0),
        ..component("header", vec![])
    });
    let expected = [
        "components[3].index",
        "components[4]",
        "components[5]",
        "components[6].card",
    ];
    assert_eq!(fields(&offer(), &many), expected);
}

#[test]
fn named_places_are_filled_by_name_in_any_order() {
    let definition = TemplateDefinition {
        body: "{{who}}: {{what}}".to_owned(),
        ..TemplateDefinition::default()
    };
    let problems = |components: &[TemplateComponent]| {
        problems(&definition, ParameterFormat::Named, components)
    };
    let good = [component(
        "body",
        vec![named("what", "b"), named("who", "a")],
    )];
    assert!(problems(&good).is_empty());
    assert_eq!(text(&definition, &good), "a: b");
    let bad = [component(
        "body",
        vec![named("what", "b"), named("whom", "a")],
    )];
    let found = problems(&bad);
    assert_eq!(found.len(), 2);
    assert!(found[0].message.contains("who"));
    assert_eq!(found[1].field, "components[0].parameters[1].parameterName");
}

#[test]
fn a_code_goes_into_the_text_and_the_button() {
    let definition = TemplateDefinition {
        buttons: vec![TemplateButton {
            kind: TemplateButtonKind::Otp.into(),
            ..TemplateButton::default()
        }],
        ..TemplateDefinition::default()
    };
    assert_eq!(fields(&definition, &[]).len(), 2);
    let code = || parameter("text", "123456");
    let both = [component("body", vec![code()]), button("url", 0, code())];
    assert!(fields(&definition, &both).is_empty());
}

#[test]
fn every_card_is_filled_by_itself() {
    let card = TemplateCard {
        header: offer().header,
        body: "{{1}}".to_owned(),
        ..TemplateCard::default()
    };
    let definition = TemplateDefinition {
        body: "Look".to_owned(),
        cards: vec![card.clone(), card],
        limited_time_offer: "Ends soon".to_owned(),
        ..TemplateDefinition::default()
    };
    let of_card = |number: u32, kind: &str, one: TemplateParameter| TemplateComponent {
        card: Some(number),
        ..component(kind, vec![one])
    };
    let ends = TemplateParameter {
        expires_at: Some(pbjson_types::Timestamp::default()),
        ..parameter("expiration", "")
    };
    let mut components = vec![component("limited_time_offer", vec![ends])];
    for number in [0, 1] {
        components.push(of_card(number, "header", parameter("image", "")));
        components.push(of_card(number, "body", parameter("text", "a")));
    }
    assert!(fields(&definition, &components).is_empty());
    let last = components.pop();
    let found = problems(&definition, ParameterFormat::Positional, &components);
    assert_eq!(found.len(), 1);
    assert!(found[0].message.starts_with("card 1: the body"));
    components.extend(last);
    components[1].card = Some(2);
    let expected = ["components", "components[1].card"];
    assert_eq!(fields(&definition, &components), expected);
}

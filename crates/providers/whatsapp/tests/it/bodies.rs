//! What we send is what Meta's examples send.

use serde_json::{Value, json};
use whatsapp::send::{
    Content, CtaUrl, Draft, Frame, Interactive, List, ListRow, ListSection, LocationRequest, Media,
    Recipient, ReplyButton, ReplyButtons, RequestContactInfo,
};

use crate::fixtures::json as sample;

pub(crate) fn phone() -> Recipient {
    Recipient::Phone("+1 (650) 555-1234".into())
}

fn body(content: Content) -> Value {
    let message = Draft::new(phone(), content)
        .build()
        .expect("within the limits");
    serde_json::to_value(message).expect("JSON")
}

/// The sample as our types would write it: what Meta spells in several ways, we spell in one.
fn normalised(mut sample: Value) -> Value {
    sample["recipient_type"] = json!("individual");
    sample["to"] = json!("+16505551234");
    let components = sample.pointer_mut("/template/components");
    if let Some(components) = components.and_then(Value::as_array_mut) {
        for component in components {
            if let Some(index) = component["index"].as_u64() {
                component["index"] = json!(index.to_string());
            }
            if let Some(kind) = component["sub_type"].as_str() {
                component["sub_type"] = json!(kind.to_lowercase());
            }
        }
    }
    sample
}

#[test]
fn metas_examples_are_read_and_written_without_loss() {
    for name in [
        "req-text.json",
        "req-interactive-buttons.json",
        "req-interactive-list.json",
        "req-template-carousel.json",
        "req-template-coupon.json",
        "req-template-limited-time-offer.json",
        "req-template-named-utility.json",
        "req-template-otp.json",
    ] {
        let sample = sample(name);
        let content = serde_json::from_value(sample.clone());
        let content: Content = content.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(body(content), normalised(sample), "{name}");
    }
}

#[test]
fn text_has_a_preview_if_it_has_a_link() {
    insta::assert_json_snapshot!(body(Content::text("See https://example.com")), @r#"
    {
      "messaging_product": "whatsapp",
      "recipient_type": "individual",
      "text": {
        "body": "See https://example.com",
        "preview_url": true
      },
      "to": "+16505551234",
      "type": "text"
    }
    "#);
    assert_eq!(
        body(Content::text("Hello"))["text"]["preview_url"],
        json!(false)
    );
}

#[test]
fn a_user_who_hides_the_number_is_addressed_as_recipient() {
    let recipient = Recipient::BusinessScoped("US.13491208655302741918".into());
    let message = Draft::new(recipient, Content::text("Hello")).build();
    let body = serde_json::to_value(message.expect("within the limits")).expect("JSON");
    assert_eq!(body["recipient"], json!("US.13491208655302741918"));
    assert_eq!(body.get("to"), None);
    let group = Draft::new(Recipient::Group("Y2FwaV9n".into()), Content::text("Hello")).build();
    let body = serde_json::to_value(group.expect("within the limits")).expect("JSON");
    assert_eq!(
        (&body["to"], &body["recipient_type"]),
        (&json!("Y2FwaV9n"), &json!("group"))
    );
}

#[test]
fn what_goes_along_has_metas_names() {
    let message = Draft::new(phone(), Content::text("Hello"))
        .reply_to("wamid.A=")
        .callback_data("v1.msg_x.1.00")
        .recipient_identity_key_hash("DF2lS5v2W6x=")
        .messaging_account_id("1029")
        .build()
        .expect("within the limits");
    let body = serde_json::to_value(message).expect("JSON");
    assert_eq!(body["context"], json!({"message_id": "wamid.A="}));
    assert_eq!(body["biz_opaque_callback_data"], json!("v1.msg_x.1.00"));
    assert_eq!(body["recipient_identity_key_hash"], json!("DF2lS5v2W6x="));
    assert_eq!(body["messaging_account_id"], json!("1029"));
}

#[test]
fn media_is_an_id_or_a_link_with_its_parts() {
    let mut document = Media::link("https://example.com/a.pdf");
    document.caption = Some("Invoice".into());
    document.filename = Some("a.pdf".into());
    let document = body(Content::Document { document });
    let expected =
        json!({"link": "https://example.com/a.pdf", "caption": "Invoice", "filename": "a.pdf"});
    assert_eq!(document["document"], expected);
    let mut audio = Media::id("1003");
    audio.voice = Some(true);
    assert_eq!(
        body(Content::Audio { audio })["audio"],
        json!({"id": "1003", "voice": true})
    );
}

fn interactive(interactive: Interactive) -> Value {
    let interactive = Box::new(interactive);
    body(Content::Interactive { interactive })["interactive"].take()
}

#[test]
fn interactive_messages_have_the_action_of_their_type() {
    let buttons = vec![ReplyButton::new("yes", "Yes"), ReplyButton::new("no", "No")];
    let buttons = interactive(Interactive::Button(Frame::new(
        "Ok?",
        ReplyButtons { buttons },
    )));
    assert_eq!(buttons["type"], json!("button"));
    let first = json!({"type": "reply", "reply": {"id": "yes", "title": "Yes"}});
    assert_eq!(buttons["action"]["buttons"][0], first);

    let link = CtaUrl::new("Open", "https://example.com");
    let parameters = json!({"display_text": "Open", "url": "https://example.com"});
    assert_eq!(
        interactive(Interactive::CtaUrl(Frame::new("Look", link))),
        json!({"type": "cta_url", "body": {"text": "Look"}, "action": {"name": "cta_url", "parameters": parameters}})
    );

    let place = Interactive::LocationRequestMessage(Frame::new("Where?", LocationRequest::new()));
    let action = json!({"name": "send_location"});
    assert_eq!(
        interactive(place),
        json!({"type": "location_request_message", "body": {"text": "Where?"}, "action": action})
    );

    let number = Interactive::RequestContactInfo(Frame::new("Number?", RequestContactInfo::new()));
    assert_eq!(
        interactive(number)["action"],
        json!({"name": "request_contact_info"})
    );

    let row = ListRow {
        id: "1".into(),
        title: "One".into(),
        description: None,
    };
    let sections = vec![ListSection {
        title: None,
        rows: vec![row],
    }];
    let list = List {
        button: "Choose".into(),
        sections,
    };
    let list = interactive(Interactive::List(Frame::new("Which?", list)));
    assert_eq!(
        list["action"]["sections"],
        json!([{"rows": [{"id": "1", "title": "One"}]}])
    );
}

#[test]
fn a_message_does_not_print_whom_it_goes_to_and_what_it_says() {
    let secret = "s3cret";
    let card = json!({"name": {"formatted_name": secret, "first_name": secret}, "phones": [{"phone": secret}]});
    let row = json!({"id": secret, "title": secret});
    let list = json!({"button": secret, "sections": [{"title": secret, "rows": [row]}]});
    let list = json!({"type": "list", "header": {"type": "text", "text": secret}, "body": {"text": secret}, "action": list});
    let parameter = json!({"type": "text", "text": secret});
    let components = json!([{"type": "body", "parameters": [parameter]}]);
    for content in [
        json!({"type": "text", "text": {"body": secret}}),
        json!({"type": "image", "image": {"link": "https://s3cret.example/a", "caption": secret}}),
        json!({"type": "contacts", "contacts": [card]}),
        json!({"type": "interactive", "interactive": list}),
        json!({"type": "template", "template": {"name": "hello", "language": {"code": "de"}, "components": components}}),
    ] {
        let content: Content = serde_json::from_value(content).expect("readable");
        let inner = match &content {
            Content::Text { text } => format!("{text:?}"),
            Content::Image { image } => format!("{image:?}"),
            Content::Contacts { contacts } => format!("{contacts:?}"),
            Content::Interactive { interactive } => format!("{interactive:?}"),
            Content::Template { template } => format!("{template:?}"),
            other => panic!("{other:?}"),
        };
        let draft = Draft::new(phone(), content);
        let shown = format!("{inner} {draft:?} {:?}", draft.clone().build());
        assert!(!shown.contains(secret) && !shown.contains("555"), "{shown}");
    }
    assert_eq!(format!("{:?}", phone()), "Recipient(..)");
}

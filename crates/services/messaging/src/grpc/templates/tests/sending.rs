use std::time::Duration;

use proto::messaging::v1::{
    Message, MessageContent, Template, TemplateComponent, TemplateParameter, message_content::Kind,
};

use super::*;
use crate::{
    fixture::Thread,
    ops::{
        send_message::{Input, send_message},
        sight::Sight,
    },
};

impl World {
    async fn send(&self, thread: Thread, parameters: &[&str]) -> Result<Message, Error> {
        let text = |text: &&str| TemplateParameter {
            r#type: "text".to_owned(),
            text: (*text).to_owned(),
            ..TemplateParameter::default()
        };
        let body = TemplateComponent {
            r#type: "body".to_owned(),
            parameters: parameters.iter().map(text).collect(),
            ..TemplateComponent::default()
        };
        let template = Template {
            name: "order_ready".to_owned(),
            language: "en_US".to_owned(),
            components: (!parameters.is_empty())
                .then_some(body)
                .into_iter()
                .collect(),
            text: "what a caller makes up".to_owned(),
            ..Template::default()
        };
        let input = Input {
            conversation_id: thread.id,
            content: MessageContent {
                kind: Some(Kind::Template(template)),
            },
            reply_to: None,
            expires_at: None,
            idempotency: None,
        };
        send_message(
            &self.fixture.db,
            &self.fixture.scope(),
            &Sight::EVERYTHING,
            input,
        )
        .await
    }
}

fn sent(message: Message) -> Template {
    match message.content.and_then(|content| content.kind) {
        Some(Kind::Template(template)) => template,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_keeps_how_its_template_read() {
    let world = World::new().await;
    let thread = world.fixture.conversation("491701").await;
    world.review("order_ready", "APPROVED");
    world.sync().await;
    let known = world.named("order_ready").await;
    let message = sent(world.send(thread, &["Ada"]).await.expect("queued"));
    assert_eq!(message.text, "Hi Ada, it is here.");
    assert_eq!(message.template_id, known.id);
    assert_eq!(message.revision, 1);

    let preview = PreviewTemplateRequest {
        template_id: known.id,
        components: message.components,
    };
    let preview = world.service.preview_template(world.asks(preview)).await;
    let preview = preview.expect("a preview").into_inner();
    assert_eq!(preview.text, message.text);
    assert!(preview.problems.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_parameter_and_a_paused_template_are_refused_before_anything_is_stored() {
    let world = World::new().await;
    let thread = world.fixture.conversation("491701").await;
    world.review("order_ready", "APPROVED");
    world.sync().await;
    let refused = world.send(thread, &[]).await.expect_err("no parameter");
    let Error::Content(fields) = &refused else {
        panic!("{refused}");
    };
    assert_eq!(fields[0].field, "content.template.components");

    world.review("order_ready", "PAUSED");
    world.fixture.hand.advance(Duration::from_secs(1));
    world.sync().await;
    let refused = world.send(thread, &["Ada"]).await.expect_err("paused");
    assert!(matches!(refused, Error::TemplateNotSendable { .. }));
    assert_eq!(world.fixture.count("messages").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_template_that_is_not_known_here_is_left_to_whatsapp_and_looked_for() {
    let world = World::new().await;
    let thread = world.fixture.conversation("491701").await;
    world.sync().await;
    world.review("order_ready", "APPROVED");
    let message = sent(world.send(thread, &["Ada"]).await.expect("queued"));
    assert_eq!(message.text, "", "nothing made up is kept");
    assert_eq!(message.revision, 0);
    let pass = sync_templates::pass(&world.fixture.engine).await;
    assert!(pass.expect("a pass"));
    world.named("order_ready").await;
}

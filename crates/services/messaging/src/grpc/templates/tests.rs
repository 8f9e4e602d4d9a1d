//! Templates against the sandbox's Graph API.

mod following;
mod sending;
mod vault;
mod writing;

use errors::Problem;
use proto::messaging::v1::{
    TemplateCategory, TemplateDefinition, TemplateExample, TemplateQuality, TemplateStatus,
};
use sandbox::{Sandbox, SandboxConfig, SandboxHandle, meta::SetupSpec};
use tonic::Code;

use super::*;
use crate::{
    fixture::{Fixture, member_context},
    jobs::sync_templates,
};

/// A tenant whose account is the sandbox's.
struct World {
    fixture: Fixture,
    sandbox: SandboxHandle,
    service: Service,
}

const WABA: &str = "2001";

impl World {
    async fn new() -> Self {
        let sandbox = Sandbox::start(SandboxConfig::default(), clock::Clock::system());
        let sandbox = sandbox.await.expect("a sandbox");
        // What every fixture is connected to.
        let spec = SetupSpec {
            waba_id: Some(WABA.to_owned()),
            phone_number_id: Some("1001".to_owned()),
            access_token: "t".to_owned().into(),
            handshake: false,
            ..SetupSpec::default()
        };
        sandbox.meta().set_up(spec).await.expect("an account");
        let fixture = Fixture::with_graph(sandbox.base_url()).await;
        let service = Service {
            engine: Arc::clone(&fixture.engine),
        };
        Self {
            fixture,
            sandbox,
            service,
        }
    }

    fn asks<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        let context = member_context(&self.fixture);
        request.extensions_mut().insert(context);
        request
    }

    /// Reads Meta's list.
    async fn sync(&self) {
        let message = SyncTemplatesRequest {
            waba_id: WABA.to_owned(),
        };
        let asked = self.service.sync_templates(self.asks(message)).await;
        asked.expect("asked");
        assert!(
            sync_templates::pass(&self.fixture.engine)
                .await
                .expect("a pass")
        );
    }

    async fn list(&self, request: ListTemplatesRequest) -> ListTemplatesResponse {
        let listed = self.service.list_templates(self.asks(request)).await;
        listed.expect("a list").into_inner()
    }

    /// The living template of this name.
    async fn named(&self, name: &str) -> MessageTemplate {
        let request = ListTemplatesRequest {
            name: name.to_owned(),
            ..ListTemplatesRequest::default()
        };
        let mut found = self.list(request).await.templates;
        found.retain(|template| template.name == name);
        assert_eq!(found.len(), 1, "{name}");
        found.remove(0)
    }

    async fn draft(&self, name: &str) -> MessageTemplate {
        let created = self.service.create_template(self.asks(wanted(name)));
        created.await.expect("a draft").into_inner()
    }

    async fn submit(&self, id: &str) -> Result<MessageTemplate, Status> {
        let message = SubmitTemplateRequest {
            template_id: id.to_owned(),
        };
        let submitted = self.service.submit_template(self.asks(message)).await;
        submitted.map(Response::into_inner)
    }

    /// What reviewers do; the list and the webhooks tell of it.
    fn review(&self, name: &str, status: &str) {
        let template = serde_json::json!({
            "name": name, "language": "en_US", "category": "UTILITY", "status": status,
            "components": [{
                "type": "BODY", "text": "Hi {{1}}, it is here.",
                "example": { "body_text": [["Ada"]] },
            }],
        });
        let template = serde_json::from_value(template).expect("a template");
        let registered = self.sandbox.meta().register_template(WABA, template);
        registered.expect("registered");
    }
}

fn definition(body: &str) -> TemplateDefinition {
    TemplateDefinition {
        body: body.to_owned(),
        examples: vec![TemplateExample {
            name: String::new(),
            value: "Ada".to_owned(),
        }],
        ..TemplateDefinition::default()
    }
}

fn wanted(name: &str) -> CreateTemplateRequest {
    CreateTemplateRequest {
        waba_id: WABA.to_owned(),
        name: name.to_owned(),
        language: "en_US".to_owned(),
        category: TemplateCategory::Utility.into(),
        definition: Some(definition("Hi {{1}}, it is here.")),
        ..CreateTemplateRequest::default()
    }
}

fn code(status: &Status) -> String {
    Problem::from_status(status).code
}

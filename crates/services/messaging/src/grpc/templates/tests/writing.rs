use sandbox::meta::{Call, Fault, FaultKind};

use super::*;

fn change(template: &MessageTemplate, body: &str) -> UpdateTemplateRequest {
    UpdateTemplateRequest {
        template_id: template.id.clone(),
        definition: Some(definition(body)),
        revision: template.revision,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_is_written_changed_submitted_and_deleted() {
    let world = World::new().await;
    let draft = world.draft("order_ready").await;
    assert_eq!(draft.status(), TemplateStatus::Draft);
    assert_eq!(draft.revision, 1);

    let hello = change(&draft, "Hello {{1}}, it is here.");
    let changed = world.service.update_template(world.asks(hello.clone()));
    assert_eq!(changed.await.expect("changed").into_inner().revision, 2);
    let late = world.service.update_template(world.asks(hello)).await;
    assert_eq!(code(&late.expect_err("late")), "conflict");

    let submitted = world.submit(&draft.id).await.expect("submitted");
    assert_eq!(submitted.status(), TemplateStatus::Pending);
    let again = world.submit(&draft.id).await.expect("known");
    assert_eq!(again, submitted, "a repeated submission changes nothing");
    world.sync().await;
    let synced = world.named("order_ready").await;
    assert_eq!(synced.revision, 2, "Meta has what we have");

    let delete = DeleteTemplateRequest {
        template_id: draft.id.clone(),
    };
    let deleted = world.service.delete_template(world.asks(delete.clone()));
    deleted.await.expect("deleted");
    let again = world.service.delete_template(world.asks(delete)).await;
    assert_eq!(again.expect_err("gone").code(), Code::NotFound);
    // The name is free again.
    let anew = world.draft("order_ready").await;
    assert_ne!(anew.id, draft.id);
    world.submit(&anew.id).await.expect("submitted");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_does_not_hand_a_template_in_twice() {
    let world = World::new().await;
    for (name, lost) in [
        ("reset", FaultKind::ResetAfterAccept),
        ("garbage", FaultKind::GarbageBody),
    ] {
        let draft = world.draft(name).await;
        let mut fault = Fault::new(lost);
        fault.call = Call::Management;
        world.sandbox.meta().script(fault);
        let unknown = world.submit(&draft.id).await.expect_err("no answer");
        assert_eq!(code(&unknown), "unavailable", "{unknown}");
        // Until that is known it can't be changed: Meta may have it as it was.
        let hello = change(&draft, "Hello {{1}}, it is here.");
        let refused = world.service.update_template(world.asks(hello)).await;
        let refused = code(&refused.expect_err("unknown"));
        assert_eq!(refused, "messaging.template_not_changeable");

        let found = world.submit(&draft.id).await.expect("found at Meta");
        assert_eq!(found.status(), TemplateStatus::Pending);
        assert_eq!(found.id, draft.id);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_adopts_the_draft_whose_submission_was_not_answered() {
    let world = World::new().await;
    let draft = world.draft("order_ready").await;
    let mut fault = Fault::new(FaultKind::ResetAfterAccept);
    fault.call = Call::Management;
    world.sandbox.meta().script(fault);
    world.submit(&draft.id).await.expect_err("no answer");
    world.sync().await;
    let adopted = world.named("order_ready").await;
    assert_eq!(adopted.id, draft.id);
    assert_eq!(adopted.status(), TemplateStatus::Pending);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_meta_refuses_stays_a_draft_that_can_be_changed() {
    let world = World::new().await;
    let draft = world.draft("order_ready").await;
    // Somebody else of the account was faster.
    world.review("order_ready", "APPROVED");
    let refused = world.submit(&draft.id).await.expect_err("in use");
    assert_eq!(code(&refused), "messaging.template_refused");
    let hello = change(&draft, "Hello {{1}}, it is here.");
    let changed = world.service.update_template(world.asks(hello)).await;
    assert_eq!(changed.expect("a draft").into_inner().revision, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approved_template_is_reviewed_again_after_a_change() {
    let world = World::new().await;
    world.review("order_ready", "APPROVED");
    world.sync().await;
    let known = world.named("order_ready").await;
    let hello = change(&known, "Hello {{1}}, it is here.");
    let changed = world.service.update_template(world.asks(hello)).await;
    let changed = changed.expect("changed").into_inner();
    assert_eq!(changed.status(), TemplateStatus::Pending);
    let once_more = change(&changed, "Once more {{1}}, it is here.");
    let refused = world.service.update_template(world.asks(once_more)).await;
    let refused = code(&refused.expect_err("under review"));
    assert_eq!(refused, "messaging.template_not_changeable");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_template_is_refused_with_its_field_and_nothing_is_kept() {
    let world = World::new().await;
    let mut bad = wanted("order_ready");
    bad.definition = Some(definition("{{1}} is here"));
    let refused = world.service.create_template(world.asks(bad)).await;
    let refused = refused.expect_err("a place at the beginning");
    assert_eq!(code(&refused), "request.invalid");
    assert!(refused.message().contains("definition.body"), "{refused}");
    let mut elsewhere = wanted("order_ready");
    elsewhere.waba_id = "99999".to_owned();
    let refused = world.service.create_template(world.asks(elsewhere)).await;
    assert_eq!(refused.expect_err("not ours").code(), Code::NotFound);
    assert_eq!(world.fixture.count("templates").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_creation_answers_the_same_draft_and_another_one_is_told_of_it() {
    let world = World::new().await;
    let create = async |key: Option<&str>| {
        let mut request = world.asks(wanted("order_ready"));
        let mut context = member_context(&world.fixture);
        context.idempotency_key = key.map(str::to_owned);
        request.extensions_mut().insert(context);
        world.service.create_template(request).await
    };
    let first = create(Some("k")).await.expect("a draft").into_inner();
    let again = create(Some("k")).await.expect("the same").into_inner();
    assert_eq!(first, again);
    let taken = create(None).await.expect_err("taken");
    assert_eq!(code(&taken), "already_exists");
    assert_eq!(world.fixture.count("templates").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_organizations_template_is_like_none() {
    let mut world = World::new().await;
    let id = world.draft("order_ready").await.id;
    world.fixture.add_tenant("1002").await;
    let nobodys = "tpl_01h455vb4pex5vsknk084sn02q".to_owned();
    let mut answers = Vec::new();
    for template_id in [id, nobodys] {
        let update = UpdateTemplateRequest {
            template_id: template_id.clone(),
            definition: Some(definition("Hello {{1}}, it is here.")),
            revision: 1,
        };
        let get = GetTemplateRequest {
            template_id: template_id.clone(),
        };
        let preview = PreviewTemplateRequest {
            template_id: template_id.clone(),
            components: Vec::new(),
        };
        let delete = DeleteTemplateRequest {
            template_id: template_id.clone(),
        };
        let service = &world.service;
        let refused = [
            service.get_template(world.asks(get)).await.err(),
            service.preview_template(world.asks(preview)).await.err(),
            service.update_template(world.asks(update)).await.err(),
            world.submit(&template_id).await.err(),
            service.delete_template(world.asks(delete)).await.err(),
        ];
        answers.push(refused.map(|refused| {
            let refused = refused.expect("refused");
            (refused.code(), refused.message().to_owned())
        }));
    }
    assert_eq!(answers[0], answers[1]);
    assert!(answers[0].iter().all(|(code, _)| *code == Code::NotFound));
    let all = world.list(ListTemplatesRequest::default()).await;
    assert!(all.templates.is_empty() && all.syncs.is_empty());
}

//! Invitations from the side of who was invited.

use std::time::Duration;

use auth::Role;
use proto::identity::{
    events::v1::MemberJoined,
    v1::{
        self as wire, AcceptInvitationRequest, ChangeMemberRoleRequest, GetInvitationRequest,
        JoinOrganizationRequest, JoinedOrganization, RevokeInvitationRequest,
    },
};
use tonic::Status;

use super::stage::{Person, Stage};
use crate::world::{PASSWORD, code};

const GRACE: &str = "grace@example.com";

async fn preview(stage: &Stage, secret: &str) -> Result<wire::InvitationPreview, Status> {
    let secret = secret.to_owned();
    let request = GetInvitationRequest { secret };
    Ok(stage.people().get_invitation(request).await?.into_inner())
}

async fn join(stage: &Stage, secret: &str) -> Result<JoinedOrganization, Status> {
    join_with(stage, secret, PASSWORD).await
}

async fn join_with(
    stage: &Stage,
    secret: &str,
    password: &str,
) -> Result<JoinedOrganization, Status> {
    let request = JoinOrganizationRequest {
        secret: secret.to_owned(),
        name: "Grace".to_owned(),
        password: password.to_owned(),
    };
    Ok(stage
        .people()
        .join_organization(request)
        .await?
        .into_inner())
}

async fn accept(stage: &Stage, by: &Person, secret: &str) -> Result<JoinedOrganization, Status> {
    let secret = secret.to_owned();
    let request = by.asks(AcceptInvitationRequest { secret });
    Ok(stage
        .people()
        .accept_invitation(request)
        .await?
        .into_inner())
}

async fn invited(stage: &Stage, role: Role) -> (wire::Invitation, String) {
    let invitation = stage.invite(&stage.owner, GRACE, role).await.unwrap();
    (invitation, stage.secret(GRACE, 1).await)
}

/// Everything that a link can be used for has the same answer.
async fn assert_invalid(stage: &Stage, secret: &str) {
    for status in [
        preview(stage, secret).await.unwrap_err(),
        join(stage, secret).await.unwrap_err(),
        accept(stage, &stage.owner, secret).await.unwrap_err(),
    ] {
        assert_eq!(code(&status), "identity.invitation_invalid");
        assert_eq!(status.message(), "The invitation is not valid any more.");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_person_joins_with_a_verified_address_and_logs_in() {
    let stage = Stage::set().await;
    let (invitation, secret) = invited(&stage, Role::Agent).await;
    let shown = preview(&stage, &secret).await.unwrap();
    assert_eq!(shown.organization_name, "Kedai Kopi");
    assert_eq!(
        (shown.email.as_str(), shown.has_account),
        ("g…@example.com", false)
    );
    assert_eq!(shown.role(), wire::Role::Agent);

    let joined = join(&stage, &secret).await.unwrap();
    assert_eq!(joined.organization_id, stage.organization.to_string());
    let logged_in = stage.world.log_in(GRACE).await;
    let token = logged_in.tokens.unwrap().access_token;
    let caller = stage.world.caller(&token).await.unwrap();
    assert_eq!(caller.role(), wire::Role::Agent);
    assert_eq!(caller.organization_id, stage.organization.to_string());
    let verified = "select from identity.users where email = 'grace@example.com' and email_verified_at is not null";
    assert_eq!(stage.count(verified).await, 1);
    let accepted = format!(
        "select from identity.invitations i join identity.users u on u.id = i.accepted_by
         where i.state = 'accepted' and u.email_key = '{GRACE}'"
    );
    assert_eq!(stage.count(&accepted).await, 1);
    assert_eq!(
        stage.world.events::<MemberJoined>().await[0].user_id,
        joined.user_id
    );
    assert_eq!(
        stage.audited().await,
        ["invitation.created", "member.joined"]
    );

    // V-01: a second time, and taking back what was accepted.
    assert_invalid(&stage, &secret).await;
    let invitation_id = invitation.id;
    let request = stage.owner.asks(RevokeInvitationRequest { invitation_id });
    let closed = stage.people().revoke_invitation(request).await.unwrap_err();
    assert_eq!(code(&closed), "precondition_failed");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_who_accept_one_invitation_at_once_are_one_member() {
    let stage = Stage::set().await;
    let (_, secret) = invited(&stage, Role::Agent).await;
    let (one, two) = tokio::join!(join(&stage, &secret), join(&stage, &secret));
    assert!(one.is_ok() != two.is_ok(), "{one:?} {two:?}");
    let members = "select from identity.memberships";
    assert_eq!(stage.count(members).await, 2);
}

/// V-01: an account is not taken over by whoever has the mail; its person must log in.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_has_an_account_accepts_when_logged_in_as_its_person() {
    let stage = Stage::set().await;
    let stranger = stage.stranger().await;
    stage
        .invite(&stage.owner, &stranger.email, Role::Viewer)
        .await
        .unwrap();
    let secret = stage.secret(&stranger.email, 1).await;
    assert!(preview(&stage, &secret).await.unwrap().has_account);
    let refused = join(&stage, &secret).await.unwrap_err();
    assert_eq!(code(&refused), "identity.email_taken");
    let refused = accept(&stage, &stage.owner, &secret).await.unwrap_err();
    assert_eq!(code(&refused), "identity.invitation_of_another");

    let joined = accept(&stage, &stranger, &secret).await.unwrap();
    assert_eq!(joined.user_id, stranger.id.to_string());
    assert_eq!(joined.role(), wire::Role::Viewer);
    assert_invalid(&stage, &secret).await;
}

/// V-01.
#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_that_was_taken_back_or_expired_lets_nobody_in() {
    let stage = Stage::set().await;
    let (invitation, secret) = invited(&stage, Role::Agent).await;
    let invitation_id = invitation.id;
    let request = stage.owner.asks(RevokeInvitationRequest { invitation_id });
    stage.people().revoke_invitation(request).await.unwrap();
    assert_invalid(&stage, &secret).await;

    let (_, secret) = (
        stage
            .invite(&stage.owner, "late@example.com", Role::Agent)
            .await
            .unwrap(),
        stage.secret("late@example.com", 1).await,
    );
    stage.world.hand.advance(Duration::from_hours(7 * 24));
    let expired = join(&stage, &secret).await.unwrap_err();
    assert_eq!(code(&expired), "identity.invitation_invalid");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_is_not_ours_opens_nothing() {
    let stage = Stage::set().await;
    let (_, secret) = invited(&stage, Role::Agent).await;
    let mut changed = secret.clone();
    let last = changed.pop().unwrap();
    changed.insert(changed.len() / 2, last);
    for wrong in [
        "x",
        "sbi_",
        &secret[..secret.len() - 1],
        &changed,
        &format!("{secret}A"),
    ] {
        assert_invalid(&stage, wrong).await;
    }
}

/// P-02.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_joins_chooses_no_password_that_would_be_guessed() {
    let stage = Stage::set().await;
    let (_, secret) = invited(&stage, Role::Agent).await;
    for guessable in ["passwordpassword", GRACE, "Kedai Kopi Kedai Kopi"] {
        let refused = join_with(&stage, &secret, guessable).await.unwrap_err();
        assert_eq!(code(&refused), "identity.password_guessable", "{guessable}");
    }
    join(&stage, &secret).await.unwrap();
}

/// V-01: what was promised is given only by who may give it now.
#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_is_worth_what_its_inviter_may_give_today() {
    let stage = Stage::set().await;
    let admin = stage.member("admin@example.com", Role::Admin).await;
    stage.invite(&admin, GRACE, Role::Admin).await.unwrap();
    let secret = stage.secret(GRACE, 1).await;
    let change = async |role: Role| {
        let request = ChangeMemberRoleRequest {
            user_id: admin.id.to_string(),
            role: wire::Role::from(role).into(),
            role_id: String::new(),
        };
        let request = stage.owner.asks(request);
        stage.people().change_member_role(request).await.unwrap();
    };
    change(Role::Agent).await;
    assert_invalid(&stage, &secret).await;
    // It was not used up by trying.
    change(Role::Admin).await;
    preview(&stage, &secret).await.unwrap();

    let user_id = admin.id.to_string();
    let request = stage.owner.asks(wire::RemoveMemberRequest { user_id });
    stage.people().remove_member(request).await.unwrap();
    assert_invalid(&stage, &secret).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_sends_an_invitation_again_answers_for_it() {
    let stage = Stage::set().await;
    let admin = stage.member("admin@example.com", Role::Admin).await;
    let invitation = stage.invite(&admin, GRACE, Role::Agent).await.unwrap();
    let secret = stage.secret(GRACE, 1).await;
    let user_id = admin.id.to_string();
    let request = stage.owner.asks(wire::RemoveMemberRequest { user_id });
    stage.people().remove_member(request).await.unwrap();
    assert_invalid(&stage, &secret).await;
    stage.world.hand.advance(Duration::from_mins(1));
    let invitation_id = invitation.id;
    let request = wire::ResendInvitationRequest { invitation_id };
    let mut people = stage.people();
    let resent = people.resend_invitation(stage.owner.asks(request));
    let resent = resent.await.unwrap().into_inner();
    assert_eq!(resent.invited_by, stage.owner.id.to_string());
    join(&stage, &secret).await.unwrap();
}

/// V-01: only the secret says which organization is joined.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_accepts_joins_the_organization_that_invited_and_no_other() {
    let stage = Stage::set().await;
    let stranger = stage.stranger().await;
    stage.invite(&stranger, GRACE, Role::Viewer).await.unwrap();
    let secret = stage.secret(GRACE, 1).await;
    join(&stage, &secret).await.unwrap();
    let members = format!(
        "select from identity.memberships where organization_id = '{}'",
        stage.organization.as_uuid()
    );
    assert_eq!(stage.count(&members).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_was_removed_and_belongs_nowhere_is_invited_like_anybody() {
    let stage = Stage::set().await;
    // An account without an organization, as one that is left until the sweep.
    stage.person(GRACE).await;
    let (_, secret) = invited(&stage, Role::Agent).await;
    join(&stage, &secret).await.unwrap();
    stage.world.log_in(GRACE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspended_organization_is_not_joined() {
    let stage = Stage::set().await;
    let (_, secret) = invited(&stage, Role::Agent).await;
    stage
        .world
        .execute("update identity.organizations set state = 'suspended'")
        .await;
    let refused = join(&stage, &secret).await.unwrap_err();
    assert_eq!(code(&refused), "identity.invitation_invalid");
}

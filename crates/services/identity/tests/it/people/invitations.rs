use std::time::Duration;

use auth::Role;
use ids::InvitationId;
use proto::identity::v1::{
    self as wire, InvitationState, ListInvitationsRequest, ResendInvitationRequest,
    RevokeInvitationRequest,
};
use tonic::{Code, Status};

use super::stage::{Person, Stage};
use crate::world::code;

const DAY: Duration = Duration::from_hours(24);

async fn resend(stage: &Stage, by: &Person, id: &str) -> Result<wire::Invitation, Status> {
    let invitation_id = id.to_owned();
    let request = by.asks(ResendInvitationRequest { invitation_id });
    Ok(stage
        .people()
        .resend_invitation(request)
        .await?
        .into_inner())
}

async fn revoke(stage: &Stage, by: &Person, id: &str) -> Result<wire::Invitation, Status> {
    let invitation_id = id.to_owned();
    let request = by.asks(RevokeInvitationRequest { invitation_id });
    Ok(stage
        .people()
        .revoke_invitation(request)
        .await?
        .into_inner())
}

async fn list(stage: &Stage, by: &Person, wanted: InvitationState) -> Vec<String> {
    let request = ListInvitationsRequest {
        state: wanted.into(),
        ..ListInvitationsRequest::default()
    };
    let listed = stage
        .people()
        .list_invitations(by.asks(request))
        .await
        .unwrap();
    let invitations = listed.into_inner().invitations;
    invitations.into_iter().map(|one| one.email).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_has_one_pending_invitation() {
    let stage = Stage::set().await;
    let invited = stage
        .invite(&stage.owner, "grace@example.com", Role::Agent)
        .await
        .unwrap();
    assert_eq!(invited.state(), InvitationState::Pending);
    assert_eq!(invited.invited_by, stage.owner.id.to_string());
    let again = stage
        .invite(&stage.owner, " GRACE@example.com", Role::Agent)
        .await;
    // A blank is not an address; another case is the same one.
    assert_eq!(code(&again.unwrap_err()), "request.invalid");
    let again = stage
        .invite(&stage.owner, "GRACE@example.com", Role::Viewer)
        .await;
    assert_eq!(code(&again.unwrap_err()), "identity.already_invited");
    let member = stage
        .invite(&stage.owner, &stage.owner.email, Role::Agent)
        .await;
    assert_eq!(code(&member.unwrap_err()), "identity.already_member");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_invitations_at_once_become_one() {
    let stage = Stage::set().await;
    let invite = || stage.invite(&stage.owner, "grace@example.com", Role::Agent);
    let (one, two, three) = tokio::join!(invite(), invite(), invite());
    let outcomes = [one, two, three];
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    for refused in outcomes.into_iter().filter_map(Result::err) {
        assert_eq!(code(&refused), "identity.already_invited");
    }
    let mails = "select from identity.jobs where payload->>'letter' = 'invitation'";
    assert_eq!(stage.count(mails).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_is_sent_again_with_the_same_link_once_a_minute() {
    let stage = Stage::set().await;
    let invited = stage
        .invite(&stage.owner, "grace@example.com", Role::Agent)
        .await
        .unwrap();
    let secret = stage.secret("grace@example.com", 1).await;
    let soon = resend(&stage, &stage.owner, &invited.id).await.unwrap_err();
    assert_eq!(code(&soon), "rate_limited");
    stage.world.hand.advance(Duration::from_mins(1));
    let resent = resend(&stage, &stage.owner, &invited.id).await.unwrap();
    let later = resent.expires_at.unwrap().seconds - invited.expires_at.unwrap().seconds;
    assert_eq!(later, 60);
    assert_eq!(stage.secret("grace@example.com", 2).await, secret);
}

#[tokio::test(flavor = "multi_thread")]
async fn invitations_are_listed_by_what_became_of_them() {
    let stage = Stage::set().await;
    stage
        .invite(&stage.owner, "old@example.com", Role::Agent)
        .await
        .unwrap();
    stage.world.hand.advance(7 * DAY);
    let owner = stage.log_in(stage.owner.id, &stage.owner.email).await;
    let gone = stage
        .invite(&owner, "gone@example.com", Role::Agent)
        .await
        .unwrap();
    stage
        .invite(&owner, "new@example.com", Role::Agent)
        .await
        .unwrap();
    let revoked = revoke(&stage, &owner, &gone.id).await.unwrap();
    assert_eq!(revoked.state(), InvitationState::Revoked);
    // Twice is once.
    revoke(&stage, &owner, &gone.id).await.unwrap();
    assert_eq!(
        list(&stage, &owner, InvitationState::Pending).await,
        ["new@example.com"]
    );
    assert_eq!(
        list(&stage, &owner, InvitationState::Expired).await,
        ["old@example.com"]
    );
    assert_eq!(
        list(&stage, &owner, InvitationState::Revoked).await,
        ["gone@example.com"]
    );
    assert!(
        list(&stage, &owner, InvitationState::Accepted)
            .await
            .is_empty()
    );
    assert_eq!(
        list(&stage, &owner, InvitationState::Unspecified)
            .await
            .len(),
        3
    );
    // An expired one does not stand in the way of a new one, a revoked one is not sent again.
    stage
        .invite(&owner, "old@example.com", Role::Viewer)
        .await
        .unwrap();
    stage.world.hand.advance(Duration::from_mins(1));
    let closed = resend(&stage, &owner, &gone.id).await.unwrap_err();
    assert_eq!(code(&closed), "precondition_failed");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_invites_somebody_who_may_more_and_programs_invite_nobody() {
    let stage = Stage::set().await;
    let admin = stage.member("admin@example.com", Role::Admin).await;
    let refused = stage.invite(&admin, "grace@example.com", Role::Owner).await;
    assert_eq!(code(&refused.unwrap_err()), "auth.forbidden");
    let invited = stage
        .invite(&stage.owner, "grace@example.com", Role::Owner)
        .await
        .unwrap();
    stage.world.hand.advance(Duration::from_mins(1));
    let refused = resend(&stage, &admin, &invited.id).await.unwrap_err();
    assert_eq!(code(&refused), "auth.forbidden");

    let key = stage
        .world
        .create_key(&stage.owner.token, Role::Admin, &[])
        .await
        .unwrap();
    let service = stage.world.service().await;
    let request = proto::identity::v1::ExchangeApiKeyRequest {
        secret: key.secret,
        ..Default::default()
    };
    let request = crate::world::as_caller(request, &service);
    let token = stage.identity().exchange_api_key(request).await.unwrap();
    let program = Person {
        token: token.into_inner().access_token,
        ..stage.owner.clone()
    };
    let refused = stage
        .invite(&program, "other@example.com", Role::Viewer)
        .await;
    assert_eq!(code(&refused.unwrap_err()), "precondition_failed");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_seat_is_taken_or_promised_once() {
    let stage = Stage::with_seats(Some(3)).await;
    let agent = stage.member("agent@example.com", Role::Agent).await;
    let (one, two) = tokio::join!(
        stage.invite(&stage.owner, "one@example.com", Role::Agent),
        stage.invite(&stage.owner, "two@example.com", Role::Agent),
    );
    assert!(one.is_ok() != two.is_ok());
    let (invited, refused) = if let Ok(invited) = one {
        (invited, two.unwrap_err())
    } else {
        (two.unwrap(), one.unwrap_err())
    };
    assert_eq!(code(&refused), "identity.no_seat");
    // A seat that is given back is free.
    revoke(&stage, &stage.owner, &invited.id).await.unwrap();
    stage
        .invite(&stage.owner, "three@example.com", Role::Agent)
        .await
        .unwrap();
    let user_id = agent.id.to_string();
    let request = wire::DeactivateMemberRequest {
        user_id: user_id.clone(),
    };
    stage
        .people()
        .deactivate_member(stage.owner.asks(request))
        .await
        .unwrap();
    stage
        .invite(&stage.owner, "four@example.com", Role::Agent)
        .await
        .unwrap();
    let request = stage.owner.asks(wire::ReactivateMemberRequest { user_id });
    let refused = stage.people().reactivate_member(request).await.unwrap_err();
    assert_eq!(code(&refused), "identity.no_seat");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_address_of_who_was_invited_is_forgotten_a_month_after_the_end() {
    let stage = Stage::set().await;
    for email in ["closed@example.com", "expired@example.com"] {
        let invited = stage.invite(&stage.owner, email, Role::Agent).await;
        if email.starts_with("closed") {
            let id = invited.unwrap().id;
            revoke(&stage, &stage.owner, &id).await.unwrap();
        }
    }
    let left = "select from identity.invitations";
    stage.world.hand.advance(29 * DAY);
    assert_eq!(stage.count(left).await, 2);
    testkit::eventually(Duration::from_secs(30), async || {
        stage.world.hand.advance(Duration::from_hours(1));
        stage.count(left).await == 1
    })
    .await;
    let expired = "select from identity.invitations where email = 'expired@example.com'";
    assert_eq!(stage.count(expired).await, 1, "for a week longer");
    testkit::eventually(Duration::from_secs(30), async || {
        stage.world.hand.advance(Duration::from_hours(1));
        stage.count(left).await == 0
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn invitations_of_others_are_as_unknown_as_none() {
    let stage = Stage::set().await;
    let stranger = stage.stranger().await;
    let foreign = stage
        .invite(&stranger, "grace@example.com", Role::Agent)
        .await
        .unwrap();
    for id in [foreign.id, InvitationId::generate().to_string()] {
        for status in [
            resend(&stage, &stage.owner, &id).await.unwrap_err(),
            revoke(&stage, &stage.owner, &id).await.unwrap_err(),
        ] {
            assert_eq!(status.code(), Code::NotFound);
        }
    }
    assert!(
        list(&stage, &stage.owner, InvitationState::Unspecified)
            .await
            .is_empty()
    );
}

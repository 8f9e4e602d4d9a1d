use ids::{InvitationId, LinkId, OrganizationId, SessionId, UserId};
use proptest::prelude::*;

use super::*;

const SECRET: &str = "sbl_secret";

fn letters() -> Vec<Letter> {
    let (organization_id, user_id) = (OrganizationId::min_at(1), UserId::min_at(1));
    let (link_id, invitation_id) = (LinkId::min_at(1), InvitationId::min_at(1));
    vec![
        Letter::Invitation {
            organization_id,
            invitation_id,
        },
        Letter::ResetPassword { link_id },
        Letter::VerifyEmail { link_id },
        Letter::AccountExists { user_id },
        Letter::PasswordChanged { user_id },
        Letter::MfaEnabled { user_id },
        Letter::MfaDisabled { user_id },
        Letter::AddressChanged {
            user_id,
            changed_at: DateTime::UNIX_EPOCH,
        },
        Letter::NewDevice {
            organization_id,
            session_id: SessionId::min_at(1),
        },
        Letter::OrganizationDeleted {
            organization_id,
            user_id,
        },
    ]
}

fn facts(name: &str, organization: &str, user_agent: &str) -> Facts {
    Facts {
        email: "ada@example.com".to_owned(),
        name: name.to_owned(),
        organization: organization.to_owned(),
        user_agent: user_agent.to_owned(),
        address: "203.0.113.9".to_owned(),
        at: DateTime::from_timestamp(1_760_000_000, 0).unwrap(),
    }
}

fn app() -> AppUrl {
    AppUrl::parse("https://app.example.com").unwrap()
}

fn written(letter: &Letter, facts: &Facts) -> (Words, String, String) {
    let words = words(letter, facts, &SECRET.into(), &app());
    let (html, text) = (words.html().unwrap(), words.text().unwrap());
    (words, html, text)
}

/// Addresses that the HTML leads to.
fn targets(html: &str) -> Vec<&str> {
    html.split("href=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect()
}

#[test]
fn each_letter_is_readable_as_html_and_as_text() {
    let facts = facts(
        "Ada Lovelace",
        "Kedai Kopi",
        "Mozilla/5.0 (X11; Linux) Firefox/140.0",
    );
    for letter in letters() {
        let (words, html, text) = written(&letter, &facts);
        assert!(!words.subject.is_empty() && words.subject.chars().count() < 140);
        assert!(
            html.contains("<html lang=\"en\">") && html.contains("<h1"),
            "{html}"
        );
        let action = words.action.as_ref().unwrap();
        assert_eq!(targets(&html), [action.url.as_str()], "one thing to do");
        assert!(action.url.starts_with("https://app.example.com/"));
        for said in words.paragraphs.iter().chain([&words.heading, &action.url]) {
            assert!(text.contains(said.as_str()), "{said} is missing in {text}");
        }
        assert!(text.contains(words.footer) && html.contains("Switchboard"));
        assert!(!html.contains("{{") && !text.contains("{{"));
        assert!(!text.contains("\n\n\n"), "{text:?}");
    }
}

#[test]
fn only_letters_with_a_link_carry_a_secret() {
    let facts = facts("Ada", "Kedai Kopi", "");
    let with: Vec<&str> = letters()
        .iter()
        .filter(|letter| written(letter, &facts).1.contains(SECRET))
        .map(Letter::name)
        .collect();
    assert_eq!(with, ["invitation", "reset_password", "verify_email"]);
}

#[test]
fn the_invitation_says_who_invites_whereto_and_until_when() {
    let invitation = &letters()[0];
    let (words, _, text) = written(invitation, &facts("Ada Lovelace", "Kedai Kopi", ""));
    assert_eq!(words.subject, "Ada Lovelace invites you to Kedai Kopi");
    assert_eq!(
        text,
        "Switchboard\n\nJoin Kedai Kopi on Switchboard\n\n\
         Ada Lovelace invites you to work with Kedai Kopi on Switchboard, where teams answer their customers on \
         WhatsApp.\n\nThe invitation is good until 9 October 2025, 08:53 UTC.\n\n\
         Accept the invitation:\nhttps://app.example.com/accept-invitation#secret=sbl_secret\n\n\
         -- \nIf you do not know what this is about, ignore it: nothing happens unless you accept."
    );
}

#[test]
fn hostile_names_are_text_and_bring_no_link() {
    let script = "<script>alert(1)</script>";
    let quote = "\"><img src=x onerror=alert(1)>";
    for (name, organization) in [
        (script, quote),
        (quote, script),
        ("{{ subject }}", "&lt;b&gt;"),
        ("Ada\r\nBcc: eve@evil.example", "https://evil.example/login"),
        (&*"<b>".repeat(1_000), &*"W".repeat(10_000)),
    ] {
        let facts = facts(name, organization, "<script>alert(1)</script> Chrome/1");
        for letter in letters() {
            let (words, html, text) = written(&letter, &facts);
            for markup in ["<script", "<img", "<b>", "evil.example"] {
                assert!(!html.contains(markup), "{markup} in {html}");
            }
            assert!(!text.contains("evil.example"), "{text}");
            assert!(words.subject.chars().count() < 150 && html.len() < 6_000);
            assert!(!words.subject.chars().any(char::is_control));
            assert_eq!(targets(&html).len(), 1);
        }
    }
}

#[test]
fn a_login_is_described_by_what_is_known_of_the_program() {
    for (user_agent, expected) in [
        (
            "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0",
            "Edge on Windows",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1",
            "Safari on iPhone",
        ),
        (
            "Mozilla/5.0 (Linux; Android 15) Chrome/140.0 Mobile Safari/537.36",
            "Chrome on Android",
        ),
        ("curl/8.0", "an unknown program"),
        ("https://evil.example", "an unknown program"),
    ] {
        assert_eq!(program(user_agent), expected);
    }
}

proptest! {
    #[test]
    fn whatever_people_call_themselves_the_markup_stays_ours(
        name in "[\\s\\S]{0,80}", organization in "[\\s\\S]{0,80}", user_agent in "[\\s\\S]{0,80}",
    ) {
        let count = |html: &str| html.matches('<').count();
        let hostile = facts(&name, &organization, &user_agent);
        for letter in letters() {
            let (_, plain, _) = written(&letter, &facts("Ada", "Kopi", ""));
            let (_, html, _) = written(&letter, &hostile);
            prop_assert_eq!(count(&html), count(&plain));
        }
    }
}

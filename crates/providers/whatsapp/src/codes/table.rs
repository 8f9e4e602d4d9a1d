//! The table. Sources: Meta's error code pages of November 2025 and September 2026.
//!
//! Safe to repeat by itself is only what is refused before it is processed. What Meta documents as
//! a server error without saying so may have been sent, and is marked unknown.

use std::time::Duration;

use super::{
    Class::{self, Never, PairBackoff, RetryNow, Unknown, Wait},
    Entry,
    Scope::{self, App, Credential, Message, Number, Recipient, Template, Waba},
};

const fn on(code: i64, class: Class, scope: Scope, hint: &'static str) -> Entry {
    within(code, code, class, scope, hint)
}

const fn within(first: i64, last: i64, class: Class, scope: Scope, hint: &'static str) -> Entry {
    Entry {
        first,
        last,
        class,
        scope,
        hint,
    }
}

const fn backoff(seconds: u64) -> Class {
    Class::Backoff {
        first: Duration::from_secs(seconds),
    }
}

/// One line a code, in rising order.
#[rustfmt::skip]
pub(super) const TABLE: &[Entry] = &[
    on(0, Wait, Credential, "WhatsApp could not authenticate the app. Check the access token."),
    on(1, Unknown, Message, "WhatsApp reported an unspecified error. The message may have been sent."),
    on(2, Unknown, Message, "WhatsApp had a temporary problem. The message may have been sent."),
    on(3, Never, App, "The app lacks a capability or permission. Check the app's permissions in Meta's dashboard."),
    on(4, backoff(60), App, "The app makes too many calls. Sending continues by itself more slowly."),
    on(10, Wait, Credential, "The permission was refused or taken back. Grant it again in Meta's dashboard."),
    on(17, backoff(60), Credential, "The user behind the token makes too many calls. Sending continues by itself more slowly."),
    on(32, backoff(60), App, "Too many calls for one page. Sending continues by itself more slowly."),
    on(33, Never, Number, "The phone number was deleted or is unknown to Meta. Connect the channel again."),
    on(100, Never, Message, "A parameter is not valid, or the token has no access to the object. See the details."),
    on(104, Wait, Credential, "The access token is missing, or the app demands a proof of its secret."),
    on(190, Wait, Credential, "The access token has expired or was revoked. Connect the channel with a new one."),
    within(200, 299, Wait, Credential, "A permission is missing: the account is not shared with the system user of the token."),
    on(368, Wait, Waba, "The account is blocked for a while because of a policy violation. See Meta's business support."),
    on(506, Never, Message, "The same message was posted just before."),
    on(613, backoff(60), App, "Too many calls of one kind. Sending continues by itself more slowly."),
    on(803, Never, Message, "There is no object with this id or name."),
    on(80_007, backoff(60), Waba, "The account makes too many calls. Sending continues by itself more slowly."),
    on(130_403, Never, Recipient, "Your business has blocked this user. Unblock the user first."),
    on(130_429, backoff(5), Number, "The number sends faster than it may. Sending continues by itself more slowly."),
    on(130_472, Never, Recipient, "Meta held this marketing message back for an experiment. There is nothing to correct."),
    on(130_497, Never, Waba, "The business may not write to users in this country."),
    on(131_000, Unknown, Message, "WhatsApp reported an unknown error. The message may have been sent."),
    on(131_005, Wait, Credential, "The token has no access to this number. Share the account with the system user of the token."),
    on(131_008, Never, Message, "A required parameter is missing. See the details."),
    on(131_009, Never, Message, "The value of a parameter is not valid. See the details."),
    on(131_016, Unknown, Message, "WhatsApp was overloaded or down. The message may have been sent."),
    on(131_021, Never, Recipient, "Sender and recipient are the same number."),
    on(131_026, Never, Recipient, "The message can't be delivered: the user is not on WhatsApp, has an old version, or has not accepted the terms."),
    on(131_030, Never, Recipient, "The recipient is not on the list of the test number. Add it in Meta's dashboard."),
    on(131_031, Wait, Waba, "The account is locked, or the two-step PIN is wrong. See the account's health in Meta's dashboard."),
    on(131_037, Wait, Number, "The display name of the number has to be approved first."),
    on(131_042, Wait, Waba, "There is a problem with the payment method. Correct it in Meta's billing settings."),
    on(131_044, Wait, Waba, "There is a problem with the payment method for calls. Correct it in Meta's billing settings."),
    on(131_045, Wait, Number, "The number is not registered correctly. Register it again."),
    on(131_047, Never, Message, "More than 24 hours have passed since the customer wrote. Send a template."),
    on(131_048, Wait, Number, "The number is limited because users reported or blocked it. Stop campaigns; retrying makes it worse."),
    on(131_049, Never, Recipient, "Meta did not deliver this marketing message because the user gets many. Do not repeat it within 24 hours."),
    on(131_050, Never, Recipient, "The user does not want marketing messages from this business."),
    on(131_051, Never, Message, "This type of message is not supported."),
    on(131_052, Never, Message, "The customer's media could not be fetched by WhatsApp."),
    on(131_053, Never, Message, "The media could not be used. Check its type, size and address."),
    on(131_055, Never, Message, "This way of sending takes only marketing templates."),
    on(131_056, PairBackoff, Recipient, "Too many messages to the same user in a short time. Sending continues by itself more slowly."),
    on(131_057, backoff(60), Number, "The number is being maintained or upgraded by Meta. Sending continues by itself."),
    on(131_059, Never, Message, "The place in the list has expired. Start again from the beginning."),
    on(131_062, Never, Recipient, "This message can only go to a phone number, not to a username."),
    on(131_063, Never, Waba, "Marketing templates are switched off for this way of sending."),
    on(131_064, Wait, Waba, "The account is limited because templates are in the wrong category. Correct them in Meta's dashboard."),
    within(131_200, 131_299, Never, Message, "WhatsApp refused something about a group. See the details."),
    on(132_000, Never, Template, "The number of parameters does not match the template. Refresh the templates."),
    on(132_001, Never, Template, "The template does not exist in this language or is not approved. Refresh the templates."),
    on(132_005, Never, Message, "The text is too long once the parameters are filled in."),
    on(132_007, Never, Template, "The template breaks a WhatsApp policy."),
    on(132_008, Never, Message, "The value of a template parameter is not valid."),
    on(132_012, Never, Template, "The format of a parameter does not match the template. Refresh the templates."),
    on(132_015, Wait, Template, "The template is paused because of its quality. Wait until it is active again."),
    on(132_016, Never, Template, "The template was disabled for good because of its quality. Use another one."),
    on(132_018, Never, Message, "The parameters do not fit the template."),
    on(132_068, Never, Message, "The flow is blocked."),
    on(132_069, Wait, Message, "The flow is limited because of its quality. Correct the flow."),
    on(133_000, backoff(60), Number, "An earlier deregistration is incomplete. Deregister the number once more."),
    on(133_004, backoff(60), App, "Meta's registration service is down for the moment."),
    on(133_005, Wait, Number, "The two-step PIN is wrong. Enter the right one; guesses are counted."),
    on(133_006, Wait, Number, "The number has to be verified by a code first."),
    on(133_008, Wait, Number, "The PIN was guessed wrong too often. Wait as long as the details say."),
    on(133_009, Wait, Number, "The PIN was entered too quickly. Wait as long as the details say."),
    on(133_010, Wait, Number, "The number is not registered. Register it."),
    on(133_015, backoff(300), Number, "The number was deleted just before. Registration is repeated after five minutes."),
    on(133_016, Wait, Number, "The number was registered too often. Wait 72 hours."),
    on(134_011, Wait, Waba, "The terms of payments have to be accepted first."),
    on(134_100, Never, Message, "This way of sending takes only marketing templates."),
    on(134_101, backoff(600), Template, "The template is not ready for this way of sending yet."),
    on(134_102, Wait, Waba, "This way of sending is not available to the account."),
    on(135_000, Never, Message, "Something about the request is wrong. See the details."),
    on(136_024, Wait, Number, "A verification code was asked for too often or already."),
    on(137_000, Wait, Recipient, "The recipient's key has changed. Confirm the recipient's identity first."),
    within(138_000, 138_999, Never, Message, "WhatsApp refused a call. See the details."),
    within(139_000, 139_004, Never, Message, "WhatsApp refused something about a flow. See the details."),
    on(139_102, RetryNow, Recipient, "The block list was being changed at the same time."),
    on(139_103, backoff(5), Recipient, "WhatsApp could not change the block list."),
    within(139_100, 139_199, Never, Recipient, "WhatsApp could not change the block list for some users."),
    on(141_002, Never, Template, "The template is not approved."),
    within(147_000, 147_099, Never, Number, "WhatsApp refused something about the username. See the details."),
    on(1_752_041, Never, Waba, "The account is signed up for marketing messages already."),
    within(2_388_000, 2_388_999, Never, Template, "WhatsApp refused the template. See the details."),
    on(2_494_055, backoff(5), Number, "The number sends faster than it may. Sending continues by itself more slowly."),
    on(2_494_100, backoff(60), Number, "The number is being maintained by Meta. Sending continues by itself."),
    within(2_593_107, 2_593_109, Never, Number, "The app's history can't be shared any more, or its owner declined."),
];

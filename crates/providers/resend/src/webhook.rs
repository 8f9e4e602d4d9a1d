//! What Resend tells us: whether a delivery is Resend's, and what it says.

mod event;
mod fields;
mod signature;

pub use self::{
    event::{Bounce, BounceKind, Event, EventKind, Malformed, Undeliverable},
    signature::{
        Headers, ID_HEADER, MAX_SECRETS, MAX_SIGNATURES, SIGNATURE_HEADER, SecretsError,
        SignatureError, SigningSecret, SigningSecrets, TIMESTAMP_HEADER, TOLERANCE,
    },
};

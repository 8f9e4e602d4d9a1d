//! Messages to send, in exactly the JSON the API wants, checked against Meta's limits before they
//! leave. The types also read that JSON, in every spelling of Meta's pages: so
//! Meta's own examples are held against them.
//!
//! An [`Outgoing`] is always within the limits: it is made by [`Draft::build`], which names every
//! field that is not.

mod card;
mod content;
mod interactive;
mod limits;
mod outgoing;
mod recipient;
mod template;

pub use card::{
    CardAddress, CardEmail, CardName, CardOrganization, CardPhone, CardUrl, ContactCard,
};
pub use content::{Content, Location, Media, Reaction, Source, Text};
pub use interactive::{
    CtaUrl, CtaUrlParameters, Flow, FlowParameters, Frame, Header, Interactive, Label, List,
    ListRow, ListSection, LocationRequest, Reply, ReplyButton, ReplyButtons, RequestContactInfo,
};
pub use limits::Violations;
pub use outgoing::{Draft, Outgoing};
pub use recipient::Recipient;
pub use template::{
    ButtonIndex, ButtonKind, Card, Component, Currency, DateTimeText, Language, LimitedTimeOffer,
    Parameter, ProductRef, Template,
};

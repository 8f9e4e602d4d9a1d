//! What a message must fill in, checked before WhatsApp is asked, and how it reads then.

use errors::FieldViolation;
use proto::messaging::v1::{
    HeaderFormat, ParameterFormat, TemplateButton, TemplateButtonKind, TemplateComponent,
    TemplateDefinition, TemplateHeader, TemplateParameter,
};

use super::places;

/// The field of what is missing altogether.
const COMPONENTS: &str = "components";

/// What is filled by itself: the whole, or a card.
struct Part<'d> {
    /// Begins what is said of it.
    name: String,
    header: Option<&'d TemplateHeader>,
    body: Vec<&'d str>,
    buttons: &'d [TemplateButton],
    offer: bool,
}

/// A component of the request and its place there.
type Given<'c> = (usize, &'c TemplateComponent);

/// Every parameter that is missing or wrong. Field names begin with `components`.
pub(crate) fn problems(
    definition: &TemplateDefinition,
    format: ParameterFormat,
    components: &[TemplateComponent],
) -> Vec<FieldViolation> {
    let mut found = Problems {
        named: format == ParameterFormat::Named,
        list: Vec::new(),
    };
    let whole = Part {
        name: "the".to_owned(),
        header: definition.header.as_ref(),
        body: body_places(definition),
        buttons: &definition.buttons,
        offer: !definition.limited_time_offer.is_empty(),
    };
    let of = |card: Option<u32>| -> Vec<Given<'_>> {
        let all = components.iter().enumerate();
        all.filter(|(_, component)| component.card == card)
            .collect()
    };
    found.part(&whole, &of(None));
    for (number, card) in (0..).zip(&definition.cards) {
        let part = Part {
            name: format!("card {number}: the"),
            header: card.header.as_ref(),
            body: places::names(&card.body),
            buttons: &card.buttons,
            offer: false,
        };
        found.part(&part, &of(Some(number)));
    }
    let cards = u32::try_from(definition.cards.len()).unwrap_or(u32::MAX);
    for (at, component) in components.iter().enumerate() {
        if component.card.is_some_and(|card| card >= cards) {
            let message = format!("the template has {cards} cards");
            found.add(format!("components[{at}].card"), message);
        }
    }
    found.list
}

/// The text as the customer reads it. Places that nothing fills stay.
pub(crate) fn text(definition: &TemplateDefinition, components: &[TemplateComponent]) -> String {
    let filled = |text: &str, kind: &str| {
        let parameters: &[TemplateParameter] = components
            .iter()
            .find(|component| component.r#type == kind && component.card.is_none())
            .map_or(&[], |component| &component.parameters);
        places::filled(text, |name| value(parameters, name))
    };
    let header = definition
        .header
        .as_ref()
        .map(|header| filled(&header.text, "header"))
        .unwrap_or_default();
    let lines = [
        header,
        filled(&definition.body, "body"),
        definition.footer.clone(),
    ];
    let lines: Vec<String> = lines.into_iter().filter(|line| !line.is_empty()).collect();
    lines.join("\n")
}

fn value<'p>(parameters: &'p [TemplateParameter], name: &str) -> Option<&'p str> {
    let named = parameters
        .iter()
        .find(|parameter| parameter.parameter_name == name);
    let by_position = || {
        let position = name.parse::<usize>().ok()?.checked_sub(1)?;
        parameters
            .get(position)
            .filter(|parameter| parameter.parameter_name.is_empty())
    };
    named
        .or_else(by_position)
        .map(|parameter| parameter.text.as_str())
}

/// Meta's own text of an authentication template has one place, the code, and is not always shown.
fn body_places(definition: &TemplateDefinition) -> Vec<&str> {
    let has_code = definition
        .buttons
        .iter()
        .any(|button| button.kind() == TemplateButtonKind::Otp);
    if definition.body.is_empty() && has_code {
        return vec!["1"];
    }
    places::names(&definition.body)
}

fn first<'c>(given: &[Given<'c>], kind: &str) -> Option<Given<'c>> {
    given
        .iter()
        .find(|(_, component)| component.r#type == kind)
        .copied()
}

struct Problems {
    named: bool,
    list: Vec<FieldViolation>,
}

impl Problems {
    fn add(&mut self, field: String, message: impl Into<String>) {
        self.list.push(FieldViolation::new(field, message.into()));
    }

    fn part(&mut self, part: &Part<'_>, given: &[Given<'_>]) {
        self.header(part, first(given, "header"));
        self.texts(part, "body", &part.body, first(given, "body"));
        let ends = first(given, "limited_time_offer")
            .and_then(|(_, offer)| offer.parameters.first())
            .is_some_and(|parameter| parameter.expires_at.is_some());
        if part.offer && !ends {
            let message = "the limited_time_offer needs one parameter of type expiration with its `expiresAt`";
            self.add(COMPONENTS.to_owned(), message);
        }
        self.buttons(part, given);
        for (at, component) in given {
            let kind = component.r#type.as_str();
            let twice =
                kind != "button" && first(given, kind).is_some_and(|(other, _)| other != *at);
            if twice || (kind == "limited_time_offer" && !part.offer) {
                let message = format!("{} template takes no such {kind}", part.name);
                self.add(format!("components[{at}]"), message);
            }
        }
    }

    fn header(&mut self, part: &Part<'_>, given: Option<Given<'_>>) {
        let format = part
            .header
            .map_or(HeaderFormat::Unspecified, TemplateHeader::format);
        let kind = match format {
            HeaderFormat::Image => "image",
            HeaderFormat::Video => "video",
            HeaderFormat::Document => "document",
            HeaderFormat::Location => "location",
            HeaderFormat::Text | HeaderFormat::Unspecified => {
                let text = part.header.map_or("", |header| header.text.as_str());
                self.texts(part, "header", &places::names(text), given);
                return;
            }
        };
        let fits = given.is_some_and(|(_, component)| {
            let [parameter] = component.parameters.as_slice() else {
                return false;
            };
            parameter.r#type == kind && (kind != "location" || parameter.location.is_some())
        });
        if !fits {
            // Meta: a media header needs its parameter on every send.
            let message = format!("{} header needs one parameter of type {kind}", part.name);
            self.add(path_of(given), message);
        }
    }

    fn texts(&mut self, part: &Part<'_>, what: &str, places: &[&str], given: Option<Given<'_>>) {
        let parameters = given.map_or(&[][..], |(_, component)| &component.parameters);
        let (field, name) = (path_of(given), &part.name);
        if parameters.iter().any(|one| one.r#type != "text") {
            self.add(
                field,
                format!("{name} {what} takes parameters of type text only"),
            );
            return;
        }
        if !self.named {
            if parameters.len() != places.len() {
                let (wanted, got) = (places.len(), parameters.len());
                let message = format!("{name} {what} needs {wanted} parameters and got {got}");
                self.add(field, message);
            }
            return;
        }
        for place in places {
            if !parameters.iter().any(|one| one.parameter_name == *place) {
                let message = format!("{name} {what} needs a parameter named {place}");
                self.add(field.clone(), message);
            }
        }
        for (at, one) in parameters.iter().enumerate() {
            if !places.contains(&one.parameter_name.as_str()) {
                let field = format!("{field}[{at}].parameterName");
                self.add(field, format!("{name} {what} has no place of this name"));
            }
        }
    }

    fn buttons(&mut self, part: &Part<'_>, given: &[Given<'_>]) {
        let of =
            |component: &TemplateComponent| usize::try_from(component.index).unwrap_or(usize::MAX);
        for (index, button) in part.buttons.iter().enumerate() {
            let Some((sub_type, kind)) = needed(button) else {
                continue;
            };
            let fits = given.iter().any(|(_, one)| {
                one.r#type == "button"
                    && one.sub_type == sub_type
                    && of(one) == index
                    && matches!(one.parameters.as_slice(), [parameter] if parameter.r#type == kind)
            });
            if !fits {
                let message = format!(
                    "{} button {index} needs subType {sub_type} with one parameter of type {kind}",
                    part.name
                );
                self.add(COMPONENTS.to_owned(), message);
            }
        }
        for (at, one) in given {
            if one.r#type == "button" && of(one) >= part.buttons.len() {
                let message = format!("{} template has {} buttons", part.name, part.buttons.len());
                self.add(format!("components[{at}].index"), message);
            }
        }
    }
}

/// What a button must be given: how a send calls it, and the type of its parameter.
fn needed(button: &TemplateButton) -> Option<(&'static str, &'static str)> {
    match button.kind() {
        TemplateButtonKind::Url if !places::names(&button.url).is_empty() => Some(("url", "text")),
        TemplateButtonKind::CopyCode => Some(("copy_code", "coupon_code")),
        // A button of a one-time code is filled like an address.
        TemplateButtonKind::Otp => Some(("url", "text")),
        TemplateButtonKind::Url
        | TemplateButtonKind::QuickReply
        | TemplateButtonKind::PhoneNumber
        | TemplateButtonKind::Flow
        | TemplateButtonKind::Unspecified => None,
    }
}

fn path_of(given: Option<Given<'_>>) -> String {
    match given {
        Some((at, _)) => format!("components[{at}].parameters"),
        None => COMPONENTS.to_owned(),
    }
}

#[cfg(test)]
mod tests;

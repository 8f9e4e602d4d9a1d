//! Template messages.

use std::fmt;

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, Visitor},
};
use serde_json::Value;

use super::{
    content::{Location, Media, Parts},
    limits::Check,
};

kept_private!(Parameter, Currency, DateTimeText);

/// A template with what fills its places. A media header needs its parameter on every send.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Template {
    /// Its name.
    pub name: String,
    /// In which language.
    pub language: Language,
    /// What fills its places; static parts need nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub components: Vec<Component>,
}

/// A language as the API writes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Language {
    /// `en_US`, `de`, …
    pub code: String,
}

/// A part of a template.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Component {
    /// The header: one text, media or place.
    Header {
        /// What fills it.
        parameters: Vec<Parameter>,
    },
    /// The text.
    Body {
        /// What fills it: all by position, or all by name.
        parameters: Vec<Parameter>,
    },
    /// A button with a variable part.
    Button {
        /// Which kind.
        sub_type: ButtonKind,
        /// Its place among all buttons.
        index: ButtonIndex,
        /// What fills it.
        parameters: Vec<Parameter>,
    },
    /// An offer's end.
    LimitedTimeOffer {
        /// The end.
        parameters: Vec<Parameter>,
    },
    /// Cards side by side.
    Carousel {
        /// The cards.
        cards: Vec<Card>,
    },
}

/// A card of a carousel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Card {
    /// Its place, from 0.
    pub card_index: u32,
    /// What fills it.
    pub components: Vec<Component>,
}

/// Which kind of button. Meta's pages also write some of them in capitals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ButtonKind {
    /// Answers with a payload.
    #[serde(alias = "QUICK_REPLY")]
    QuickReply,
    /// Opens an address with a variable end.
    #[serde(alias = "URL")]
    Url,
    /// Copies a code.
    #[serde(alias = "COPY_CODE")]
    CopyCode,
    /// Opens a flow.
    #[serde(alias = "FLOW")]
    Flow,
    /// Opens the catalogue.
    #[serde(alias = "CATALOG")]
    Catalog,
    /// Shows several products.
    #[serde(alias = "MPM")]
    Mpm,
    /// Shows one product.
    #[serde(alias = "SPM")]
    Spm,
    /// Starts a call.
    #[serde(alias = "VOICE_CALL")]
    VoiceCall,
    /// Shows an order.
    #[serde(alias = "ORDER_DETAILS")]
    OrderDetails,
}

/// The place of a button among all buttons, from 0. Written as a text; read from either.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ButtonIndex(pub u8);

impl Serialize for ButtonIndex {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for ButtonIndex {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Index;
        impl Visitor<'_> for Index {
            type Value = ButtonIndex;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a small number")
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<ButtonIndex, E> {
                u8::try_from(number).map(ButtonIndex).map_err(E::custom)
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<ButtonIndex, E> {
                text.parse().map(ButtonIndex).map_err(E::custom)
            }
        }
        deserializer.deserialize_any(Index)
    }
}

/// What fills a place.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Parameter {
    /// Text.
    Text {
        /// For templates with named places.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        parameter_name: Option<String>,
        /// The text.
        text: String,
    },
    /// An amount, shown in the user's format.
    Currency {
        /// The amount.
        currency: Currency,
    },
    /// A date, shown as given.
    DateTime {
        /// The date.
        date_time: DateTimeText,
    },
    /// A picture.
    Image {
        /// The picture.
        image: Media,
    },
    /// A video.
    Video {
        /// The video.
        video: Media,
    },
    /// A document.
    Document {
        /// The document.
        document: Media,
    },
    /// A place.
    Location {
        /// The place.
        location: Location,
    },
    /// A product.
    Product {
        /// The product.
        product: ProductRef,
    },
    /// What a quick reply answers.
    Payload {
        /// Comes back when it is tapped.
        payload: String,
    },
    /// A code to copy.
    CouponCode {
        /// Up to 20 characters.
        coupon_code: String,
    },
    /// Flow, catalogue and order buttons.
    Action {
        /// As the API documents it for the kind of button.
        action: Value,
    },
    /// An offer's end.
    LimitedTimeOffer {
        /// The end.
        limited_time_offer: LimitedTimeOffer,
    },
}

/// An amount.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Currency {
    /// Shown where the amount can't be formatted.
    pub fallback_value: String,
    /// ISO 4217.
    pub code: String,
    /// Thousandths of the unit.
    pub amount_1000: i64,
}

/// A date as text.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DateTimeText {
    /// The text.
    pub fallback_value: String,
}

/// A product of a catalogue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProductRef {
    /// The catalogue.
    pub catalog_id: String,
    /// The seller's own id.
    pub product_retailer_id: String,
}

/// When an offer ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LimitedTimeOffer {
    /// Unix milliseconds, a point in time (one of Meta's examples shows a duration).
    pub expiration_time_ms: i64,
}

impl Template {
    pub(crate) fn check(&self, check: &mut Check) {
        check.field("name", |check| {
            let lower =
                |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
            if self.name.is_empty() || !self.name.bytes().all(lower) {
                check.wrong("must be lower-case letters, digits and underscores");
            }
            check.max(&self.name, 512);
        });
        check.field("language.code", |check| {
            let code = &self.language.code;
            let letters = code
                .bytes()
                .all(|byte| byte.is_ascii_alphabetic() || byte == b'_');
            if !(2..=10).contains(&code.len()) || !letters {
                check.wrong("must be a language such as en_US");
            }
        });
        check.each("components", &self.components, |check, component| {
            component.check(check, true);
        });
    }
}

impl Component {
    fn check(&self, check: &mut Check, may_hold_cards: bool) {
        match self {
            Self::Header { parameters } => {
                check.count("parameters", parameters, 1, 1);
                Self::check_parameters(check, parameters);
            }
            Self::Body { parameters } | Self::LimitedTimeOffer { parameters } => {
                check.count("parameters", parameters, 1, 1000);
                Self::check_parameters(check, parameters);
            }
            Self::Button {
                index, parameters, ..
            } => {
                // Meta: a template has at most 10 buttons.
                if index.0 > 9 {
                    check.field("index", |check| check.wrong("must be 0 to 9"));
                }
                Self::check_parameters(check, parameters);
            }
            Self::Carousel { cards } if may_hold_cards => {
                check.count("cards", cards, 1, 10);
                check.each("cards", cards, |check, card| {
                    check.each("components", &card.components, |check, component| {
                        component.check(check, false);
                    });
                });
            }
            Self::Carousel { .. } => check.wrong("a card can't hold cards"),
        }
    }

    fn check_parameters(check: &mut Check, parameters: &[Parameter]) {
        check.each("parameters", parameters, |check, parameter| {
            parameter.check(check);
        });
        let named = |parameter: &Parameter| {
            matches!(
                parameter,
                Parameter::Text {
                    parameter_name: Some(_),
                    ..
                }
            )
        };
        let count = parameters
            .iter()
            .filter(|parameter| named(parameter))
            .count();
        if count != 0 && count != parameters.len() {
            check.field("parameters", |check| {
                check.wrong("must all have a parameter_name, or none");
            });
        }
    }
}

impl Parameter {
    fn check(&self, check: &mut Check) {
        match self {
            Self::Text {
                parameter_name,
                text,
            } => {
                check.optional("parameter_name", parameter_name.as_ref(), 512);
                check_filling(check, "text", text);
            }
            Self::Currency { currency } => {
                check_filling(check, "currency.fallback_value", &currency.fallback_value);
                let iso = currency.code.len() == 3
                    && currency.code.bytes().all(|byte| byte.is_ascii_uppercase());
                check.absent("currency.code", !iso, "must be a currency such as EUR");
            }
            Self::DateTime { date_time } => {
                check_filling(check, "date_time.fallback_value", &date_time.fallback_value);
            }
            Self::Image { image } => check.field("image", |check| image.check(check, Parts::NONE)),
            Self::Video { video } => check.field("video", |check| video.check(check, Parts::NONE)),
            Self::Document { document } => {
                check.field("document", |check| document.check(check, Parts::FILENAME));
            }
            Self::Location { location } => check.field("location", |check| location.check(check)),
            Self::Product { product } => {
                check.text("product.catalog_id", &product.catalog_id, 128);
                check.text(
                    "product.product_retailer_id",
                    &product.product_retailer_id,
                    512,
                );
            }
            Self::Payload { payload } => check.text("payload", payload, 256),
            Self::CouponCode { coupon_code } => check.text("coupon_code", coupon_code, 20),
            Self::Action { .. } => {}
            Self::LimitedTimeOffer { limited_time_offer } => {
                check.field("limited_time_offer.expiration_time_ms", |check| {
                    if limited_time_offer.expiration_time_ms <= 0 {
                        check.wrong("must be a point in time");
                    }
                });
            }
        }
    }
}

/// Meta refuses texts with line breaks, tabs or more than four blanks in a row, and empty ones.
fn check_filling(check: &mut Check, name: &str, text: &str) {
    check.text(name, text, 1024);
    check.field(name, |check| {
        if text.contains(['\n', '\r', '\t']) || text.contains("     ") {
            check.wrong("must have no line breaks, tabs or more than four blanks in a row");
        }
    });
}

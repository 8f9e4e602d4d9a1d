//! Good responses, changed at random. Whatever is still accepted says what was signed.

use std::ops::Range;

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use roxmltree::Document;
use saml::Assertion;

use crate::documents::{ENTITY_ID, Parts};
use crate::world::{SIGNED, World};

const DOCUMENTS: usize = 10_000;
const SEED: u64 = 0x5a4d_4c32;

/// Texts an attacker would like to see somewhere.
const WORDS: &[&str] = &[
    "eve@corp.example",
    "_a",
    "_r",
    "_request",
    "#_a",
    "#_r",
    "#",
    "",
    "admins",
    "https://other.example/sp",
    ENTITY_ID,
    "urn:oasis:names:tc:SAML:2.0:status:Success",
    "urn:oasis:names:tc:SAML:2.0:assertion",
    "urn:oasis:names:tc:SAML:2.0:protocol",
    "http://www.w3.org/2000/09/xmldsig#",
    "http://www.w3.org/2000/09/xmldsig#enveloped-signature",
    "http://www.w3.org/2001/10/xml-exc-c14n#WithComments",
    "2099-01-01T00:00:00Z",
];
const NAMES: &[&str] = &[
    "ID",
    "Id",
    "xml:id",
    "saml:ID",
    "URI",
    "Format",
    "Name",
    "xmlns",
    "xmlns:saml",
    "xmlns:samlp",
    "xmlns:ds",
    "xmlns:x",
];
const BETWEEN: &[&str] = &[
    "<!-- x -->",
    "<?x y?>",
    "<![CDATA[x]]>",
    " ",
    "eve",
    "&#x41;",
    "<saml:Advice/>",
    "<saml:Audience>https://other.example/sp</saml:Audience>",
    "<saml:NameID>eve@corp.example</saml:NameID>",
];

/// Where things are in a document.
struct Places {
    /// Without the root.
    elements: Vec<Range<usize>>,
    attributes: Vec<Range<usize>>,
    values: Vec<Range<usize>>,
    texts: Vec<Range<usize>>,
}

impl Places {
    fn of(xml: &str) -> Option<Self> {
        let document = Document::parse(xml).ok()?;
        let mut places = Self {
            elements: Vec::new(),
            attributes: Vec::new(),
            values: Vec::new(),
            texts: Vec::new(),
        };
        for node in document.descendants() {
            if node.is_element() && node != document.root_element() {
                places.elements.push(node.range());
            }
            if node.is_text() {
                places.texts.push(node.range());
            }
            for attribute in node.attributes() {
                places.attributes.push(attribute.range());
                places.values.push(attribute.range_value());
            }
        }
        Some(places)
    }
}

fn mutate(xml: &str, random: &mut StdRng) -> String {
    let Some(places) = Places::of(xml) else {
        return flip(xml, random);
    };
    let word = *WORDS.choose(random).expect("some");
    let element = places.elements.choose(random).cloned().unwrap_or(0..0);
    let other = places.elements.choose(random).cloned().unwrap_or(0..0);
    let attribute = places.attributes.choose(random).cloned().unwrap_or(0..0);
    let copy = xml[element.clone()].to_owned();
    match random.random_range(0..13) {
        0 => flip(xml, random),
        1 => replaced(xml, element, ""),
        2 => inserted(xml, element.end, &copy),
        3 => inserted(xml, other.start, &copy),
        4 => inserted(xml, end_of_content(xml, &other), &copy),
        5 => swapped(xml, element, other),
        6 => replaced(xml, other, &copy),
        7 => replaced(
            xml,
            places.values.choose(random).cloned().unwrap_or(0..0),
            word,
        ),
        8 => replaced(xml, attribute, ""),
        9 => {
            let name = NAMES.choose(random).expect("some");
            inserted(xml, attribute.start, &format!("{name}=\"{word}\" "))
        }
        10 => replaced(
            xml,
            places.texts.choose(random).cloned().unwrap_or(0..0),
            word,
        ),
        11 => {
            let at = places
                .texts
                .choose(random)
                .map_or(0, |text| random.random_range(text.clone()));
            inserted(
                xml,
                boundary(xml, at),
                BETWEEN.choose(random).expect("some"),
            )
        }
        _ => inserted(xml, element.start, BETWEEN.choose(random).expect("some")),
    }
}

fn flip(xml: &str, random: &mut StdRng) -> String {
    let at = boundary(xml, random.random_range(0..xml.len()));
    let byte = char::from(random.random_range(0x20..0x7f_u8));
    let next = boundary(xml, at + 1);
    replaced(xml, at..next.max(at), &byte.to_string())
}

fn boundary(xml: &str, at: usize) -> usize {
    (0..=at.min(xml.len()))
        .rev()
        .find(|at| xml.is_char_boundary(*at))
        .unwrap_or(0)
}

fn replaced(xml: &str, range: Range<usize>, by: &str) -> String {
    format!("{}{by}{}", &xml[..range.start], &xml[range.end..])
}

fn inserted(xml: &str, at: usize, text: &str) -> String {
    replaced(xml, at..at, text)
}

/// Before the end tag, or behind an element that has none.
fn end_of_content(xml: &str, element: &Range<usize>) -> usize {
    let text = &xml[element.clone()];
    if text.ends_with("/>") {
        element.end
    } else {
        element.start + text.rfind("</").unwrap_or(0)
    }
}

fn swapped(xml: &str, one: Range<usize>, other: Range<usize>) -> String {
    let (first, second) = if one.start < other.start {
        (one, other)
    } else {
        (other, one)
    };
    if first.end > second.start {
        // One is in the other: it takes its place.
        return replaced(xml, first, &xml[second]);
    }
    format!(
        "{}{}{}{}{}",
        &xml[..first.start],
        &xml[second.clone()],
        &xml[first.end..second.start],
        &xml[first],
        &xml[second.end..],
    )
}

#[test]
fn what_is_accepted_is_what_was_signed() {
    let mut world = World::start();
    let originals: Vec<(String, Assertion)> = SIGNED
        .iter()
        .map(|ids| {
            let xml = world.signed(&Parts::default(), ids);
            let said = world.verify(&xml).expect("good");
            (xml, said)
        })
        .collect();
    let mut random = StdRng::seed_from_u64(SEED);
    let (mut accepted, mut to_crypto) = (0, 0);
    for number in 0..DOCUMENTS {
        let (xml, said) = &originals[number % originals.len()];
        let mut changed = mutate(xml, &mut random);
        for _ in 0..random.random_range(0..3) {
            changed = mutate(&changed, &mut random);
        }
        match world.verify(&changed) {
            // The audience is in what was compared: it is accepted only if it is ours.
            Ok(assertion) => {
                accepted += 1;
                assert_eq!(
                    assertion, *said,
                    "document {number} of seed {SEED:#x}: {changed}"
                );
            }
            Err(refusal) => to_crypto += usize::from(refusal.reason() == "invalid_signature"),
        }
    }
    // Otherwise the test would show nothing: some changes are harmless, and many get as far as the signature.
    assert!(accepted > 20, "{accepted}");
    assert!(to_crypto > 500, "{to_crypto}");
    println!("{accepted} of {DOCUMENTS} accepted, {to_crypto} refused by their signature");
}

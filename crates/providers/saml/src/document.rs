//! What a document may look like before any XML parser sees it.
//!
//! `libxml2`, which verifies, and `roxmltree`, which reads, agree on plain elements, attributes and text. Document
//! types, entities, CDATA, comments and processing instructions are where parsers part, and no identity provider
//! needs them. In well-formed XML they all begin with `<!` or `<?`, so they are found without parsing.

use roxmltree::{Document, Node, ParsingOptions};

/// The largest document, decoded. A response with 150 groups has about 40 kB.
pub const MAX_BYTES: usize = 256 * 1024;
/// How deep elements may nest.
pub const MAX_DEPTH: usize = 64;
/// Elements of a document.
pub const MAX_ELEMENTS: usize = 4096;
/// Attributes of a document, namespace declarations included.
pub const MAX_ATTRIBUTES: usize = 8192;
/// Attributes of one element, namespace declarations included. Parsers compare each with each.
pub const MAX_ATTRIBUTES_OF_ELEMENT: usize = 64;
/// Namespace declarations of a document. Some providers write two at each attribute value.
pub const MAX_NAMESPACES: usize = 1024;
/// Bytes of one start tag's name.
pub const MAX_NAME: usize = 128;

/// Why a document is not read at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DocumentFault {
    /// More than [`MAX_BYTES`].
    #[error("the document is larger than {} kB", MAX_BYTES / 1024)]
    TooLarge,
    /// Another encoding.
    #[error("the document is not UTF-8")]
    NotUtf8,
    /// `<!DOCTYPE`, which is how entities get in.
    #[error("the document has a document type declaration (DOCTYPE), which is not allowed")]
    Doctype,
    /// `<!--` where none may be, or one that does not end.
    #[error("the document contains a comment, which is not allowed here")]
    Comment,
    /// `<![CDATA[` or anything else after `<!`.
    #[error("the document contains a CDATA section, which is not allowed")]
    Cdata,
    /// `<?` other than the declaration at the start.
    #[error("the document contains a processing instruction, which is not allowed")]
    ProcessingInstruction,
    /// An XML declaration of another version or encoding.
    #[error("the XML declaration does not say version 1.0 and UTF-8")]
    Declaration,
    /// More than [`MAX_DEPTH`].
    #[error("elements are nested deeper than {MAX_DEPTH}")]
    TooDeep,
    /// More than [`MAX_ELEMENTS`].
    #[error("the document has more than {MAX_ELEMENTS} elements")]
    TooManyElements,
    /// More than [`MAX_ATTRIBUTES`] or [`MAX_NAMESPACES`], or [`MAX_ATTRIBUTES_OF_ELEMENT`] at one element.
    #[error("the document has too many attributes or namespace declarations")]
    TooManyAttributes,
    /// More than [`MAX_NAME`].
    #[error("the name of an element is longer than {MAX_NAME} bytes")]
    NameTooLong,
    /// Not XML.
    #[error("the document is not well-formed XML")]
    NotWellFormed,
    /// A relative namespace name: canonicalisation fails on it, and an empty result has a known digest.
    #[error("a namespace is not named by an absolute URI")]
    RelativeNamespace,
    /// `xml:base`, `xml:id` and others that change what the rest means.
    #[error(
        "the document uses an attribute of the xml namespace other than xml:lang and xml:space"
    )]
    XmlAttribute,
}

impl DocumentFault {
    /// A stable word for logs and traces.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::TooLarge => "too_large",
            Self::NotUtf8 => "not_utf8",
            Self::Doctype => "doctype",
            Self::Comment => "comment",
            Self::Cdata => "cdata",
            Self::ProcessingInstruction => "processing_instruction",
            Self::Declaration => "xml_declaration",
            Self::TooDeep => "too_deep",
            Self::TooManyElements => "too_many_elements",
            Self::TooManyAttributes => "too_many_attributes",
            Self::NameTooLong => "name_too_long",
            Self::NotWellFormed => "not_well_formed",
            Self::RelativeNamespace => "relative_namespace",
            Self::XmlAttribute => "xml_attribute",
        }
    }
}

/// Whether a document may have comments: metadata that people edit has, a signed message has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comments {
    Allowed,
    Refused,
}

/// The text of a document that may be parsed.
///
/// # Errors
/// [`DocumentFault`] for anything that is not plain, small XML.
pub(crate) fn screen(bytes: &[u8], comments: Comments) -> Result<&str, DocumentFault> {
    if bytes.len() > MAX_BYTES {
        return Err(DocumentFault::TooLarge);
    }
    let text = std::str::from_utf8(bytes).map_err(|_| DocumentFault::NotUtf8)?;
    if text.matches("xmlns").count() > MAX_NAMESPACES {
        return Err(DocumentFault::TooManyAttributes);
    }
    Scan::default().document(after_declaration(text)?, comments)?;
    Ok(text)
}

/// The tree of a screened document.
///
/// # Errors
/// [`DocumentFault`] if it is not well-formed or has names that canonicalisation stumbles on.
pub(crate) fn parse(text: &str) -> Result<Document<'_>, DocumentFault> {
    let options = ParsingOptions {
        allow_dtd: false,
        ..ParsingOptions::default()
    };
    let document =
        Document::parse_with_options(text, options).map_err(|_| DocumentFault::NotWellFormed)?;
    for element in document.descendants().filter(Node::is_element) {
        check_names(element)?;
    }
    Ok(document)
}

fn check_names(element: Node<'_, '_>) -> Result<(), DocumentFault> {
    if element
        .namespaces()
        .any(|namespace| !is_absolute(namespace.uri()))
    {
        return Err(DocumentFault::RelativeNamespace);
    }
    let harmless = |name: &str| matches!(name, "lang" | "space");
    if element.attributes().any(|attribute| {
        attribute.namespace() == Some(roxmltree::NS_XML_URI) && !harmless(attribute.name())
    }) {
        return Err(DocumentFault::XmlAttribute);
    }
    Ok(())
}

/// A scheme, a colon, and something after it. Empty un-declares the default namespace.
fn is_absolute(uri: &str) -> bool {
    uri.is_empty()
        || uri.split_once(':').is_some_and(|(scheme, rest)| {
            !rest.is_empty()
                && scheme.starts_with(|first: char| first.is_ascii_alphabetic())
                && scheme
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
        })
}

fn after_declaration(text: &str) -> Result<&str, DocumentFault> {
    let Some(rest) = text.strip_prefix("<?xml") else {
        return Ok(text);
    };
    let (declaration, document) = rest.split_once("?>").ok_or(DocumentFault::NotWellFormed)?;
    let plain = declaration.replace('\'', "\"").to_ascii_lowercase();
    let encoding = plain.split_once("encoding").map(|(_, value)| value);
    let is_utf8 = encoding.is_none_or(|value| {
        value
            .trim_start_matches([' ', '\t', '\r', '\n', '='])
            .starts_with("\"utf-8\"")
    });
    if plain.contains("\"1.0\"") && is_utf8 {
        Ok(document)
    } else {
        Err(DocumentFault::Declaration)
    }
}

/// Counts tags and attributes. It need not find every fault of the document, the parser does; it must only never
/// count less than a parser would.
#[derive(Default)]
struct Scan {
    depth: usize,
    elements: usize,
    attributes: usize,
}

impl Scan {
    fn document(&mut self, text: &str, comments: Comments) -> Result<(), DocumentFault> {
        let mut rest = text;
        while let Some(at) = rest.find('<') {
            rest = &rest[at + 1..];
            rest = match rest.as_bytes().first() {
                Some(b'!') => after_comment(rest, comments)?,
                Some(b'?') => return Err(DocumentFault::ProcessingInstruction),
                Some(b'/') => {
                    self.depth = self.depth.saturating_sub(1);
                    rest
                }
                _ => self.start_tag(rest)?,
            };
        }
        Ok(())
    }

    /// From behind the `<` to behind the `>`.
    fn start_tag<'text>(&mut self, text: &'text str) -> Result<&'text str, DocumentFault> {
        let mut of_element = 0;
        let mut quote = None;
        let bytes = text.as_bytes();
        let name_ends = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b'/' | b'>');
        if bytes.iter().position(name_ends).unwrap_or(bytes.len()) > MAX_NAME {
            return Err(DocumentFault::NameTooLong);
        }
        for (at, &byte) in bytes.iter().enumerate() {
            match (quote, byte) {
                (None, b'"' | b'\'') => quote = Some(byte),
                (Some(open), _) if open == byte => quote = None,
                (None, b'=') => of_element += 1,
                // Not well-formed in a value either, but then it must not hide a tag from the counting.
                (_, b'<') => return Err(DocumentFault::NotWellFormed),
                (None, b'>') => {
                    let is_empty = at > 0 && bytes[at - 1] == b'/';
                    self.count(of_element, is_empty)?;
                    return Ok(&text[at + 1..]);
                }
                _ => {}
            }
        }
        Err(DocumentFault::NotWellFormed)
    }

    fn count(&mut self, attributes: usize, is_empty: bool) -> Result<(), DocumentFault> {
        self.elements += 1;
        self.attributes += attributes;
        if !is_empty {
            self.depth += 1;
        }
        if self.elements > MAX_ELEMENTS {
            Err(DocumentFault::TooManyElements)
        } else if attributes > MAX_ATTRIBUTES_OF_ELEMENT || self.attributes > MAX_ATTRIBUTES {
            Err(DocumentFault::TooManyAttributes)
        } else if self.depth > MAX_DEPTH {
            Err(DocumentFault::TooDeep)
        } else {
            Ok(())
        }
    }
}

/// `text` begins with the `!` of `<!`.
fn after_comment(text: &str, comments: Comments) -> Result<&str, DocumentFault> {
    let Some(comment) = text.strip_prefix("!--") else {
        return Err(if text.starts_with("!DOCTYPE") {
            DocumentFault::Doctype
        } else {
            DocumentFault::Cdata
        });
    };
    match comments {
        Comments::Refused => Err(DocumentFault::Comment),
        Comments::Allowed => comment
            .split_once("-->")
            .map(|(_, rest)| rest)
            .ok_or(DocumentFault::NotWellFormed),
    }
}

#[cfg(test)]
mod tests;

use proptest::prelude::*;

use super::*;

fn fault(text: &str) -> Option<DocumentFault> {
    screen(text.as_bytes(), Comments::Refused)
        .and_then(parse)
        .err()
}

#[test]
fn plain_documents_pass() {
    for text in [
        "<a/>",
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<a b='>'>text &amp; &#x41;</a>",
        "<?xml version='1.0' encoding='utf-8' standalone='yes'?><a xmlns=\"urn:x\" xml:lang=\"en\"/>",
    ] {
        assert_eq!(fault(text), None, "{text}");
    }
}

#[test]
fn what_parsers_disagree_on_is_refused() {
    for (text, expected) in [
        ("<!DOCTYPE a><a/>", DocumentFault::Doctype),
        ("<a><!-- --></a>", DocumentFault::Comment),
        ("<a><![CDATA[x]]></a>", DocumentFault::Cdata),
        ("<a><?x?></a>", DocumentFault::ProcessingInstruction),
        (
            " <?xml version=\"1.0\"?><a/>",
            DocumentFault::ProcessingInstruction,
        ),
        ("<?xml version=\"1.1\"?><a/>", DocumentFault::Declaration),
        (
            "<?xml version=\"1.0\" encoding=\"UTF-16\"?><a/>",
            DocumentFault::Declaration,
        ),
        ("<a>&unknown;</a>", DocumentFault::NotWellFormed),
        ("<a b=\"<\"/>", DocumentFault::NotWellFormed),
        ("<a b=\"1\" b=\"2\"/>", DocumentFault::NotWellFormed),
        ("<a></b>", DocumentFault::NotWellFormed),
        ("<a/><b/>", DocumentFault::NotWellFormed),
        ("<p:a/>", DocumentFault::NotWellFormed),
        ("<a xmlns=\"x\"/>", DocumentFault::RelativeNamespace),
        ("<a xmlns:p=\"../x\"/>", DocumentFault::RelativeNamespace),
        ("<a xml:base=\"urn:x\"/>", DocumentFault::XmlAttribute),
        ("<a xml:id=\"x\"/>", DocumentFault::XmlAttribute),
    ] {
        assert_eq!(fault(text), Some(expected), "{text}");
    }
    assert_eq!(
        screen(b"<a>\xff</a>", Comments::Refused),
        Err(DocumentFault::NotUtf8)
    );
}

#[test]
fn limits_hold() {
    let nested = |depth| "<a>".repeat(depth) + &"</a>".repeat(depth);
    let attributes = |count: usize| {
        let list = (0..count)
            .map(|at| format!(" a{at}=''"))
            .collect::<Vec<_>>()
            .concat();
        format!("<a{list}/>")
    };
    let children = |count| format!("<a>{}</a>", "<b/>".repeat(count));
    let namespaces = (0..=MAX_NAMESPACES)
        .map(|at| format!("<b xmlns='urn:{at}'/>"))
        .collect::<Vec<_>>()
        .concat();

    assert_eq!(fault(&nested(MAX_DEPTH)), None);
    assert_eq!(fault(&nested(MAX_DEPTH + 1)), Some(DocumentFault::TooDeep));
    assert_eq!(fault(&attributes(MAX_ATTRIBUTES_OF_ELEMENT)), None);
    assert_eq!(
        fault(&attributes(MAX_ATTRIBUTES_OF_ELEMENT + 1)),
        Some(DocumentFault::TooManyAttributes)
    );
    assert_eq!(fault(&children(MAX_ELEMENTS - 1)), None);
    assert_eq!(
        fault(&children(MAX_ELEMENTS)),
        Some(DocumentFault::TooManyElements)
    );
    assert_eq!(
        fault(&format!("<a>{namespaces}</a>")),
        Some(DocumentFault::TooManyAttributes)
    );
    assert_eq!(
        fault(&format!("<{}/>", "a".repeat(MAX_NAME + 1))),
        Some(DocumentFault::NameTooLong)
    );
    assert_eq!(
        fault(&format!("<a>{}</a>", "x".repeat(MAX_BYTES))),
        Some(DocumentFault::TooLarge)
    );
}

#[test]
fn comments_of_metadata_hide_nothing() {
    let commented = "<a><!-- <b> <?pi?> --><c/></a>";
    assert!(screen(commented.as_bytes(), Comments::Allowed).is_ok());
    let open = "<a><!-- <b/></a>";
    assert_eq!(
        screen(open.as_bytes(), Comments::Allowed),
        Err(DocumentFault::NotWellFormed)
    );
}

proptest! {
    /// The limits mean something only if the scan never counts less than the parser finds.
    #[test]
    fn the_scan_counts_what_the_parser_counts(text in "(<[ab]( [cd]=['\"][>/x= ]{0,3}['\"]){0,2}/?>|</[ab]>|x|=|>){0,24}") {
        if let Ok(document) = Document::parse(&text) {
            let mut scan = Scan::default();
            prop_assert!(scan.document(&text, Comments::Refused).is_ok());
            let elements = document.descendants().filter(Node::is_element);
            prop_assert_eq!(scan.elements, elements.clone().count());
            prop_assert!(scan.attributes >= elements.map(|element| element.attributes().len()).sum());
            prop_assert_eq!(scan.depth, 0);
        }
    }
}

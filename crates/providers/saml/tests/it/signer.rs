//! The independent signer: scripts/partners/saml_signer.py, one request and one answer a line.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

const PROGRAM: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../../scripts/partners/saml_signer.py"
);

pub(crate) struct Signer {
    child: Child,
    requests: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

/// How a signature is made.
#[derive(Clone, Copy)]
pub(crate) struct Style<'a> {
    pub(crate) key: &'a str,
    pub(crate) method: &'a str,
    pub(crate) digest: &'a str,
    /// `InclusiveNamespaces`.
    pub(crate) prefixes: &'a [&'a str],
    /// `<Signature xmlns=…>` instead of `<ds:Signature>`.
    pub(crate) default_namespace: bool,
}

impl Style<'static> {
    pub(crate) const RSA: Self = Self {
        key: "idp",
        method: "rsa-sha256",
        digest: "sha256",
        prefixes: &[],
        default_namespace: false,
    };
}

impl Signer {
    pub(crate) fn start() -> Self {
        #[expect(
            clippy::disallowed_methods,
            reason = "set for the tests by scripts/test.sh"
        )]
        let python = std::env::var("SAML_SIGNER");
        let python = python.expect(
            "SAML_SIGNER is not set: run `make test`, or `export $(scripts/partners/saml.sh)` first",
        );
        let mut child = Command::new(python)
            .arg(PROGRAM)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("SAML_SIGNER is the python that scripts/partners/saml.sh prints");
        Self {
            requests: child.stdin.take(),
            answers: BufReader::new(child.stdout.take().expect("it is piped")),
            child,
        }
    }

    /// Makes a key; returns its certificate, DER in base64.
    pub(crate) fn key(&mut self, name: &str, kind: &str) -> String {
        self.key_until(name, kind, 365)
    }

    /// `until`: days from today.
    pub(crate) fn key_until(&mut self, name: &str, kind: &str, until: i32) -> String {
        let request =
            json!({"do": "key", "name": name, "kind": kind, "from": -400, "until": until});
        self.ask(&request, "certificate")
    }

    /// Signs the elements with these `ID`, in that order.
    pub(crate) fn sign(&mut self, xml: &str, ids: &[&str], style: Style<'_>) -> String {
        let request = json!({
            "do": "sign", "xml": xml, "ids": ids, "key": style.key, "method": style.method,
            "digest": style.digest, "prefixes": style.prefixes,
            "default_namespace": style.default_namespace,
        });
        self.ask(&request, "xml")
    }

    /// Makes every `SignedInfo` of the document valid as it is.
    pub(crate) fn resign(&mut self, xml: &str) -> String {
        self.ask(&json!({"do": "resign", "xml": xml, "key": "idp"}), "xml")
    }

    fn ask(&mut self, request: &Value, field: &str) -> String {
        let requests = self.requests.as_mut().expect("open until the end");
        writeln!(requests, "{request}").expect("the signer reads");
        let mut line = String::new();
        self.answers
            .read_line(&mut line)
            .expect("the signer answers");
        let answer: Value = serde_json::from_str(&line).expect("an answer is JSON");
        answer[field]
            .as_str()
            .unwrap_or_else(|| panic!("the signer says {answer}"))
            .to_owned()
    }
}

impl Drop for Signer {
    fn drop(&mut self) {
        // The end of its input is its end.
        self.requests = None;
        self.child.wait().expect("the signer ends");
    }
}

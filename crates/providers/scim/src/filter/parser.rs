//! The grammar of RFC 7644, figure 1, read by descent. `or` binds weakest, then `and`, then `not`.

mod cursor;

use cursor::{Cursor, fault_at};

use super::{AttributePath, Filter, Literal, Node, Operator};
use crate::{Fault, schema::without_core_urn};

pub(crate) struct Parser<'text> {
    cursor: Cursor<'text>,
    depth: usize,
}

/// `attribute`, `attribute[filter]` or `attribute[filter].sub`: what both a filter's term and the
/// path of a patch begin with.
pub(crate) struct ValuePath {
    pub(crate) attribute: AttributePath,
    pub(crate) selection: Option<Node>,
}

impl<'text> Parser<'text> {
    pub(crate) fn new(text: &'text str) -> Result<Self, Fault> {
        let cursor = Cursor::new(text);
        if text.len() > Filter::MAX_BYTES {
            return Err(cursor.fault("it is too long"));
        }
        Ok(Self { cursor, depth: 0 })
    }

    pub(crate) fn whole_filter(mut self) -> Result<Node, Fault> {
        let filter = self.alternatives()?;
        self.cursor.end()?;
        Ok(filter)
    }

    pub(crate) fn whole_path(mut self) -> Result<ValuePath, Fault> {
        let path = self.value_path()?;
        self.cursor.end()?;
        Ok(path)
    }

    fn alternatives(&mut self) -> Result<Node, Fault> {
        let first = self.conjunction()?;
        let mut nodes = vec![first];
        while self.cursor.eat_word("or") {
            nodes.push(self.conjunction()?);
        }
        Ok(joined(nodes, Node::Or))
    }

    fn conjunction(&mut self) -> Result<Node, Fault> {
        let first = self.term()?;
        let mut nodes = vec![first];
        while self.cursor.eat_word("and") {
            nodes.push(self.term()?);
        }
        Ok(joined(nodes, Node::And))
    }

    fn term(&mut self) -> Result<Node, Fault> {
        if self.cursor.peek() == Some('(') {
            return self.enclosed('(', ')');
        }
        let start = self.cursor.at();
        if self.cursor.eat_word("not") {
            if self.cursor.peek() == Some('(') {
                return Ok(Node::Not(Box::new(self.enclosed('(', ')')?)));
            }
            self.cursor.back_to(start);
        }
        let ValuePath {
            attribute,
            selection,
        } = self.value_path()?;
        let Some(selection) = selection else {
            return self.test(attribute);
        };
        let element = AttributePath {
            name: attribute.name,
            sub: None,
        };
        let Some(sub) = attribute.sub else {
            return Ok(Node::Element(element, Box::new(selection)));
        };
        let test = self.test(AttributePath {
            name: sub,
            sub: None,
        })?;
        let both = Node::And(vec![selection, test]);
        Ok(Node::Element(element, Box::new(both)))
    }

    /// A filter in parentheses or brackets; the only place where the parser calls itself.
    fn enclosed(&mut self, open: char, close: char) -> Result<Node, Fault> {
        if self.depth == Filter::MAX_DEPTH {
            return Err(self.cursor.fault("it is nested too deeply"));
        }
        self.depth += 1;
        self.cursor.eat(open);
        let filter = self.alternatives()?;
        if !self.cursor.eat(close) {
            return Err(self.cursor.fault(if close == ')' {
                "`)` is missing"
            } else {
                "`]` is missing"
            }));
        }
        self.depth -= 1;
        Ok(filter)
    }

    fn value_path(&mut self) -> Result<ValuePath, Fault> {
        let mut attribute = self.attribute()?;
        // Directly behind the name, without a space.
        if !self.cursor.is_directly('[') {
            return Ok(ValuePath {
                attribute,
                selection: None,
            });
        }
        if attribute.sub.is_some() {
            return Err(self.cursor.fault("a sub-attribute has no values to select"));
        }
        let selection = self.enclosed('[', ']')?;
        if self.cursor.is_directly('.') {
            self.cursor.eat('.');
            let sub = self.cursor.word();
            check_name_at(self.cursor.at(), sub)?;
            attribute.sub = Some(sub.to_owned());
        }
        Ok(ValuePath {
            attribute,
            selection: Some(selection),
        })
    }

    fn attribute(&mut self) -> Result<AttributePath, Fault> {
        self.cursor.skip_spaces();
        let start = self.cursor.at();
        let word = self.cursor.word();
        // Versions in URNs have dots too: only what is behind the last colon is a name.
        let Some(name) = without_core_urn(word) else {
            return Err(fault_at(start, "an attribute is missing behind the schema"));
        };
        let (urn, plain) = match name.rsplit_once(':') {
            Some((urn, plain)) => (Some(urn), plain),
            None => (None, name),
        };
        let (plain, sub) = match plain.split_once('.') {
            Some((plain, sub)) => (plain, Some(sub)),
            None => (plain, None),
        };
        for part in [Some(plain), sub].into_iter().flatten() {
            check_name_at(start, part)?;
        }
        Ok(AttributePath {
            name: match urn {
                Some(urn) => format!("{urn}:{plain}"),
                None => plain.to_owned(),
            },
            sub: sub.map(str::to_owned),
        })
    }

    fn test(&mut self, attribute: AttributePath) -> Result<Node, Fault> {
        self.cursor.skip_spaces();
        let start = self.cursor.at();
        let word = self.cursor.word().to_ascii_lowercase();
        let operator = match word.as_str() {
            "pr" => return Ok(Node::Present(attribute)),
            "eq" => Operator::Equal,
            "ne" => Operator::NotEqual,
            "co" => Operator::Contains,
            "sw" => Operator::StartsWith,
            "ew" => Operator::EndsWith,
            "gt" => Operator::Greater,
            "ge" => Operator::GreaterOrEqual,
            "lt" => Operator::Less,
            "le" => Operator::LessOrEqual,
            _ => return Err(fault_at(start, "an operator is missing")),
        };
        Ok(Node::Compare(attribute, operator, self.literal()?))
    }

    fn literal(&mut self) -> Result<Literal, Fault> {
        self.cursor.skip_spaces();
        let start = self.cursor.at();
        if self.cursor.is_directly('"') {
            return self.cursor.quoted().map(Literal::Text);
        }
        let word = self.cursor.word();
        match word.to_ascii_lowercase().as_str() {
            "true" => Ok(Literal::Boolean(true)),
            "false" => Ok(Literal::Boolean(false)),
            "null" => Ok(Literal::Null),
            _ => serde_json::from_str(word)
                .map(Literal::Number)
                .map_err(|_| fault_at(start, "a value is missing or not quoted")),
        }
    }
}

/// `$ref` is the one name that does not begin with a letter.
fn check_name_at(at: usize, name: &str) -> Result<(), Fault> {
    let begins_well = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '$');
    if begins_well && !name.contains(['.', ':', '+']) {
        Ok(())
    } else {
        Err(fault_at(at, "an attribute's name is missing or not one"))
    }
}

fn joined(mut nodes: Vec<Node>, join: fn(Vec<Node>) -> Node) -> Node {
    match nodes.pop() {
        Some(only) if nodes.is_empty() => only,
        Some(last) => {
            nodes.push(last);
            join(nodes)
        }
        None => join(nodes),
    }
}

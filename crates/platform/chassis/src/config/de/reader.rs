use std::collections::BTreeMap;

use serde::de::{self, Visitor};

use super::{
    Error, Kind, Pass,
    access::{Entries, Items, Variant},
    error::one_of,
};
use crate::config::node::{Node, Scalar};

/// Reads one place of the tree.
pub(in crate::config) struct Reader<'a> {
    pub(super) node: Node,
    pub(super) path: String,
    pub(super) pass: &'a Pass,
}

impl<'a> Reader<'a> {
    /// A reader of the whole tree.
    pub(in crate::config) fn root(tree: &Node, pass: &'a Pass) -> Self {
        Self {
            node: tree.clone(),
            path: String::new(),
            pass,
        }
    }

    /// The value here; `None` for a stand-in.
    fn scalar(self, kind: &Kind) -> Result<Option<Scalar>, Error> {
        self.pass.note_kind(&self.path, kind);
        match self.node {
            Node::Leaf(scalar, _) => Ok(Some(scalar)),
            Node::StandIn => {
                self.pass.note_missing(&self.path);
                Ok(None)
            }
            Node::Table(_) => Err(Error::wrong("expected a value, found a section")),
            Node::List(..) => Err(Error::wrong("expected a single value, found a list")),
        }
    }

    fn text(self, kind: &Kind) -> Result<String, Error> {
        let (pass, path) = (self.pass, self.path.clone());
        match self.scalar(kind)? {
            None => pass
                .stand_in_text(&path)
                .ok_or_else(|| Error::wrong("no stand-in is accepted")),
            Some(Scalar::Text(text) | Scalar::Quoted(text)) => Ok(text),
            // TOML wants quotes; saying so beats accepting `version = 23.0` as "23".
            Some(_) => Err(Error::wrong("expected text, in quotes")),
        }
    }

    fn number(self) -> Result<f64, Error> {
        let number = match self.scalar(&Kind::Number)? {
            None => Some(1.0),
            Some(Scalar::Text(text)) => text.trim().parse().ok(),
            Some(Scalar::Float(number)) => Some(number),
            #[expect(
                clippy::cast_precision_loss,
                reason = "whole numbers in settings are small"
            )]
            Some(Scalar::Integer(number)) => Some(number as f64),
            Some(Scalar::Bool(_) | Scalar::Quoted(_)) => None,
        };
        let number = number.filter(|number: &f64| number.is_finite());
        number.ok_or_else(|| Error::wrong("expected a number"))
    }

    fn items(self) -> Result<Items<'a>, Error> {
        self.pass.note_kind(&self.path, &Kind::List);
        let items = match self.node {
            Node::List(items, _) => items,
            Node::Leaf(Scalar::Text(text), origin) => split_list(&text)
                .ok_or_else(|| Error::wrong("expected a list: a,b,c or a JSON array"))?
                .into_iter()
                .map(|item| Node::Leaf(Scalar::Text(item), origin.clone()))
                .collect(),
            Node::StandIn => {
                self.pass.note_missing(&self.path);
                Vec::new()
            }
            Node::Leaf(..) | Node::Table(_) => return Err(Error::wrong("expected a list")),
        };
        Ok(Items::new(items, self.path, self.pass))
    }

    fn entries(self, fields: Option<&'static [&'static str]>) -> Result<Entries<'a>, Error> {
        if fields.is_none() {
            self.pass.note_kind(&self.path, &Kind::Map);
        }
        match self.node {
            Node::Table(entries) => Ok(Entries::new(entries, fields, self.path, self.pass)),
            Node::StandIn => {
                if fields.is_none() {
                    self.pass.note_missing(&self.path);
                }
                Ok(Entries::new(BTreeMap::new(), fields, self.path, self.pass))
            }
            Node::Leaf(..) | Node::List(..) => {
                Err(Error::wrong("expected a section, found a value"))
            }
        }
    }
}

/// Splits what an operator writes for a list in one variable. `None` for a broken JSON array.
fn split_list(text: &str) -> Option<Vec<String>> {
    let text = text.trim();
    if !text.starts_with('[') {
        let parts = text.split([',', '\n']).map(str::trim);
        return Some(parts.filter(|p| !p.is_empty()).map(str::to_owned).collect());
    }
    let items: Vec<serde_json::Value> = serde_json::from_str(text).ok()?;
    Some(
        items
            .into_iter()
            .map(|item| match item {
                serde_json::Value::String(text) => text,
                other => other.to_string(),
            })
            .collect(),
    )
}

macro_rules! integers {
    ($($method:ident $visit:ident $type:ty),* $(,)?) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            let refused = || Error::wrong(if <$type>::BITS == 64 {
                format!("expected a whole number, at least {}", <$type>::MIN)
            } else {
                format!("expected a whole number from {} to {}", <$type>::MIN, <$type>::MAX)
            });
            visitor.$visit(match self.scalar(&Kind::Integer)? {
                None => 1,
                Some(Scalar::Text(text)) => text.trim().parse::<$type>().map_err(|_| refused())?,
                Some(Scalar::Integer(number)) => <$type>::try_from(number).map_err(|_| refused())?,
                Some(_) => return Err(refused()),
            })
        }
    )*}
}

impl<'de> de::Deserializer<'de> for Reader<'_> {
    type Error = Error;

    integers! {
        deserialize_u8 visit_u8 u8, deserialize_u16 visit_u16 u16, deserialize_u32 visit_u32 u32,
        deserialize_u64 visit_u64 u64, deserialize_i8 visit_i8 i8, deserialize_i16 visit_i16 i16,
        deserialize_i32 visit_i32 i32, deserialize_i64 visit_i64 i64,
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_f64(self.number()?)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_f64(self.number()?)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let value = match self.scalar(&Kind::Boolean)? {
            None => Some(true),
            Some(Scalar::Bool(value)) => Some(value),
            Some(Scalar::Text(text)) => match text.trim().to_ascii_lowercase().as_str() {
                "true" | "1" => Some(true),
                "false" | "0" => Some(false),
                _ => None,
            },
            Some(_) => None,
        };
        visitor.visit_bool(value.ok_or_else(|| Error::wrong("expected true or false"))?)
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_string(self.text(&Kind::Text)?)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_string(self.text(&Kind::Text)?)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_string(self.text(&Kind::Text)?)
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_byte_buf(self.text(&Kind::Text)?.into_bytes())
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_byte_buf(self.text(&Kind::Text)?.into_bytes())
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        // A value that was refused becomes `None`; only a probing pass wants to see inside.
        if matches!(self.node, Node::StandIn) && !self.pass.probing {
            return visitor.visit_none();
        }
        visitor.visit_some(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_seq(self.items()?)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_seq(self.items()?)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_seq(self.items()?)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_map(self.entries(None)?)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let path = self.path.clone();
        let place = self.node.origin().map(|origin| origin.place.clone());
        let entries = self.entries(Some(fields))?;
        visitor
            .visit_map(entries)
            .map_err(|error| error.at(&path, place))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let kind = Kind::Choice(variants);
        self.pass.note_kind(&self.path, &kind);
        let (pass, path) = (self.pass, self.path.clone());
        let (name, content) = match self.node {
            Node::Table(mut entries) if entries.len() == 1 => match entries.pop_first() {
                Some((name, content)) => (name, Some(content)),
                None => return Err(Error::wrong(one_of(variants))),
            },
            Node::StandIn => {
                pass.note_missing(&path);
                let attempt = pass.attempts.get(&path).copied().unwrap_or(0);
                let name = variants.get(attempt);
                (
                    name.ok_or_else(|| Error::wrong("no variants"))?.to_string(),
                    None,
                )
            }
            Node::Leaf(Scalar::Text(name) | Scalar::Quoted(name), _) => (name, None),
            _ => return Err(Error::wrong(one_of(variants))),
        };
        if !variants.contains(&name.as_str()) {
            return Err(Error::wrong(one_of(variants)));
        }
        visitor.visit_enum(Variant {
            name,
            content,
            path,
            pass,
        })
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        // A section without keys: whatever was given is unknown.
        drop(self.entries(Some(&[]))?);
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_string(self.text(&Kind::Text)?)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    /// For types that look at the value first: maps with free keys, tagged enums, JSON.
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.node {
            Node::Table(_) => visitor.visit_map(self.entries(None)?),
            Node::List(..) => visitor.visit_seq(self.items()?),
            Node::StandIn => visitor.visit_string(self.text(&Kind::Any)?),
            Node::Leaf(..) => match self.scalar(&Kind::Any)? {
                Some(Scalar::Text(text) | Scalar::Quoted(text)) => visitor.visit_string(text),
                Some(Scalar::Bool(value)) => visitor.visit_bool(value),
                Some(Scalar::Integer(number)) => visitor.visit_i64(number),
                Some(Scalar::Float(number)) => visitor.visit_f64(number),
                None => visitor.visit_unit(),
            },
        }
    }
}

use std::{collections::BTreeMap, vec};

use serde::de::{
    self, DeserializeSeed, EnumAccess, IntoDeserializer, MapAccess, SeqAccess, VariantAccess,
    Visitor,
};

use super::{Error, Pass, Reader, error::join};
use crate::config::{
    node::{Node, Origin, Scalar},
    unreadable,
};

/// More than any secret needs, and little enough not to swallow a device file.
const MAX_FILE_BYTES: u64 = 64 * 1024;

/// The keys of a section or map, in the order of declaration.
pub(super) struct Entries<'a> {
    rest: vec::IntoIter<(String, Node)>,
    next: Option<(String, Node)>,
    path: String,
    pass: &'a Pass,
}

impl<'a> Entries<'a> {
    /// `fields` are the keys of a section; `None` for a map, whose keys are free.
    pub(super) fn new(
        mut given: BTreeMap<String, Node>,
        fields: Option<&'static [&'static str]>,
        path: String,
        pass: &'a Pass,
    ) -> Self {
        let mut entries = Vec::new();
        for field in fields.unwrap_or_default() {
            let key = join(&path, field);
            let file_key = format!("{field}_file");
            // `key` and `key_file` may be two settings of their own.
            let by_path = (!fields.unwrap_or_default().contains(&file_key.as_str()))
                .then(|| given.remove(&file_key))
                .flatten();
            let node = match (given.remove(*field), by_path) {
                (value, Some(reference)) => Some(referenced(&key, value, &reference, pass)),
                (value, None) => value,
            };
            let stands_in = pass.stand_ins.contains(&key) || (pass.probing && node.is_none());
            let node = if stands_in { Some(Node::StandIn) } else { node };
            if let Some(node) = node.filter(|_| !pass.skipped.contains(&key)) {
                entries.push(((*field).to_owned(), node));
            }
        }
        match fields {
            None => entries.extend(given.into_iter().map(|(name, node)| {
                let stands_in = pass.stand_ins.contains(&join(&path, &name));
                (name, if stands_in { Node::StandIn } else { node })
            })),
            Some(fields) => {
                for (name, node) in &given {
                    note_unknown(&join(&path, name), name, node, fields, pass);
                }
            }
        }
        Self {
            rest: entries.into_iter(),
            next: None,
            path,
            pass,
        }
    }
}

fn note_unknown(key: &str, name: &str, node: &Node, fields: &'static [&'static str], pass: &Pass) {
    let stem = name.strip_suffix("_file").unwrap_or(name);
    let nearest = fields
        .iter()
        .map(|field| (distance(stem, field), field))
        .min_by_key(|(distance, _)| *distance)
        .filter(|(distance, _)| *distance <= 2);
    let message = match nearest {
        Some((_, field)) => format!("unknown key; did you mean {field}?"),
        None => "unknown key".to_owned(),
    };
    let place = node.origin().map_or(key, |origin| &origin.place);
    pass.note_wrong(key, place, message);
}

/// Edits between two names (Levenshtein), for suggestions.
fn distance(left: &str, right: &str) -> usize {
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, a) in left.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in right.bytes().enumerate() {
            let substituted = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[right.len()]
}

/// Resolves `…_file`: the content of the file it names, unless a later layer gave the value.
fn referenced(key: &str, value: Option<Node>, reference: &Node, pass: &Pass) -> Node {
    let Node::Leaf(Scalar::Text(file) | Scalar::Quoted(file), origin) = reference else {
        let place = reference.origin().map_or(key, |origin| &origin.place);
        pass.note_wrong(key, place, "expected the path of a file");
        return Node::StandIn;
    };
    if let Some(value) = value
        && let Some(other) = value.origin()
    {
        if other.layer == origin.layer {
            let place = format!("{}, {}", other.place, origin.place);
            pass.note_wrong(key, &place, "give the value or the file, not both");
            return value;
        }
        if other.layer > origin.layer {
            return value;
        }
    }
    match read(file) {
        Ok(text) => {
            let origin = Origin {
                layer: origin.layer,
                place: origin.place.clone(),
            };
            Node::Leaf(Scalar::Text(text), origin)
        }
        Err(reason) => {
            pass.note_wrong(key, &origin.place, format!("file cannot be read: {reason}"));
            Node::StandIn
        }
    }
}

fn read(path: &str) -> Result<String, String> {
    let size = std::fs::metadata(path).map_err(|error| unreadable(&error))?;
    if size.len() > MAX_FILE_BYTES {
        return Err(format!("more than {MAX_FILE_BYTES} bytes"));
    }
    let text = std::fs::read_to_string(path).map_err(|error| unreadable(&error))?;
    // Editors and `echo` end a file with a newline that is not part of the secret.
    let text = text.trim_end_matches(['\r', '\n']);
    if text.is_empty() {
        return Err("empty".to_owned());
    }
    Ok(text.to_owned())
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Error> {
        self.next = self.rest.next();
        match &self.next {
            None => Ok(None),
            Some((name, _)) => seed
                .deserialize(name.as_str().into_deserializer())
                .map(Some),
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        let Some((name, node)) = self.next.take() else {
            return Err(Error::wrong("a value was asked for before its key"));
        };
        let path = join(&self.path, &name);
        read_child(seed, node, &path, self.pass)
    }
}

fn read_child<'de, S: DeserializeSeed<'de>>(
    seed: S,
    node: Node,
    path: &str,
    pass: &Pass,
) -> Result<S::Value, Error> {
    let place = node.origin().map(|origin| origin.place.clone());
    let given = match &node {
        Node::Leaf(Scalar::Text(text) | Scalar::Quoted(text), _) => Some(text.clone()),
        _ => None,
    };
    let reader = Reader {
        node,
        path: path.to_owned(),
        pass,
    };
    seed.deserialize(reader).map_err(|error| {
        // Types may quote what they refuse.
        let quoted = given.is_some_and(|text| error.message.contains(text.trim()));
        let error = error.at(path, place);
        if quoted { error.unquoted() } else { error }
    })
}

/// The items of a list.
pub(super) struct Items<'a> {
    rest: std::iter::Enumerate<vec::IntoIter<Node>>,
    path: String,
    pass: &'a Pass,
}

impl<'a> Items<'a> {
    pub(super) fn new(items: Vec<Node>, path: String, pass: &'a Pass) -> Self {
        Self {
            rest: items.into_iter().enumerate(),
            path,
            pass,
        }
    }
}

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Error> {
        let Some((index, node)) = self.rest.next() else {
            return Ok(None);
        };
        let path = format!("{}[{index}]", self.path);
        let read = read_child(seed, node, &path, self.pass);
        // A broken item is the list's problem: the list as a whole gets a stand-in.
        read.map(Some).map_err(|error| Error {
            path: Some(self.path.clone()),
            place: error.place,
            missing: None,
            message: format!("item {}: {}", index + 1, error.message),
        })
    }
}

/// A chosen variant, with its content if it was written as a section.
pub(super) struct Variant<'a> {
    pub(super) name: String,
    pub(super) content: Option<Node>,
    pub(super) path: String,
    pub(super) pass: &'a Pass,
}

impl<'de> EnumAccess<'de> for Variant<'_> {
    type Error = Error;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Error> {
        let name: de::value::StrDeserializer<'_, Error> = self.name.as_str().into_deserializer();
        Ok((seed.deserialize(name)?, self))
    }
}

impl Variant<'_> {
    fn content(self) -> (Node, String) {
        let path = join(&self.path, &self.name);
        (self.content.unwrap_or(Node::StandIn), path)
    }
}

impl<'de> VariantAccess<'de> for Variant<'_> {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Error> {
        let pass = self.pass;
        let (node, path) = self.content();
        read_child(seed, node, &path, pass)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        let pass = self.pass;
        let (node, path) = self.content();
        de::Deserializer::deserialize_seq(Reader { node, path, pass }, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let pass = self.pass;
        let (node, path) = self.content();
        de::Deserializer::deserialize_struct(Reader { node, path, pass }, "", fields, visitor)
    }
}

//! Which messages have field rules (`buf.validate`).

use std::collections::HashSet;

use anyhow::Context;
use prost_reflect::{DescriptorPool, ExtensionDescriptor, MessageDescriptor};

/// The options that a rule can stand in.
pub(crate) struct Rules {
    message: ExtensionDescriptor,
    oneof: ExtensionDescriptor,
    field: ExtensionDescriptor,
}

impl Rules {
    pub(crate) fn new(pool: &DescriptorPool) -> anyhow::Result<Self> {
        let option = |name: &str| {
            pool.get_extension_by_name(name)
                .with_context(|| format!("find {name}"))
        };
        Ok(Self {
            message: option("buf.validate.message")?,
            oneof: option("buf.validate.oneof")?,
            field: option("buf.validate.field")?,
        })
    }

    /// Whether the message, or one inside it, has a rule.
    pub(crate) fn bind(&self, message: &MessageDescriptor) -> bool {
        self.bind_any(message, &mut HashSet::new())
    }

    /// A message may hold itself: each is looked at once.
    fn bind_any(&self, message: &MessageDescriptor, seen: &mut HashSet<String>) -> bool {
        if !seen.insert(message.full_name().to_owned()) {
            return false;
        }
        message.options().has_extension(&self.message)
            || message
                .oneofs()
                .any(|oneof| oneof.options().has_extension(&self.oneof))
            || message.fields().any(|field| {
                field.options().has_extension(&self.field)
                    || field
                        .kind()
                        .as_message()
                        .is_some_and(|inner| self.bind_any(inner, seen))
            })
    }
}

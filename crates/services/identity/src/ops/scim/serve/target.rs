//! What a request is about.

/// Below `/scim/v2`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target<'path> {
    Config,
    ResourceTypes,
    ResourceType(&'path str),
    Schemas,
    Schema(&'path str),
    Users,
    User(&'path str),
    Groups,
    Group(&'path str),
    /// Named by the RFC and left out here, as `/ServiceProviderConfig` says.
    Unsupported,
}

impl<'path> Target<'path> {
    pub(super) fn of(path: &'path str) -> Option<Self> {
        let mut segments = path.split('/').filter(|segment| !segment.is_empty());
        let (kind, id) = (segments.next()?, segments.next());
        if segments.next().is_some() {
            return None;
        }
        match (kind, id) {
            ("ServiceProviderConfig", None) => Some(Self::Config),
            ("ResourceTypes", None) => Some(Self::ResourceTypes),
            ("ResourceTypes", Some(id)) => Some(Self::ResourceType(id)),
            ("Schemas", None) => Some(Self::Schemas),
            ("Schemas", Some(urn)) => Some(Self::Schema(urn)),
            ("Me" | "Bulk" | ".search", None) | ("Users" | "Groups", Some(".search")) => {
                Some(Self::Unsupported)
            }
            ("Users", None) => Some(Self::Users),
            ("Users", Some(id)) => Some(Self::User(id)),
            ("Groups", None) => Some(Self::Groups),
            ("Groups", Some(id)) => Some(Self::Group(id)),
            _ => None,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

impl Method {
    /// Methods have a case (RFC 9110, 9.1).
    pub(super) fn of(name: &str) -> Option<Self> {
        match name {
            "GET" => Some(Self::Get),
            "POST" => Some(Self::Post),
            "PUT" => Some(Self::Put),
            "PATCH" => Some(Self::Patch),
            "DELETE" => Some(Self::Delete),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_name_what_they_are_about() {
        for (path, expected) in [
            ("/Users", Some(Target::Users)),
            ("/Users/", Some(Target::Users)),
            ("Groups/grp_1", Some(Target::Group("grp_1"))),
            ("/Users/usr_1", Some(Target::User("usr_1"))),
            ("/Users/.search", Some(Target::Unsupported)),
            ("/Bulk", Some(Target::Unsupported)),
            ("/Users/usr_1/emails", None),
            ("/Bulk/1", None),
            ("/users", None),
            ("/", None),
            ("", None),
        ] {
            assert_eq!(Target::of(path), expected, "{path}");
        }
        let urn = "urn:ietf:params:scim:schemas:core:2.0:User";
        let path = format!("/Schemas/{urn}");
        assert_eq!(Target::of(&path), Some(Target::Schema(urn)));
    }
}

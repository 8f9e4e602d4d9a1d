//! What the server says about itself.

use scim::{ResourceKind, discovery};

use crate::people::BASE;

#[test]
fn the_configuration_promises_what_there_is() {
    insta::assert_json_snapshot!(discovery::service_provider_config(BASE), @r#"
    {
      "authenticationSchemes": [
        {
          "description": "The token made for this directory, in the Authorization header",
          "name": "OAuth Bearer Token",
          "primary": true,
          "specUri": "https://www.rfc-editor.org/rfc/rfc6750",
          "type": "oauthbearertoken"
        }
      ],
      "bulk": {
        "maxOperations": 0,
        "maxPayloadSize": 0,
        "supported": false
      },
      "changePassword": {
        "supported": false
      },
      "etag": {
        "supported": true
      },
      "filter": {
        "maxResults": 200,
        "supported": true
      },
      "meta": {
        "location": "https://app.example.com/scim/v2/ServiceProviderConfig",
        "resourceType": "ServiceProviderConfig"
      },
      "patch": {
        "supported": true
      },
      "schemas": [
        "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"
      ],
      "sort": {
        "supported": false
      }
    }
    "#);
}

#[test]
fn there_are_two_types_of_resources() {
    insta::assert_json_snapshot!(discovery::resource_types(BASE), @r#"
    {
      "Resources": [
        {
          "description": "A person who works with this account",
          "endpoint": "/Users",
          "id": "User",
          "meta": {
            "location": "https://app.example.com/scim/v2/ResourceTypes/User",
            "resourceType": "ResourceType"
          },
          "name": "User",
          "schema": "urn:ietf:params:scim:schemas:core:2.0:User",
          "schemas": [
            "urn:ietf:params:scim:schemas:core:2.0:ResourceType"
          ]
        },
        {
          "description": "A set of users",
          "endpoint": "/Groups",
          "id": "Group",
          "meta": {
            "location": "https://app.example.com/scim/v2/ResourceTypes/Group",
            "resourceType": "ResourceType"
          },
          "name": "Group",
          "schema": "urn:ietf:params:scim:schemas:core:2.0:Group",
          "schemas": [
            "urn:ietf:params:scim:schemas:core:2.0:ResourceType"
          ]
        }
      ],
      "itemsPerPage": 2,
      "schemas": [
        "urn:ietf:params:scim:api:messages:2.0:ListResponse"
      ],
      "startIndex": 1,
      "totalResults": 2
    }
    "#);
    let user = discovery::resource_type(BASE, "User").expect("users");
    assert_eq!(user, discovery::resource_types(BASE)["Resources"][0]);
    assert_eq!(discovery::resource_type(BASE, "Device"), None);
}

#[test]
fn the_group_schema_is_described() {
    insta::assert_json_snapshot!(discovery::schema(BASE, ResourceKind::Group.schema_urn()).expect("groups"), @r#"
    {
      "attributes": [
        {
          "caseExact": false,
          "description": "The group's name; unique without regard to case.",
          "multiValued": false,
          "mutability": "readWrite",
          "name": "displayName",
          "required": true,
          "returned": "default",
          "type": "string",
          "uniqueness": "server"
        },
        {
          "description": "The users in the group.",
          "multiValued": true,
          "mutability": "readWrite",
          "name": "members",
          "required": false,
          "returned": "default",
          "subAttributes": [
            {
              "caseExact": true,
              "description": "The user's id.",
              "multiValued": false,
              "mutability": "immutable",
              "name": "value",
              "required": false,
              "returned": "default",
              "type": "string",
              "uniqueness": "none"
            },
            {
              "caseExact": false,
              "description": "The user's name.",
              "multiValued": false,
              "mutability": "immutable",
              "name": "display",
              "required": false,
              "returned": "default",
              "type": "string",
              "uniqueness": "none"
            }
          ],
          "type": "complex"
        }
      ],
      "description": "A set of users",
      "id": "urn:ietf:params:scim:schemas:core:2.0:Group",
      "meta": {
        "location": "https://app.example.com/scim/v2/Schemas/urn:ietf:params:scim:schemas:core:2.0:Group",
        "resourceType": "Schema"
      },
      "name": "Group",
      "schemas": [
        "urn:ietf:params:scim:schemas:core:2.0:Schema"
      ]
    }
    "#);
}

#[test]
fn every_schema_can_be_read_by_its_urn() {
    let all = discovery::schemas(BASE);
    assert_eq!(all["totalResults"], 2);
    for schema in all["Resources"].as_array().expect("a list") {
        let urn = schema["id"].as_str().expect("a URN");
        assert_eq!(discovery::schema(BASE, urn).as_ref(), Some(schema));
    }
    assert_eq!(discovery::schema(BASE, "urn:x"), None);
}

#[test]
fn everything_a_user_is_answered_with_is_described() {
    let described = discovery::schema(BASE, ResourceKind::User.schema_urn()).expect("users");
    let names: Vec<&str> = described["attributes"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|attribute| attribute["name"].as_str().expect("a name"))
        .collect();
    let user = crate::people::ada().to_json();
    let common = ["schemas", "id", "externalId", "meta"];
    for attribute in user.as_object().expect("an object").keys() {
        let is_known = common.contains(&attribute.as_str()) || names.contains(&attribute.as_str());
        assert!(is_known, "{attribute}");
    }
}

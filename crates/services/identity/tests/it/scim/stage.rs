//! An organization with a directory, and what the gateway hands on for it.

use auth::Role;
use ids::{OrganizationId, UserId};
use proto::identity::v1::{
    self as wire, CreateScimDirectoryRequest, ServeScimRequest,
    scim_service_client::ScimServiceClient,
};
use serde_json::{Value, json};
use tonic::{Status, transport::Channel};

use crate::world::{World, as_caller};

pub(super) const BASE: &str = "https://api.example.com/scim/v2";

pub(super) struct Stage {
    pub(super) world: World,
    pub(super) organization: OrganizationId,
    pub(super) owner: UserId,
    pub(super) owner_token: String,
    pub(super) gateway: String,
    pub(super) directory: Directory,
}

/// A directory with its token.
#[derive(Clone)]
pub(crate) struct Directory {
    pub(super) id: String,
    pub(super) token: String,
    gateway: String,
    client: ScimServiceClient<Channel>,
}

/// An answer as the directory sees it.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(super) status: u32,
    pub(super) content_type: String,
    pub(super) location: String,
    pub(super) etag: String,
    pub(super) body: Value,
}

impl Reply {
    pub(super) fn id(&self) -> String {
        self.body["id"].as_str().unwrap().to_owned()
    }

    /// The ids of a list.
    pub(super) fn ids(&self) -> Vec<String> {
        let resources = self.body["Resources"].as_array().unwrap();
        resources
            .iter()
            .map(|one| one["id"].as_str().unwrap().to_owned())
            .collect()
    }

    #[track_caller]
    pub(super) fn refused(&self, status: u32, scim_type: Option<&str>) {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.content_type, scim::MEDIA_TYPE);
        assert_eq!(self.body["status"], json!(status.to_string()));
        assert_eq!(self.body["scimType"].as_str(), scim_type, "{self:?}");
        assert_eq!(
            self.body["schemas"],
            json!(["urn:ietf:params:scim:api:messages:2.0:Error"])
        );
    }
}

impl Directory {
    /// The same directory with another token.
    pub(super) fn with_token(&self, token: &str) -> Self {
        Self {
            token: token.to_owned(),
            ..self.clone()
        }
    }

    pub(super) async fn try_send(
        &self,
        method: &str,
        address: &str,
        if_match: &str,
        body: &Value,
    ) -> Result<Reply, Status> {
        let (path, query) = address.split_once('?').unwrap_or((address, ""));
        let body = match body {
            Value::Null => Vec::new(),
            body => body.to_string().into_bytes(),
        };
        let request = ServeScimRequest {
            token: self.token.clone(),
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            body,
            if_match: if_match.to_owned(),
            base_url: BASE.to_owned(),
        };
        let request = as_caller(request, &self.gateway);
        let answer = self.client.clone().serve_scim(request).await?.into_inner();
        Ok(Reply {
            status: answer.status,
            content_type: answer.content_type,
            location: answer.location,
            etag: answer.etag,
            body: serde_json::from_slice(&answer.body).unwrap_or_default(),
        })
    }

    async fn send(&self, method: &str, address: &str, body: &Value) -> Reply {
        self.try_send(method, address, "", body).await.unwrap()
    }

    pub(super) async fn get(&self, address: &str) -> Reply {
        self.send("GET", address, &Value::Null).await
    }

    pub(super) async fn post(&self, address: &str, body: &Value) -> Reply {
        self.send("POST", address, body).await
    }

    pub(super) async fn put(&self, address: &str, body: &Value) -> Reply {
        self.send("PUT", address, body).await
    }

    pub(super) async fn patch(&self, address: &str, operations: &Value) -> Reply {
        let body = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": operations,
        });
        self.send("PATCH", address, &body).await
    }

    pub(super) async fn delete(&self, address: &str) -> Reply {
        self.send("DELETE", address, &Value::Null).await
    }

    /// A user that the directory made; its id.
    pub(crate) async fn user(&self, email: &str) -> String {
        let made = self.post("/Users", &user(email)).await;
        assert_eq!(made.status, 201, "{made:?}");
        made.id()
    }

    /// A group that the directory made; its id.
    pub(super) async fn group(&self, name: &str, members: &[&str]) -> String {
        let members: Vec<Value> = members.iter().map(|id| json!({ "value": id })).collect();
        let body = json!({ "displayName": name, "members": members });
        let made = self.post("/Groups", &body).await;
        assert_eq!(made.status, 201, "{made:?}");
        made.id()
    }

    pub(super) async fn set_active(&self, id: &str, active: bool) -> Reply {
        let operations = json!([{"op": "replace", "value": {"active": active}}]);
        self.patch(&format!("/Users/{id}"), &operations).await
    }
}

/// A user as directories describe one.
pub(super) fn user(email: &str) -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "userName": email,
        "name": {"givenName": "Grace", "familyName": "Hopper"},
        "emails": [{"primary": true, "value": email, "type": "work"}],
        "displayName": "Grace Hopper",
        "active": true,
    })
}

impl Stage {
    pub(super) async fn set() -> Self {
        Self::with_seats(None).await
    }

    pub(super) async fn with_seats(max: Option<u32>) -> Self {
        let mut world = World::start().await;
        world.config.seats.max = max;
        world.restart().await;
        let signed_up = world.sign_up("owner@example.com").await;
        let owner_token = signed_up.tokens.unwrap().access_token;
        let gateway = world.service().await;
        let directory = connect(&world, &owner_token, &gateway).await.unwrap();
        Self {
            organization: signed_up.organization.unwrap().id.parse().unwrap(),
            owner: signed_up.user.unwrap().id.parse().unwrap(),
            owner_token,
            gateway,
            directory,
            world,
        }
    }

    pub(super) fn scim(&self) -> ScimServiceClient<Channel> {
        ScimServiceClient::new(self.world.channel.clone())
    }

    /// Another directory of the organization.
    pub(super) async fn second_directory(&self) -> Directory {
        let connected = connect(&self.world, &self.owner_token, &self.gateway).await;
        connected.unwrap()
    }

    /// The directory of another organization.
    pub(super) async fn foreign_directory(&self) -> Directory {
        let owner = self.world.owner("stranger@example.org").await;
        connect(&self.world, &owner, &self.gateway).await.unwrap()
    }

    /// The organization proved to own the domain.
    pub(super) async fn verify_domain(&self, domain: &str) {
        self.world
            .execute(&format!(
                "insert into identity.sso_domains (organization_id, domain, challenge, created_at, verified_at)
                 values ('{}', '{domain}', 'x', now(), now())",
                self.organization.as_uuid()
            ))
            .await;
    }

    /// Somebody with an account and the owner's password, who belongs to an organization of its own.
    pub(super) async fn stranger(&self, email: &str) -> UserId {
        let signed_up = self.world.sign_up(email).await;
        signed_up.user.unwrap().id.parse().unwrap()
    }

    pub(super) async fn make_member(&self, id: UserId, role: Role) {
        self.world
            .execute(&format!(
                "insert into identity.memberships (organization_id, user_id, role, created_at)
                 values ('{}', '{}', '{role}', now() - interval '20 years')",
                self.organization.as_uuid(),
                id.as_uuid(),
            ))
            .await;
    }

    /// Role and state of the member; `None` if it is none.
    pub(super) async fn member(&self, id: &str) -> Option<(String, String)> {
        let id: UserId = id.parse().unwrap();
        let mut admin = self.world.db.admin().await;
        sqlx::query_as(
            "select role, state from identity.memberships where organization_id = $1 and user_id = $2",
        )
        .bind(self.organization.as_uuid())
        .bind(id.as_uuid())
        .fetch_optional(&mut admin)
        .await
        .unwrap()
    }

    pub(super) async fn role(&self, id: &str) -> String {
        self.member(id).await.unwrap().0
    }

    pub(super) async fn is_active(&self, id: &str) -> bool {
        self.member(id).await.unwrap().1 == "active"
    }

    /// E-mail address and name of the person.
    pub(super) async fn person(&self, id: &str) -> Option<(String, String)> {
        let id: UserId = id.parse().unwrap();
        let mut admin = self.world.db.admin().await;
        sqlx::query_as("select email, name from identity.users where id = $1")
            .bind(id.as_uuid())
            .fetch_optional(&mut admin)
            .await
            .unwrap()
    }

    /// Actor and action of the audit log, in order.
    pub(super) async fn audited(&self) -> Vec<(String, String)> {
        let mut admin = self.world.db.admin().await;
        sqlx::query_as(
            "select actor, action from identity.audit_entries
             where organization_id = $1 and action not like 'session.%' order by seq",
        )
        .bind(self.organization.as_uuid())
        .fetch_all(&mut admin)
        .await
        .unwrap()
    }

    pub(super) async fn map(
        &self,
        token: &str,
        group: &str,
        role: wire::Role,
        role_id: &str,
    ) -> Result<wire::ScimGroup, Status> {
        let request = wire::SetScimGroupRoleRequest {
            directory_id: self.directory.id.clone(),
            group_id: group.to_owned(),
            role: role.into(),
            role_id: role_id.to_owned(),
        };
        let request = as_caller(request, token);
        Ok(self.scim().set_scim_group_role(request).await?.into_inner())
    }
}

pub(crate) async fn connect(
    world: &World,
    owner: &str,
    gateway: &str,
) -> Result<Directory, Status> {
    let mut client = ScimServiceClient::new(world.channel.clone());
    let request = CreateScimDirectoryRequest {
        name: "Okta".to_owned(),
    };
    let created = client
        .create_scim_directory(as_caller(request, owner))
        .await?
        .into_inner();
    Ok(Directory {
        id: created.directory.unwrap().id,
        token: created.token,
        gateway: gateway.to_owned(),
        client,
    })
}

//! Directories and their requests over gRPC.

use std::str::FromStr;

use auth::{RequestContext, Role};
use db::page::Page;
use errors::to_status;
use ids::RoleId;
use pbjson_types::Timestamp;
use proto::identity::v1::{self as wire, scim_service_server::ScimService};
use scim::{MEDIA_TYPE, Version};
use secrecy::{ExposeSecret, SecretString};
use tonic::{Request, Response, Status};

use crate::{
    Error,
    domain::assignment::Assignment,
    ops::{
        Tools,
        scim::{
            create_directory::create_directory,
            delete_directory::delete_directory,
            list_directories::list_directories,
            list_groups::list_groups,
            rotate_token::rotate_token,
            serve::{ScimAnswer, ScimRequest, serve},
            set_group_role::set_group_role,
        },
    },
    store::scim::{directories::Directory, groups::ManagedGroup},
};

/// Behind `auth::GrpcLayer` and the validation of fields.
#[derive(Debug, Clone)]
pub(crate) struct Scim {
    pub(crate) tools: Tools,
}

type Answer<T> = Result<Response<T>, Status>;

fn answer<T, M>(done: Result<T, Error>, encode: impl FnOnce(T) -> M) -> Answer<M> {
    match done {
        Ok(value) => Ok(Response::new(encode(value))),
        Err(error) => Err(to_status(&error)),
    }
}

/// The caller's context and the message.
fn open<T>(request: Request<T>) -> Result<(RequestContext, T), Status> {
    let caller = auth::context(&request)?.clone();
    Ok((caller, request.into_inner()))
}

#[tonic::async_trait]
impl ScimService for Scim {
    async fn create_scim_directory(
        &self,
        request: Request<wire::CreateScimDirectoryRequest>,
    ) -> Answer<wire::CreateScimDirectoryResponse> {
        let (caller, request) = open(request)?;
        let created = create_directory(&self.tools, &caller, request.name).await;
        answer(created, with_token)
    }

    async fn list_scim_directories(
        &self,
        request: Request<wire::ListScimDirectoriesRequest>,
    ) -> Answer<wire::ListScimDirectoriesResponse> {
        let (caller, _) = open(request)?;
        let directories = list_directories(&self.tools, &caller).await;
        answer(directories, |directories| {
            wire::ListScimDirectoriesResponse {
                directories: directories.into_iter().map(directory).collect(),
            }
        })
    }

    async fn rotate_scim_token(
        &self,
        request: Request<wire::RotateScimTokenRequest>,
    ) -> Answer<wire::CreateScimDirectoryResponse> {
        let (caller, request) = open(request)?;
        let rotated = match id("directoryId", &request.directory_id) {
            Ok(id) => rotate_token(&self.tools, &caller, id).await,
            Err(error) => Err(error),
        };
        answer(rotated, with_token)
    }

    async fn delete_scim_directory(
        &self,
        request: Request<wire::DeleteScimDirectoryRequest>,
    ) -> Answer<wire::DeleteScimDirectoryResponse> {
        let (caller, request) = open(request)?;
        let deleted = match id("directoryId", &request.directory_id) {
            Ok(id) => delete_directory(&self.tools, &caller, id).await,
            Err(error) => Err(error),
        };
        answer(deleted, |()| wire::DeleteScimDirectoryResponse {})
    }

    async fn list_scim_groups(
        &self,
        request: Request<wire::ListScimGroupsRequest>,
    ) -> Answer<wire::ListScimGroupsResponse> {
        let (caller, request) = open(request)?;
        let (size, token) = (request.page_size, &request.page_token);
        let page = match id("directoryId", &request.directory_id) {
            Ok(id) => list_groups(&self.tools, &caller, id, size, token).await,
            Err(error) => Err(error),
        };
        answer(page, groups)
    }

    async fn set_scim_group_role(
        &self,
        request: Request<wire::SetScimGroupRoleRequest>,
    ) -> Answer<wire::ScimGroup> {
        let (caller, request) = open(request)?;
        let done = async {
            let directory_id = id("directoryId", &request.directory_id)?;
            let group_id = id("groupId", &request.group_id)?;
            let gives = gives(&request)?;
            set_group_role(&self.tools, &caller, directory_id, group_id, gives).await
        };
        answer(done.await, group)
    }

    async fn serve_scim(
        &self,
        request: Request<wire::ServeScimRequest>,
    ) -> Answer<wire::ServeScimResponse> {
        let (caller, request) = open(request)?;
        let request = ScimRequest {
            token: SecretString::from(request.token),
            method: request.method,
            path: request.path,
            query: request.query,
            body: request.body,
            if_match: request.if_match,
            base_url: request.base_url,
        };
        answer(serve(&self.tools, &caller, &request).await, served)
    }
}

fn id<T: FromStr>(field: &'static str, text: &str) -> Result<T, Error> {
    text.parse().map_err(|_| Error::Field {
        field,
        problem: "is not an id of this kind",
    })
}

/// `None` for no role.
fn gives(request: &wire::SetScimGroupRoleRequest) -> Result<Option<Assignment>, Error> {
    let wrong = || Error::Field {
        field: "roleId",
        problem: "belongs to the role ROLE_CUSTOM and to no other",
    };
    let role_id: Option<RoleId> = match request.role_id.as_str() {
        "" => None,
        text => Some(id("roleId", text)?),
    };
    match (request.role(), role_id) {
        (wire::Role::Unspecified, None) => Ok(None),
        (wire::Role::Unspecified, Some(_)) => Err(wrong()),
        (role, role_id) => {
            let role = Role::try_from(role).map_err(|_| Error::Field {
                field: "role",
                problem: "is not a role",
            })?;
            Assignment::new(role, role_id).map(Some).ok_or_else(wrong)
        }
    }
}

fn directory(directory: Directory) -> wire::ScimDirectory {
    wire::ScimDirectory {
        id: directory.id.to_string(),
        name: directory.name,
        token_prefix: directory.token_prefix,
        created_at: Some(directory.created_at.into()),
        last_used_at: directory.last_used_at.map(Timestamp::from),
    }
}

fn with_token((created, token): (Directory, SecretString)) -> wire::CreateScimDirectoryResponse {
    wire::CreateScimDirectoryResponse {
        directory: Some(directory(created)),
        token: token.expose_secret().to_owned(),
    }
}

fn groups(page: Page<ManagedGroup>) -> wire::ListScimGroupsResponse {
    wire::ListScimGroupsResponse {
        groups: page.items.into_iter().map(group).collect(),
        next_page_token: page.next.unwrap_or_default(),
    }
}

fn group(group: ManagedGroup) -> wire::ScimGroup {
    let role = group.gives.map_or(wire::Role::Unspecified, |gives| {
        wire::Role::from(gives.role())
    });
    let role_id = group.gives.and_then(Assignment::role_id);
    wire::ScimGroup {
        id: group.id.to_string(),
        display_name: group.display_name,
        role: role.into(),
        role_id: role_id.map(|id| id.to_string()).unwrap_or_default(),
        member_count: u32::try_from(group.members).unwrap_or(u32::MAX),
        created_at: Some(group.created_at.into()),
    }
}

fn served(answer: ScimAnswer) -> wire::ServeScimResponse {
    let version = answer.version.as_ref().map(Version::as_str);
    let (content_type, body) = match answer.body {
        Some(body) => (MEDIA_TYPE.to_owned(), body.to_string().into_bytes()),
        None => (String::new(), Vec::new()),
    };
    wire::ServeScimResponse {
        status: answer.status.into(),
        content_type,
        location: answer.location.unwrap_or_default(),
        etag: version.unwrap_or_default().to_owned(),
        body,
    }
}

//! What a call asks for, and whether its token may.

use std::sync::Arc;

use http::Method;

use super::incoming::Incoming;
use crate::meta::{
    Meta,
    error::GraphError,
    fault::Call,
    media::StoredMedia,
    number::Number,
    registry::{Account, Grant, Registered},
};

const MESSAGING: &str = "whatsapp_business_messaging";
const MANAGEMENT: &str = "whatsapp_business_management";

#[derive(Debug)]
pub(super) enum Operation {
    SendMessage(Arc<Number>),
    MarkRead(Arc<Number>),
    UploadMedia(Arc<Number>),
    /// True to block, false to take a block back.
    ChangeBlocks(Arc<Number>, bool),
    ReadNumber(Arc<Number>),
    ConfigureNumber(Arc<Number>),
    ReadAccount(Arc<Account>),
    ListNumbers(Arc<Account>),
    ListTemplates(Arc<Account>),
    ReadTemplate(Arc<Registered>),
    CreateTemplate(Arc<Account>),
    EditTemplate {
        account: Arc<Account>,
        known: Arc<Registered>,
    },
    DeleteTemplates(Arc<Account>),
    ListSubscriptions(Arc<Account>),
    Subscribe {
        account: Arc<Account>,
        app_id: String,
    },
    Unsubscribe {
        account: Arc<Account>,
        app_id: String,
    },
    MediaUrl(Arc<StoredMedia>),
    DownloadMedia(Arc<StoredMedia>),
    DeleteMedia(Arc<StoredMedia>),
    DebugToken,
}

impl Operation {
    pub(super) fn call(&self) -> Call {
        match self {
            Self::SendMessage(_) => Call::Messages,
            Self::MarkRead(_) => Call::MarkRead,
            Self::UploadMedia(_) => Call::MediaUpload,
            Self::MediaUrl(_) => Call::MediaUrl,
            Self::DownloadMedia(_) => Call::MediaDownload,
            Self::DeleteMedia(_) => Call::MediaDelete,
            Self::ChangeBlocks(..) => Call::BlockUsers,
            _ => Call::Management,
        }
    }

    pub(super) fn phone_number_id(&self) -> Option<String> {
        match self {
            Self::SendMessage(number)
            | Self::MarkRead(number)
            | Self::UploadMedia(number)
            | Self::ReadNumber(number)
            | Self::ConfigureNumber(number)
            | Self::ChangeBlocks(number, _) => Some(number.id.to_string()),
            Self::MediaUrl(file) | Self::DownloadMedia(file) | Self::DeleteMedia(file) => {
                Some(file.phone_number_id.clone())
            }
            _ => None,
        }
    }
}

pub(super) fn resolve(meta: &Meta, incoming: &Incoming) -> Result<Operation, GraphError> {
    let segments: Vec<_> = incoming.segments.iter().map(String::as_str).collect();
    match segments.as_slice() {
        ["debug_token"] if incoming.method == Method::GET => Ok(Operation::DebugToken),
        ["whatsapp_business", "attachments"] => download(meta, incoming),
        [node] => {
            let grant = authenticate(meta, incoming)?;
            on_node(meta, incoming, &grant, node)
        }
        [node, edge] => {
            let grant = authenticate(meta, incoming)?;
            on_edge(meta, incoming, &grant, node, edge)
        }
        _ => Err(GraphError::unknown_path(&format!(
            "/{}",
            segments.join("/")
        ))),
    }
}

fn authenticate(meta: &Meta, incoming: &Incoming) -> Result<Arc<Grant>, GraphError> {
    let token = incoming.token.as_deref().ok_or_else(GraphError::no_token)?;
    let grant = meta.registry().find_token(token);
    let grant = grant.ok_or_else(GraphError::malformed_token)?;
    grant.check(meta.clock().now())?;
    Ok(grant)
}

fn on_node(
    meta: &Meta,
    incoming: &Incoming,
    grant: &Grant,
    id: &str,
) -> Result<Operation, GraphError> {
    let method = &incoming.method;
    let unknown = || GraphError::unknown_object(method, id);
    if let Some(number) = meta.registry().find_number(id) {
        covers(grant, &number.account_id, MANAGEMENT, unknown)?;
        return match *method {
            Method::GET => Ok(Operation::ReadNumber(number)),
            Method::POST => Ok(Operation::ConfigureNumber(number)),
            _ => Err(unknown()),
        };
    }
    if let Some(account) = meta.registry().find_account(id) {
        covers(grant, id, MANAGEMENT, unknown)?;
        return match *method {
            Method::GET => Ok(Operation::ReadAccount(account)),
            _ => Err(unknown()),
        };
    }
    if let Some(file) = meta.0.media.find(id, meta.clock().now()) {
        let number = meta.registry().find_number(&file.phone_number_id);
        let number = number.ok_or_else(unknown)?;
        covers(grant, &number.account_id, MESSAGING, unknown)?;
        // Meta: the parameter restricts the look-up to files of that number.
        let asked = incoming.query("phone_number_id");
        if asked.is_some_and(|asked| asked != file.phone_number_id) {
            return Err(unknown());
        }
        return match *method {
            Method::GET => Ok(Operation::MediaUrl(file)),
            Method::DELETE => Ok(Operation::DeleteMedia(file)),
            _ => Err(unknown()),
        };
    }
    let template = meta
        .registry()
        .accounts()
        .into_iter()
        .filter(|account| grant.opens(&account.id))
        .find_map(|account| {
            let mut templates = account.templates().into_iter();
            let known = templates.find(|known| known.template.id == id)?;
            Some((account, known))
        });
    match (template, method) {
        (Some((_, known)), &Method::GET) => Ok(Operation::ReadTemplate(known)),
        (Some((account, known)), &Method::POST) => {
            covers(grant, &account.id, MANAGEMENT, unknown)?;
            Ok(Operation::EditTemplate { account, known })
        }
        _ => Err(unknown()),
    }
}

fn on_edge(
    meta: &Meta,
    incoming: &Incoming,
    grant: &Grant,
    id: &str,
    edge: &str,
) -> Result<Operation, GraphError> {
    let method = &incoming.method;
    let unknown = || GraphError::unknown_object(method, id);
    if let Some(number) = meta.registry().find_number(id) {
        covers(grant, &number.account_id, MESSAGING, unknown)?;
        return match (edge, method) {
            ("messages", &Method::POST) => Ok(Operation::SendMessage(number)),
            ("media", &Method::POST) => Ok(Operation::UploadMedia(number)),
            ("block_users", &Method::POST) => Ok(Operation::ChangeBlocks(number, true)),
            ("block_users", &Method::DELETE) => Ok(Operation::ChangeBlocks(number, false)),
            ("messages" | "media" | "block_users", _) => Err(unknown()),
            _ => Err(GraphError::unknown_path(&format!("/{edge}"))),
        };
    }
    let account = meta.registry().find_account(id).ok_or_else(unknown)?;
    covers(grant, id, MANAGEMENT, unknown)?;
    let app_id = grant.app_id.clone();
    match (edge, method) {
        ("phone_numbers", &Method::GET) => Ok(Operation::ListNumbers(account)),
        ("message_templates", &Method::GET) => Ok(Operation::ListTemplates(account)),
        ("message_templates", &Method::POST) => Ok(Operation::CreateTemplate(account)),
        ("message_templates", &Method::DELETE) => Ok(Operation::DeleteTemplates(account)),
        ("subscribed_apps", &Method::GET) => Ok(Operation::ListSubscriptions(account)),
        ("subscribed_apps", &Method::POST) => Ok(Operation::Subscribe { account, app_id }),
        ("subscribed_apps", &Method::DELETE) => Ok(Operation::Unsubscribe { account, app_id }),
        ("phone_numbers" | "message_templates" | "subscribed_apps", _) => Err(unknown()),
        _ => Err(GraphError::unknown_path(&format!("/{edge}"))),
    }
}

/// An account that isn't shared looks like one that doesn't exist; a missing permission doesn't.
fn covers(
    grant: &Grant,
    account_id: &str,
    scope: &str,
    unknown: impl Fn() -> GraphError,
) -> Result<(), GraphError> {
    if !grant.opens(account_id) {
        return Err(unknown());
    }
    if !grant.has_scope(scope) {
        return Err(GraphError::of(10));
    }
    Ok(())
}

/// Meta: without the token, or when the URL is too old, the download fails with 404.
fn download(meta: &Meta, incoming: &Incoming) -> Result<Operation, GraphError> {
    let missing = || {
        GraphError::unknown_object(&incoming.method, "attachment")
            .status(http::StatusCode::NOT_FOUND)
    };
    let grant = authenticate(meta, incoming).map_err(|_| missing())?;
    let part = |name| incoming.query(name).unwrap_or_default();
    let file = meta
        .media_behind(part("mid"), part("ext"), part("hash"))
        .filter(|_| incoming.method == Method::GET)
        .ok_or_else(missing)?;
    let number = meta.registry().find_number(&file.phone_number_id);
    let account_id = &number.ok_or_else(missing)?.account_id;
    covers(&grant, account_id, MESSAGING, missing)?;
    Ok(Operation::DownloadMedia(file))
}

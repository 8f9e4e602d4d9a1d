//! The audit log over gRPC.

use chrono::{DateTime, Utc};
use db::page::Page;
use errors::to_status;
use pbjson_types::Timestamp;
use proto::identity::v1::{self as wire, audit_service_server::AuditService};
use tonic::{Request, Response, Status};

use crate::{
    Error,
    domain::audit::{Checkpoint, Link},
    ops::{
        Tools,
        list_audit_entries::{export_audit_entries, list_audit_entries},
        verify_audit_chain::{Reason, Verified, verify_audit_chain},
    },
    store::audit::Filter,
};

/// Behind `auth::GrpcLayer` and the validation of fields.
#[derive(Debug, Clone)]
pub(crate) struct Audit {
    pub(crate) tools: Tools,
}

#[tonic::async_trait]
impl AuditService for Audit {
    async fn list_audit_entries(
        &self,
        request: Request<wire::ListAuditEntriesRequest>,
    ) -> Result<Response<wire::ListAuditEntriesResponse>, Status> {
        let caller = auth::context(&request)?.clone();
        let request = request.into_inner();
        let (size, token) = (request.page_size, request.page_token.clone());
        let page = match filter(request) {
            Ok(filter) => list_audit_entries(&self.tools, &caller, &filter, size, &token).await,
            Err(error) => Err(error),
        };
        answer(page.and_then(entries))
    }

    async fn export_audit_entries(
        &self,
        request: Request<wire::ExportAuditEntriesRequest>,
    ) -> Result<Response<wire::ExportAuditEntriesResponse>, Status> {
        let caller = auth::context(&request)?.clone();
        let request = request.into_inner();
        let (size, token) = (request.page_size, request.page_token);
        answer(
            export_audit_entries(&self.tools, &caller, size, &token)
                .await
                .map(export),
        )
    }

    async fn verify_audit_chain(
        &self,
        request: Request<wire::VerifyAuditChainRequest>,
    ) -> Result<Response<wire::VerifyAuditChainResponse>, Status> {
        let caller = auth::context(&request)?.clone();
        let request = request.into_inner();
        let verified = match request.known.as_ref().map(known).transpose() {
            Ok(known) => verify_audit_chain(&self.tools, &caller, known, &request.page_token).await,
            Err(error) => Err(error),
        };
        answer(verified.map(verification))
    }
}

fn answer<T>(result: Result<T, Error>) -> Result<Response<T>, Status> {
    result.map(Response::new).map_err(|error| to_status(&error))
}

fn filter(request: wire::ListAuditEntriesRequest) -> Result<Filter, Error> {
    let given = |text: String| Some(text).filter(|text| !text.is_empty());
    Ok(Filter {
        actor: given(request.actor),
        action: given(request.action),
        target: given(request.target),
        since: time("since", request.since)?,
        until: time("until", request.until)?,
    })
}

fn time(field: &'static str, at: Option<Timestamp>) -> Result<Option<DateTime<Utc>>, Error> {
    at.map(DateTime::try_from)
        .transpose()
        .map_err(|_| Error::Field {
            field,
            problem: "is not a time",
        })
}

fn entries(page: Page<Link>) -> Result<wire::ListAuditEntriesResponse, Error> {
    Ok(wire::ListAuditEntriesResponse {
        next_page_token: page.next.unwrap_or_default(),
        entries: page
            .items
            .into_iter()
            .map(entry)
            .collect::<Result<_, _>>()?,
    })
}

fn entry(link: Link) -> Result<wire::AuditEntry, Error> {
    let Link { seq, entry, .. } = link;
    let value = |column, value: Option<serde_json::Value>| {
        value
            .map(serde_json::from_value)
            .transpose()
            .map_err(|_| db::DbError::inconsistent("audit_entries", column, entry.id))
    };
    Ok(wire::AuditEntry {
        id: entry.id.to_string(),
        seq: seq.unsigned_abs(),
        occurred_at: Some(entry.occurred_at.into()),
        before: value("before", entry.before)?,
        after: value("after", entry.after)?,
        actor: entry.actor,
        action: entry.action,
        target: entry.target,
        address: entry.address,
        user_agent: entry.user_agent,
    })
}

fn export(page: Page<Link>) -> wire::ExportAuditEntriesResponse {
    let exported = |link: Link| wire::ExportedAuditEntry {
        seq: link.seq.unsigned_abs(),
        record: link.entry.record(link.seq),
        previous_hash: link.previous_hash,
        hash: link.hash,
    };
    wire::ExportAuditEntriesResponse {
        entries: page.items.into_iter().map(exported).collect(),
        next_page_token: page.next.unwrap_or_default(),
    }
}

fn known(checkpoint: &wire::AuditCheckpoint) -> Result<Checkpoint, Error> {
    let wrong = |field, problem| Error::Field { field, problem };
    Ok(Checkpoint {
        seq: checkpoint
            .seq
            .try_into()
            .map_err(|_| wrong("known.seq", "is not a place in the chain"))?,
        hash: checkpoint
            .hash
            .as_slice()
            .try_into()
            .map_err(|_| wrong("known.hash", "must have 32 bytes"))?,
    })
}

fn verification(verified: Verified) -> wire::VerifyAuditChainResponse {
    let Verified {
        last,
        first_break,
        next,
    } = verified;
    wire::VerifyAuditChainResponse {
        checked: last.seq.unsigned_abs(),
        last: Some(wire::AuditCheckpoint {
            seq: last.seq.unsigned_abs(),
            hash: last.hash.to_vec(),
        }),
        first_break: first_break.map(|at| wire::AuditBreak {
            seq: at.seq.unsigned_abs(),
            reason: match at.reason {
                Reason::Altered => wire::AuditBreakReason::Altered,
                Reason::Removed => wire::AuditBreakReason::Removed,
                Reason::Reordered => wire::AuditBreakReason::Reordered,
                Reason::Added => wire::AuditBreakReason::Added,
            }
            .into(),
        }),
        next_page_token: next.unwrap_or_default(),
    }
}

//! The contact service, one line per RPC.

use proto::messaging::v1::{
    Attribute, BlockContactRequest, Consent, Contact, ContactNote, CreateAttributeRequest,
    CreateContactNoteRequest, CreateContactRequest, CreateContactResponse, DeleteAttributeRequest,
    DeleteAttributeResponse, DeleteContactNoteRequest, DeleteContactNoteResponse,
    ListAttributesRequest, ListAttributesResponse, ListCandidatesRequest, ListCandidatesResponse,
    ListConsentsRequest, ListConsentsResponse, ListContactNotesRequest, ListContactNotesResponse,
    ListMergesRequest, ListMergesResponse, MergeContactsRequest, MergeContactsResponse,
    RecordConsentRequest, UnblockContactRequest, UndoMergeRequest, UndoMergeResponse,
    UpdateAttributeRequest, UpdateContactNoteRequest, UpdateContactRequest,
    contact_service_server::ContactService,
};
use tonic::{Request, Response, Status};

use super::service::{Service, ask, idempotency};
use crate::ops::{
    contacts::{
        attributes,
        block_contact::{block_contact, unblock_contact},
        candidates::list_candidates,
        consent::{list_consents, record_consent},
        create_contact::create_contact,
        merge_contacts::{list_merges, merge_contacts, merge_id},
        notes,
        undo_merge::undo_merge,
        update_contact::update_contact,
    },
    view,
};

#[tonic::async_trait]
impl ContactService for Service {
    async fn create_contact(
        &self,
        request: Request<CreateContactRequest>,
    ) -> Result<Response<CreateContactResponse>, Status> {
        let key = idempotency(auth::context(&request)?, request.get_ref());
        answer!(self, request, |db, scope, sight, message| create_contact(
            db, &scope, message, key
        ))
    }

    async fn update_contact(
        &self,
        request: Request<UpdateContactRequest>,
    ) -> Result<Response<Contact>, Status> {
        answer!(self, request, |db, scope, sight, message| update_contact(
            db, &scope, message
        ))
    }

    async fn list_candidates(
        &self,
        request: Request<ListCandidatesRequest>,
    ) -> Result<Response<ListCandidatesResponse>, Status> {
        answer!(self, request, |db, scope, sight, message| {
            list_candidates(db, &scope, view::id("contactId", &message.contact_id)?)
        })
    }

    async fn merge_contacts(
        &self,
        request: Request<MergeContactsRequest>,
    ) -> Result<Response<MergeContactsResponse>, Status> {
        let key = idempotency(auth::context(&request)?, request.get_ref());
        answer!(self, request, |db, scope, sight, message| {
            let contact_id = view::id("contactId", &message.contact_id)?;
            let other_id = view::id("otherContactId", &message.other_contact_id)?;
            merge_contacts(db, &scope, contact_id, other_id, key)
        })
    }

    async fn undo_merge(
        &self,
        request: Request<UndoMergeRequest>,
    ) -> Result<Response<UndoMergeResponse>, Status> {
        answer!(self, request, |db, scope, sight, message| {
            undo_merge(db, &scope, merge_id(&message.merge_id)?)
        })
    }

    async fn list_merges(
        &self,
        request: Request<ListMergesRequest>,
    ) -> Result<Response<ListMergesResponse>, Status> {
        answer!(self, request, |db, scope, sight, message| {
            let contact_id = view::id("contactId", &message.contact_id)?;
            let ask = ask(message.page_size, &message.page_token);
            list_merges(db, &scope, contact_id, ask)
        })
    }

    async fn create_contact_note(
        &self,
        request: Request<CreateContactNoteRequest>,
    ) -> Result<Response<ContactNote>, Status> {
        let key = idempotency(auth::context(&request)?, request.get_ref());
        answer!(self, request, |db, scope, sight, message| {
            let contact_id = view::id("contactId", &message.contact_id)?;
            notes::create(db, &scope, contact_id, message.body, key)
        })
    }

    async fn update_contact_note(
        &self,
        request: Request<UpdateContactNoteRequest>,
    ) -> Result<Response<ContactNote>, Status> {
        answer!(self, request, |db, scope, sight, message| {
            let id = view::id("contactNoteId", &message.contact_note_id)?;
            notes::update(db, &scope, id, &message.body)
        })
    }

    async fn delete_contact_note(
        &self,
        request: Request<DeleteContactNoteRequest>,
    ) -> Result<Response<DeleteContactNoteResponse>, Status> {
        answer!(self, request, |db, scope, sight, message| {
            let id = view::id("contactNoteId", &message.contact_note_id)?;
            notes::delete(db, &scope, id)
        })
    }

    async fn list_contact_notes(
        &self,
        request: Request<ListContactNotesRequest>,
    ) -> Result<Response<ListContactNotesResponse>, Status> {
        answer!(self, request, |db, scope, sight, message| {
            let contact_id = view::id("contactId", &message.contact_id)?;
            let ask = ask(message.page_size, &message.page_token);
            notes::list(db, &scope, contact_id, ask)
        })
    }

    async fn record_consent(
        &self,
        request: Request<RecordConsentRequest>,
    ) -> Result<Response<Consent>, Status> {
        let key = idempotency(auth::context(&request)?, request.get_ref());
        answer!(self, request, |db, scope, sight, message| record_consent(
            db, &scope, message, key
        ))
    }

    async fn list_consents(
        &self,
        request: Request<ListConsentsRequest>,
    ) -> Result<Response<ListConsentsResponse>, Status> {
        answer!(self, request, |db, scope, sight, message| {
            let contact_id = view::id("contactId", &message.contact_id)?;
            let ask = ask(message.page_size, &message.page_token);
            list_consents(db, &scope, contact_id, ask)
        })
    }

    async fn block_contact(
        &self,
        request: Request<BlockContactRequest>,
    ) -> Result<Response<Contact>, Status> {
        answer!(self, request, |db, scope, sight, message| {
            block_contact(db, &scope, view::id("contactId", &message.contact_id)?)
        })
    }

    async fn unblock_contact(
        &self,
        request: Request<UnblockContactRequest>,
    ) -> Result<Response<Contact>, Status> {
        answer!(self, request, |db, scope, sight, message| {
            unblock_contact(db, &scope, view::id("contactId", &message.contact_id)?)
        })
    }

    async fn create_attribute(
        &self,
        request: Request<CreateAttributeRequest>,
    ) -> Result<Response<Attribute>, Status> {
        answer!(self, request, |db, scope, sight, message| {
            attributes::create(db, &scope, message)
        })
    }

    async fn update_attribute(
        &self,
        request: Request<UpdateAttributeRequest>,
    ) -> Result<Response<Attribute>, Status> {
        answer!(self, request, |db, scope, sight, message| {
            attributes::update(db, &scope, message)
        })
    }

    async fn delete_attribute(
        &self,
        request: Request<DeleteAttributeRequest>,
    ) -> Result<Response<DeleteAttributeResponse>, Status> {
        answer!(self, request, |db, scope, sight, message| {
            attributes::delete(db, &scope, &message.attribute_key)
        })
    }

    async fn list_attributes(
        &self,
        request: Request<ListAttributesRequest>,
    ) -> Result<Response<ListAttributesResponse>, Status> {
        answer!(
            self,
            request,
            |db, scope, sight, _message| attributes::list(db, &scope)
        )
    }
}

#[cfg(test)]
mod tests;

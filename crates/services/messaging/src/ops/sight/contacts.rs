//! What is hidden of the contact service's answers.

use proto::messaging::v1::{
    Attribute, Consent, ContactNote, CreateContactResponse, DeleteAttributeResponse,
    DeleteContactNoteResponse, ListAttributesResponse, ListCandidatesResponse,
    ListConsentsResponse, ListContactNotesResponse, ListMergesResponse, MergeContactsResponse,
    UndoMergeResponse,
};

use super::Details;
use crate::domain::mask;

impl Details for CreateContactResponse {
    fn hide(&mut self) {
        self.contact.hide();
        self.candidates.iter_mut().for_each(Details::hide);
    }
}

impl Details for ListCandidatesResponse {
    fn hide(&mut self) {
        self.contacts.iter_mut().for_each(Details::hide);
    }
}

impl Details for MergeContactsResponse {
    fn hide(&mut self) {
        self.contact.hide();
    }
}

impl Details for UndoMergeResponse {
    fn hide(&mut self) {
        self.kept.hide();
        self.restored.hide();
    }
}

/// Only ids.
impl Details for ListMergesResponse {
    fn hide(&mut self) {}
}

/// What an agent wrote is left as it is.
impl Details for ContactNote {
    fn hide(&mut self) {}
}

impl Details for ListContactNotesResponse {
    fn hide(&mut self) {}
}

impl Details for DeleteContactNoteResponse {
    fn hide(&mut self) {}
}

/// The organization's own words.
impl Details for Attribute {
    fn hide(&mut self) {}
}

impl Details for ListAttributesResponse {
    fn hide(&mut self) {}
}

impl Details for DeleteAttributeResponse {
    fn hide(&mut self) {}
}

/// WhatsApp's ids and addresses of forms have details inside.
impl Details for Consent {
    fn hide(&mut self) {
        if let Some(proof) = &mut self.proof {
            mask::structure(proof);
        }
    }
}

impl Details for ListConsentsResponse {
    fn hide(&mut self) {
        self.consents.iter_mut().for_each(Details::hide);
    }
}

//! The stored form of a sealed value: version, id of its data key, nonce, ciphertext and tag.

use ids::DataKeyId;

/// Version 1: AES-256-GCM, the id of the key as 16 bytes.
const VERSION: u8 = 1;
const HEADER_LENGTH: usize = 17;

pub(crate) fn encode(key: DataKeyId, encrypted: &[u8]) -> Vec<u8> {
    let mut sealed = Vec::with_capacity(HEADER_LENGTH + encrypted.len());
    sealed.push(VERSION);
    sealed.extend_from_slice(key.as_uuid().as_bytes());
    sealed.extend_from_slice(encrypted);
    sealed
}

/// The id of the key and what it encrypted; `None` for anything that is not our envelope.
pub(crate) fn decode(sealed: &[u8]) -> Option<(DataKeyId, &[u8])> {
    let (header, encrypted) = sealed.split_at_checked(HEADER_LENGTH)?;
    let (version, id) = header.split_first()?;
    let id: [u8; 16] = id.try_into().ok()?;
    (*version == VERSION).then(|| (DataKeyId::from_uuid(uuid::Uuid::from_bytes(id)), encrypted))
}

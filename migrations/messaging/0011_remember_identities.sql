-- The identity that the customer wrote from last, or that the conversation was opened with: replies go there as long as
-- the contact has it. Null while nobody has written since this column was made.
alter table messaging.conversations
    add column identity_kind text,
    add column identity_value text,
    add constraint conversations_identity_check check ((identity_kind is null) = (identity_value is null));

-- What a message was written from. It says whose the message is when contacts that were merged are parted.
alter table messaging.messages
    add column identity_kind text,
    add column identity_value text;

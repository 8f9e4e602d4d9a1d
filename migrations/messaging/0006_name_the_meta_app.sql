-- Whoever holds the secret of one Meta app can sign a webhook that names any number. So a channel says which app it is
-- registered with, by the name in the callback address, and is heard through that one only. What is there already
-- belongs to installations with one app.
alter table messaging.channels add column app text not null default 'default';
alter table messaging.channels alter column app drop default;
alter table messaging.channel_routes add column app text not null default 'default';
alter table messaging.channel_routes alter column app drop default;

alter table messaging.quarantined_items
    drop constraint quarantined_items_reason_check,
    add constraint quarantined_items_reason_check
        check (reason in ('malformed', 'unknown_number', 'unknown_account', 'wrong_app'));

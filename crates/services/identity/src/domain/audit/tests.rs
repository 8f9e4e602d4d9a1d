use proptest::{collection::vec, prelude::*};

use super::*;

fn entry(number: i64) -> Entry {
    Entry {
        id: AuditEntryId::min_at(1_760_000_000_000 + number.unsigned_abs()),
        occurred_at: DateTime::from_timestamp(1_760_000_000 + number, 123_456_000).unwrap(),
        actor: "usr_1".to_owned(),
        action: "role.changed".to_owned(),
        target: format!("role_{number}"),
        before: None,
        after: Some(json!({ "name": "Night shift", "level": 3 })),
        address: "192.0.2.1".to_owned(),
        user_agent: String::new(),
        event_id: None,
    }
}

fn chain(length: i64) -> Vec<Link> {
    let mut end = Checkpoint::GENESIS;
    (1..=length)
        .map(|seq| {
            let entry = entry(seq);
            let hash = entry.hash(seq, &end.hash);
            let link = Link {
                seq,
                entry,
                previous_hash: end.hash.to_vec(),
                hash: hash.to_vec(),
            };
            end = Checkpoint { seq, hash };
            link
        })
        .collect()
}

/// How far the chain is sound, and what is wrong behind.
fn walk(chain: &[Link]) -> (i64, Option<Fault>) {
    let mut at = Checkpoint::GENESIS;
    for link in chain {
        match at.advance(link) {
            Ok(next) => at = next,
            Err(fault) => return (at.seq, Some(fault)),
        }
    }
    (at.seq, None)
}

#[test]
fn the_record_is_what_the_contract_promises_to_auditors() {
    assert_eq!(
        entry(7).record(7),
        format!(
            r#"[7,"{}",1760000007123456,"usr_1","role.changed","role_7",null,{{"level":3,"name":"Night shift"}},"192.0.2.1","",null]"#,
            entry(7).id
        )
    );
    // The chain goes on in the database: the same entry must have the same hash for ever.
    let hash = entry(7).hash(7, &Checkpoint::GENESIS.hash);
    let again = Sha256::digest([&[0; 32], entry(7).record(7).as_bytes()].concat());
    assert_eq!(hash[..], again[..]);
}

#[test]
fn numbers_have_one_text_however_they_were_written() {
    for (one, other) in [
        ("1e15", "1000000000000000"),
        ("1.0", "1"),
        ("-0.0", "0"),
        ("1e21", "1000000000000000000000"),
        ("1e-7", "0.0000001"),
        ("12345678901234567890", "12345678901234567890"),
    ] {
        let text = |json: &str| {
            let mut out = String::new();
            write_canonical(&mut out, &serde_json::from_str(json).unwrap());
            out
        };
        assert_eq!(text(one), text(other));
    }
}

#[test]
fn a_chain_that_was_written_is_sound() {
    assert_eq!(walk(&chain(20)), (20, None));
    assert_eq!(walk(&[]), (0, None));
}

#[derive(Debug, Clone)]
enum Tampering {
    Field(u8),
    Rehashed,
    Remove,
    Swap,
}

fn tampering() -> impl Strategy<Value = Tampering> {
    prop_oneof![
        (0..9_u8).prop_map(Tampering::Field),
        Just(Tampering::Rehashed),
        Just(Tampering::Remove),
        Just(Tampering::Swap),
    ]
}

fn change(entry: &mut Entry, field: u8) {
    match field {
        0 => entry.id = AuditEntryId::min_at(1),
        1 => entry.occurred_at += chrono::TimeDelta::microseconds(1),
        2 => entry.actor.push('x'),
        3 => entry.action.push('x'),
        4 => entry.target.push('x'),
        5 => entry.before = Some(json!({})),
        6 => entry.after = Some(json!({ "name": "Night shift", "level": 4 })),
        7 => entry.address.clear(),
        _ => entry.event_id = Some(EventId::min_at(1)),
    }
}

proptest! {
    #[test]
    fn whatever_is_done_to_an_entry_shows_at_its_place(place in 0..19_usize, tampering in tampering()) {
        let mut chain = chain(20);
        let seq = chain[place].seq;
        let mut sound = seq - 1;
        let expected = match tampering {
            Tampering::Field(field) => {
                change(&mut chain[place].entry, field);
                Fault::Altered
            }
            Tampering::Rehashed => {
                // Whoever also mends the hash of the entry breaks the next one.
                let link = &mut chain[place];
                change(&mut link.entry, 3);
                link.hash = link.entry.hash(seq, &link.previous_hash).to_vec();
                sound = seq;
                Fault::Altered
            }
            Tampering::Remove => {
                chain.remove(place);
                Fault::Removed
            }
            Tampering::Swap => {
                chain.swap(place, place + 1);
                chain[place].seq = seq;
                chain[place + 1].seq = seq + 1;
                Fault::Altered
            }
        };
        prop_assert_eq!(walk(&chain), (sound, Some(expected)));
    }

    #[test]
    fn the_hash_does_not_depend_on_the_order_of_keys(fields in vec(("[a-z]{1,3}", any::<i64>()), 0..8)) {
        let with = |fields: &[(String, i64)]| {
            let object = fields.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
            let mut entry = entry(1);
            entry.after = Some(Value::Object(object));
            entry.hash(1, &[])
        };
        let unique: std::collections::BTreeMap<_, _> = fields.iter().cloned().collect();
        let ordered: Vec<_> = unique.clone().into_iter().collect();
        let reversed: Vec<_> = unique.into_iter().rev().collect();
        prop_assert_eq!(with(&ordered), with(&reversed));
    }

    #[test]
    fn texts_can_not_flow_into_their_neighbours(one in ".{0,6}", other in ".{0,6}") {
        let of = |action: &str, target: &str| {
            let mut entry = entry(1);
            (entry.action, entry.target) = (action.to_owned(), target.to_owned());
            entry.record(1)
        };
        let whole = format!("{one}{other}");
        prop_assert_eq!(of(&one, &other) == of(&whole, ""), other.is_empty());
    }
}

use proptest::prelude::*;

use super::*;

type Key = (i64, String);

fn open(filters: &str, size: u32, token: &str) -> Result<Pager<Key>, PageTokenInvalid> {
    Pager::new("contacts by name", &filters, size, token)
}

fn rows(from: i64, count: i64) -> Vec<i64> {
    (from..from + count).collect()
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the shape that `page` asks for"
)]
fn key(row: &i64) -> Key {
    (*row, format!("row {row}"))
}

#[test]
fn a_token_leads_to_the_row_behind_the_last_one() {
    let first = open("all", 3, "").expect("no token");
    assert_eq!(first.limit(), 4);
    let page = first.page(rows(0, 4), key);
    assert_eq!(page.items, [0, 1, 2]);
    let second = open("all", 3, &page.next.expect("more")).expect("its token");
    assert_eq!(second.after(), Some(&(2, "row 2".to_owned())));
    assert_eq!(second.page(rows(3, 3), key).next, None);
}

#[test]
fn a_token_is_refused_with_other_filters_and_on_other_lists() {
    let token = open("open", 1, "")
        .expect("no token")
        .page(rows(0, 2), key)
        .next
        .expect("more");
    assert!(open("open", 1, &token).is_ok());
    assert_eq!(open("closed", 1, &token).err(), Some(PageTokenInvalid));
    let other = Pager::<Key>::new("contacts by age", &"open", 1, &token);
    assert_eq!(other.err(), Some(PageTokenInvalid));
}

#[test]
fn a_wish_for_too_many_rows_is_cut() {
    assert_eq!(open("", 5_000, "").expect("no token").limit(), 101);
    assert_eq!(open("", 0, "").expect("no token").limit(), 26);
}

proptest! {
    #[test]
    fn an_edited_token_is_refused(position in 0usize..1_000, byte in any::<u8>(), cut in 0usize..1_000) {
        let token = open("f", 1, "").expect("no token").page(rows(7, 2), key).next.expect("more");
        let mut edited = token.clone().into_bytes();
        let index = position % edited.len();
        edited[index] = byte;
        let edited = String::from_utf8_lossy(&edited).into_owned();
        prop_assert_eq!(open("f", 1, &edited).is_ok(), edited == token || edited.is_empty());
        let cut = &token[..cut % token.len()];
        prop_assert_eq!(open("f", 1, cut).is_ok(), cut.is_empty());
    }

    #[test]
    fn any_text_is_answered_without_a_panic(text in "\\PC*") {
        prop_assert_eq!(open("f", 1, &text).is_ok(), text.is_empty());
    }
}

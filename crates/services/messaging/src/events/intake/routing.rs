//! Which channels an item belongs to, by our own map alone.

use std::{collections::HashMap, sync::Arc};

use db::DbError;
use sqlx::PgConnection;
use whatsapp::webhook::Item;

use crate::store::{
    quarantine::Reason,
    routes::{self, AccountRoute, NumberRoute, Route},
};

/// An item and the Meta app that signed it.
#[derive(Debug)]
pub(crate) struct Heard {
    pub(crate) app: Arc<str>,
    pub(crate) item: Item,
}

/// The routes a batch needs, read once.
#[derive(Debug)]
pub(crate) struct Routing {
    numbers: HashMap<String, NumberRoute>,
    accounts: Vec<AccountRoute>,
}

impl Routing {
    pub(crate) async fn load(conn: &mut PgConnection, items: &[Heard]) -> Result<Self, DbError> {
        let origins = || items.iter().map(|heard| &heard.item.origin);
        let mut numbers: Vec<String> = origins()
            .filter_map(|origin| origin.number.phone_number_id.clone())
            .collect();
        numbers.sort_unstable();
        numbers.dedup();
        let mut wabas: Vec<String> = origins()
            .filter(|origin| origin.number.phone_number_id.is_none())
            .filter_map(|origin| origin.waba_id.clone())
            .collect();
        wabas.sort_unstable();
        wabas.dedup();
        Ok(Self {
            numbers: routes::find_by_numbers(conn, &numbers).await?,
            accounts: if wabas.is_empty() {
                Vec::new()
            } else {
                routes::list_by_accounts(conn, &wabas).await?
            },
        })
    }

    /// By number where the item names one; account-level items by the digits of the number within
    /// the account, or to every number of the account. Only through the channel's own app.
    pub(crate) fn of(&self, heard: &Heard) -> Result<Vec<Route>, Reason> {
        let number = &heard.item.origin.number;
        let (found, unknown) = match &number.phone_number_id {
            Some(id) => (self.by_number(id), Reason::UnknownNumber),
            None => (self.by_account(&heard.item), Reason::UnknownAccount),
        };
        if found.is_empty() {
            return Err(unknown);
        }
        let routes: Vec<Route> = found
            .into_iter()
            .filter(|(app, _)| *app == &*heard.app)
            .map(|(_, route)| route)
            .collect();
        if routes.is_empty() {
            return Err(Reason::WrongApp);
        }
        Ok(routes)
    }

    fn by_number(&self, id: &str) -> Vec<(&str, Route)> {
        let found = self.numbers.get(id);
        found
            .map(|known| (known.app.as_str(), known.route))
            .into_iter()
            .collect()
    }

    fn by_account(&self, item: &Item) -> Vec<(&str, Route)> {
        let digits = item.origin.number.display.as_ref().map(|display| {
            let digits = display.chars().filter(char::is_ascii_digit);
            digits.collect::<String>()
        });
        self.accounts
            .iter()
            .filter(|known| Some(&known.waba_id) == item.origin.waba_id.as_ref())
            .filter(|known| digits.as_ref().is_none_or(|it| *it == known.display_digits))
            .map(|known| (known.app.as_str(), known.route))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::fixture::Fixture;

    /// The one item of a delivery with this account and value.
    fn heard(app: &str, waba_id: &str, field: &str, value: &serde_json::Value) -> Heard {
        let body = json!({
            "object": "whatsapp_business_account",
            "entry": [{ "id": waba_id, "changes": [{ "field": field, "value": value }] }],
        });
        let parsed = whatsapp::webhook::parse(body.to_string().as_bytes()).expect("a delivery");
        let item = parsed.items.into_iter().next().expect("an item");
        Heard {
            app: app.into(),
            item,
        }
    }

    fn message(app: &str, waba_id: &str, phone_number_id: &str) -> Heard {
        let value = json!({
            "messaging_product": "whatsapp",
            "metadata": { "display_phone_number": "49301", "phone_number_id": phone_number_id },
            "messages": [{ "from": "4915112345678", "id": "wamid.1", "timestamp": "1760000000",
                           "type": "text", "text": { "body": "hello" } }],
        });
        heard(app, waba_id, "messages", &value)
    }

    async fn routed(fixture: &Fixture, heard: Heard) -> Result<Vec<Route>, Reason> {
        let items = [heard];
        let mut tx = fixture.system().await;
        let routing = Routing::load(tx.conn(), &items).await.expect("the routes");
        routing.of(&items[0])
    }

    /// W-20
    #[tokio::test]
    async fn a_message_goes_where_our_map_sends_its_number_and_nowhere_else() {
        let mut fixture = Fixture::new().await;
        let first = fixture.route;
        fixture.add_tenant("1002").await;
        let second = fixture.route;
        let go = async |app, waba_id, number| routed(&fixture, message(app, waba_id, number)).await;
        assert_eq!(go("default", "2001", "1001").await, Ok(vec![first]));
        assert_eq!(go("default", "2001", "1002").await, Ok(vec![second]));
        // The account is somebody's claim: it moves nothing.
        assert_eq!(go("default", "9999", "1002").await, Ok(vec![second]));
        assert_eq!(
            go("default", "2001", "1003").await,
            Err(Reason::UnknownNumber)
        );
        // Who holds another app's secret can sign what names our number.
        assert_eq!(go("other", "2001", "1001").await, Err(Reason::WrongApp));
    }

    /// W-20
    #[tokio::test]
    async fn news_of_an_account_reaches_its_numbers_through_their_own_app() {
        let fixture = Fixture::new().await;
        let go = async |app, waba_id| {
            let value = json!({ "event": "VERIFIED_ACCOUNT" });
            routed(&fixture, heard(app, waba_id, "account_update", &value)).await
        };
        assert_eq!(go("default", "2001").await, Ok(vec![fixture.route]));
        assert_eq!(go("other", "2001").await, Err(Reason::WrongApp));
        assert_eq!(go("default", "2002").await, Err(Reason::UnknownAccount));
    }
}

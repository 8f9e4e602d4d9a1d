//! What anybody can do without end, and can't.

use proto::identity::v1::{BeginSsoRequest, FinishSamlRequest};
use tonic::{Request, Status};

use super::saml::Corp;
use crate::world::{as_caller, code};

/// As the gateway hands on what comes from an address.
fn from<T>(address: &str, message: T, service: &str) -> Request<T> {
    let mut request = as_caller(message, service);
    let address = address.parse().unwrap();
    request.metadata_mut().insert("sb-client-address", address);
    request
}

async fn begin(corp: &Corp, address: &str) -> Result<(), Status> {
    let request = BeginSsoRequest {
        connection_id: corp.connection.id.clone(),
        ..BeginSsoRequest::default()
    };
    let request = from(address, request, &corp.stage.service);
    corp.stage.sso.clone().begin_sso(request).await?;
    Ok(())
}

async fn count(corp: &Corp, table: &str) -> i64 {
    let mut admin = corp.stage.world.db.admin().await;
    let sql = format!("select count(*) from identity.{table}");
    sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
        .fetch_one(&mut admin)
        .await
        .unwrap()
}

#[tokio::test]
async fn a_flood_of_logins_that_are_begun_is_braked_where_it_comes_from() {
    let corp = Corp::start().await;
    begin(&corp, "203.0.113.9").await.unwrap();
    // As if all but two of the 300 that are free had come from there.
    let almost = "update identity.throttles set failures = 298";
    corp.stage.world.execute(almost).await;
    for _ in 0..2 {
        begin(&corp, "203.0.113.9").await.unwrap();
    }
    let refused = begin(&corp, "203.0.113.9").await.unwrap_err();
    assert_eq!(code(&refused), "auth.throttled");
    assert_eq!(count(&corp, "sso_flows").await, 3);
    begin(&corp, "198.51.100.7").await.unwrap();
}

#[tokio::test]
async fn forged_answers_leave_nothing_behind_and_are_braked() {
    let corp = Corp::start().await;
    let mut tried = 0;
    loop {
        let request = FinishSamlRequest {
            connection_id: corp.connection.id.clone(),
            saml_response: "PHNhbWw+".to_owned(),
            relay_state: "made up".to_owned(),
            browser_secret: String::new(),
        };
        let request = from("203.0.113.9", request, &corp.stage.service);
        let refused = corp.stage.sso.clone().finish_saml(request).await;
        match code(&refused.unwrap_err()).as_str() {
            "auth.sso_failed" => tried += 1,
            other => {
                assert_eq!(other, "auth.throttled");
                break;
            }
        }
    }
    assert_eq!(tried, 50);
    assert_eq!(count(&corp, "sso_traces").await, 0);
}

#[tokio::test]
async fn a_connection_keeps_its_last_thousand_traces() {
    let corp = Corp::start().await;
    corp.stage
        .world
        .execute(
            "insert into identity.sso_traces (organization_id, id, connection_id, occurred_at, succeeded, reason, detail)
             select organization_id, lpad(to_hex(n), 32, '0')::uuid, id, now(), false, 'old', 'Old.'
             from identity.sso_connections, generate_series(1, 1005) n",
        )
        .await;
    let begun = corp.begin().await;
    let outcome = corp.finish(&begun, "PHNhbWw+").await;
    corp.refusal(outcome).await;
    assert_eq!(count(&corp, "sso_traces").await, 1_000);
}

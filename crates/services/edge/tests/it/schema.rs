use testkit::{assert_catalogue_is_tenant_safe, assert_nothing_without_tenant};

use crate::stage::Stage;

#[tokio::test]
async fn the_schema_gives_no_tenant_a_way_to_anything() {
    let stage = Stage::new().await;
    // Platform's data, which the app role may not touch.
    assert_catalogue_is_tenant_safe(&stage.database, "edge", &[]).await;
    let running = stage.run().await;
    assert_eq!(running.deliver(b"{}").await, 200);
    assert_nothing_without_tenant(&stage.database, "edge").await;
    running.stop().await;
}

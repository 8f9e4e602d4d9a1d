use chassis::{Host, HostOptions, Service};
use edge::App;
use sqlx::migrate::Migrator;
use testkit::{TestDb, assert_catalogue_is_tenant_safe, assert_nothing_without_tenant};

use crate::stage::Stage;

static NOTHING_YET: Migrator = Migrator::DEFAULT;

#[tokio::test]
async fn the_schema_gives_no_tenant_a_way_to_anything() {
    let stage = Stage::new().await;
    assert_catalogue_is_tenant_safe(&stage.database, "edge", &[]).await;
    let running = stage.run().await;
    assert_eq!(running.deliver(b"{}").await, 200);
    assert_nothing_without_tenant(&stage.database, "edge", &[]).await;
    running.stop().await;
}

#[tokio::test]
async fn the_edge_does_not_start_behind_its_schema_until_migrate_has_run() {
    let stage = Stage::on(TestDb::new("edge_empty", &[("edge", &NOTHING_YET)]).await);
    let mut host = Host::start(HostOptions::for_tests(stage.clock.clone()))
        .await
        .expect("a host");
    let refused = host.add::<App>(&stage.base, stage.config.clone()).await;
    let error = refused.map(drop).expect_err("the schema is behind");
    let causes = errors::chain(&error);
    assert!(causes.contains("0001 create webhooks"), "{causes}");
    for _ in 0..2 {
        App::migrate(stage.config.clone(), host.deps("edge"))
            .await
            .expect("migrate");
    }
    host.shutdown().await;
    let running = stage.run().await;
    assert_eq!(running.deliver(b"{}").await, 200);
    running.stop().await;
}

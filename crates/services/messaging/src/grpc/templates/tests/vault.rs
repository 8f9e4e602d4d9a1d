//! Opening a token may be a call over the network: no transaction waits for it.

use std::time::Duration;

use ::vault::{
    DataKeyBytes, GeneratedKey, KeyContext, KeyProvider, ProviderError, Vault, local::LocalKeys,
};
use sqlx::PgConnection;
use tokio::sync::Mutex;

use super::*;

/// Holds the keys, and answers when no transaction of the service is open.
struct Watchful {
    keys: LocalKeys,
    database: Mutex<PgConnection>,
    asked: std::sync::atomic::AtomicU32,
}

async fn open_transactions(database: &mut PgConnection) -> i64 {
    sqlx::query_scalar(
        "select count(*) from pg_stat_activity
         where datname = current_database() and state like 'idle in transaction%'",
    )
    .fetch_one(database)
    .await
    .expect("a count")
}

#[tonic::async_trait]
impl KeyProvider for Watchful {
    async fn generate_data_key(&self, context: KeyContext) -> Result<GeneratedKey, ProviderError> {
        self.keys.generate_data_key(context).await
    }

    async fn decrypt_data_key(
        &self,
        context: KeyContext,
        wrapped: &[u8],
    ) -> Result<DataKeyBytes, ProviderError> {
        let mut database = self.database.lock().await;
        // One that was dropped ends a moment later.
        let ended = async { while open_transactions(&mut database).await > 0 {} };
        tokio::time::timeout(Duration::from_secs(3), ended)
            .await
            .expect("no transaction is open");
        self.asked.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        self.keys.decrypt_data_key(context, wrapped).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_are_opened_outside_of_transactions() {
    let mut world = World::new().await;
    let provider = Arc::new(Watchful {
        keys: LocalKeys::ephemeral(),
        database: Mutex::new(world.fixture.admin().await),
        asked: std::sync::atomic::AtomicU32::new(0),
    });
    // Without any key in memory.
    let fresh = |world: &mut World| {
        let mut engine = (*world.fixture.engine).clone();
        engine.vault = Vault::new(provider.clone(), engine.clock().clone());
        world.fixture.engine = Arc::new(engine);
        world.service.engine = Arc::clone(&world.fixture.engine);
    };
    fresh(&mut world);
    // The key of the fixture's own vault can't be read by this one.
    sqlx::query("delete from messaging.data_keys")
        .execute(&mut world.fixture.admin().await)
        .await
        .expect("forgotten");
    let channel_id = world.fixture.route.channel_id;
    let scope = world.fixture.scope();
    let sealing = world.fixture.engine.seal_token(&scope, channel_id, "t");
    let sealed = sealing.await.expect("sealed");
    sqlx::query("update messaging.channels set access_token = $1")
        .bind(sealed)
        .execute(&mut world.fixture.admin().await)
        .await
        .expect("stored");

    fresh(&mut world);
    let draft = world.draft("order_ready").await;
    world.submit(&draft.id).await.expect("submitted");
    world.review("order_ready", "APPROVED");
    fresh(&mut world);
    world.sync().await;
    let known = world.named("order_ready").await;
    fresh(&mut world);
    let update = UpdateTemplateRequest {
        template_id: known.id.clone(),
        revision: known.revision,
        definition: Some(definition("Hi {{1}}, come and see.")),
    };
    let updated = world.service.update_template(world.asks(update)).await;
    updated.expect("updated");
    fresh(&mut world);
    let delete = DeleteTemplateRequest {
        template_id: known.id,
    };
    let deleted = world.service.delete_template(world.asks(delete)).await;
    deleted.expect("deleted");
    let asked = provider.asked.load(std::sync::atomic::Ordering::SeqCst);
    assert_eq!(asked, 4, "once for each");
}

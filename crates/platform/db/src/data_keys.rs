//! Where `vault` keeps its wrapped data keys: the table `data_keys` of the service's schema.

use chrono::{DateTime, Utc};
use ids::{DataKeyId, TenantScope};
use sqlx::{PgConnection, types::Uuid};
use vault::{KeyStore, Owner, Purpose, StoreError, WrappedKey};

use crate::{Db, DbError, SystemTx, TenantTx, statement::Statement};

const FIND_NEWEST: &str = "
    select id, wrapped, created_at from {schema}.data_keys
    where organization_id = $1 and purpose = $2 and destroyed_at is null
    order by created_at desc, id desc
    limit 1";

const FIND: &str = "
    select id, wrapped, created_at from {schema}.data_keys
    where organization_id = $1 and purpose = $2 and id = $3 and destroyed_at is null";

const INSERT: &str = "
    insert into {schema}.data_keys (organization_id, purpose, id, wrapped, created_at)
    values ($1, $2, $3, $4, $5)";

const DESTROY: &str = "
    update {schema}.data_keys set wrapped = null, destroyed_at = $2
    where organization_id = $1 and destroyed_at is null";

/// The data keys of one owner. Each call is a short transaction of its own: the vault calls its key provider in between.
#[derive(Debug, Clone)]
pub struct DataKeys {
    db: Db,
    owner: Owner,
    /// `None` for the platform, which no tenant's transaction can see.
    scope: Option<TenantScope>,
}

type Row = (Uuid, Vec<u8>, DateTime<Utc>);

impl DataKeys {
    /// An organization's keys.
    pub fn of_tenant(db: &Db, scope: &TenantScope) -> Self {
        Self {
            db: db.clone(),
            owner: Owner::Organization(scope.organization_id),
            scope: Some(scope.clone()),
        }
    }

    /// The platform's own keys.
    pub fn of_platform(db: &Db) -> Self {
        Self {
            db: db.clone(),
            owner: Owner::Platform,
            scope: None,
        }
    }

    /// Destroys every key of the owner and answers how many there were. Call [`vault::Vault::forget`] afterwards.
    ///
    /// # Errors
    /// When the database fails.
    #[tracing::instrument(name = "db.data_keys.update", skip_all)]
    pub async fn destroy(&self) -> Result<u64, DbError> {
        let mut tx = SystemTx::begin(&self.db, "destroy data keys").await?;
        let destroyed = self
            .statement(DESTROY)
            .query()
            .bind(self.owner.organization_id().as_uuid())
            .bind(self.db.clock().now())
            .execute(tx.conn())
            .await?
            .rows_affected();
        tx.commit().await?;
        Ok(destroyed)
    }

    fn statement(&self, template: &'static str) -> Statement {
        Statement::new(self.db.schema(), template)
    }

    async fn begin(&self) -> Result<Tx, DbError> {
        match &self.scope {
            Some(scope) => TenantTx::begin(&self.db, scope).await.map(Tx::Tenant),
            None => SystemTx::begin(&self.db, "platform data keys")
                .await
                .map(Tx::System),
        }
    }

    #[tracing::instrument(name = "db.data_keys.select", skip_all)]
    async fn select(
        &self,
        purpose: Purpose,
        id: Option<DataKeyId>,
    ) -> Result<Option<WrappedKey>, DbError> {
        let mut tx = self.begin().await?;
        let statement = self.statement(if id.is_some() { FIND } else { FIND_NEWEST });
        let mut query = statement
            .rows::<Row>()
            .bind(self.owner.organization_id().as_uuid())
            .bind(purpose.as_str());
        if let Some(id) = id {
            query = query.bind(id.as_uuid());
        }
        let row = query.fetch_optional(tx.conn()).await?;
        tx.commit().await?;
        Ok(row.map(|(id, wrapped, created_at)| WrappedKey {
            id: DataKeyId::from_uuid(id),
            wrapped,
            created_at,
        }))
    }

    #[tracing::instrument(name = "db.data_keys.insert", skip_all)]
    async fn add(&self, purpose: Purpose, key: &WrappedKey) -> Result<(), DbError> {
        let mut tx = self.begin().await?;
        self.statement(INSERT)
            .query()
            .bind(self.owner.organization_id().as_uuid())
            .bind(purpose.as_str())
            .bind(key.id.as_uuid())
            .bind(&key.wrapped)
            .bind(key.created_at)
            .execute(tx.conn())
            .await?;
        tx.commit().await
    }
}

impl KeyStore for DataKeys {
    fn owner(&self) -> Owner {
        self.owner
    }

    async fn find_newest(&self, purpose: Purpose) -> Result<Option<WrappedKey>, StoreError> {
        self.select(purpose, None).await.map_err(StoreError::new)
    }

    async fn find(
        &self,
        purpose: Purpose,
        id: DataKeyId,
    ) -> Result<Option<WrappedKey>, StoreError> {
        self.select(purpose, Some(id))
            .await
            .map_err(StoreError::new)
    }

    async fn insert(&self, purpose: Purpose, key: &WrappedKey) -> Result<(), StoreError> {
        self.add(purpose, key).await.map_err(StoreError::new)
    }
}

/// Either door.
enum Tx {
    Tenant(TenantTx),
    System(SystemTx),
}

impl Tx {
    fn conn(&mut self) -> &mut PgConnection {
        match self {
            Self::Tenant(tx) => tx.conn(),
            Self::System(tx) => tx.conn(),
        }
    }

    async fn commit(self) -> Result<(), DbError> {
        match self {
            Self::Tenant(tx) => tx.commit().await,
            Self::System(tx) => tx.commit().await,
        }
    }
}

//! The brakes on guessing.

use std::net::IpAddr;

use auth::Origin;
use db::SystemTx;
use ids::UserId;

use super::Tools;
use crate::{
    Error,
    domain::{
        device::Device,
        email::EmailKey,
        mac_key::Usage,
        throttle::{self, Rule},
    },
    store::throttles,
};

/// The table has hashes under a key of ours: it does not tell who was attacked, or from where.
const KEY: Usage = Usage {
    prefix: "",
    context: b"switchboard.throttle/1",
};

/// What is guarded.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Guarded<'a> {
    /// The password of an account, whether there is one or not.
    Account(&'a EmailKey),
    /// The same, from a device that its person used before: wrong guesses from elsewhere do not count here.
    Device(&'a Device),
    /// The password of somebody who is logged in.
    Password(UserId),
    /// The codes of an app.
    Totp(UserId),
    /// Recovery codes: apart, so that whoever guesses at the app does not lock them.
    RecoveryCode(UserId),
    /// Mail to an address.
    Letters(&'a EmailKey),
    /// An IPv4 address, or an IPv6 /64: what one subscriber has.
    Address(IpAddr),
    /// An IPv4 /24, or an IPv6 /48.
    Network(IpAddr),
    /// Logins that go to a provider, from an address as above.
    Begun(IpAddr),
    /// The same from a network.
    BegunAround(IpAddr),
}

impl Guarded<'_> {
    const fn rule(self) -> Rule {
        match self {
            Self::Account(_) | Self::Device(_) | Self::Password(_) | Self::RecoveryCode(_) => {
                throttle::ACCOUNT
            }
            Self::Totp(_) => throttle::CODES,
            Self::Letters(_) => throttle::LETTERS,
            Self::Address(_) => throttle::ADDRESS,
            Self::Network(_) => throttle::NETWORK,
            Self::Begun(_) => throttle::BEGUN,
            Self::BegunAround(_) => throttle::BEGUN_AROUND,
        }
    }

    /// Whether a success proves that the earlier failures do not matter. Others go on beside it from the same address.
    const fn forgives(self) -> bool {
        !matches!(self, Self::Address(_) | Self::Network(_))
    }

    fn name(self) -> String {
        match self {
            Self::Account(email) => format!("account {}", email.as_str()),
            Self::Device(device) => format!("device {} {}", device.user_id, device.id),
            Self::Password(user) => format!("password {user}"),
            Self::Totp(user) => format!("totp {user}"),
            Self::RecoveryCode(user) => format!("recovery {user}"),
            Self::Letters(email) => format!("letters {}", email.as_str()),
            Self::Address(address) => format!("address {}", subnet(address, 32, 64)),
            Self::Network(address) => format!("network {}", subnet(address, 24, 48)),
            Self::Begun(address) => format!("begun {}", subnet(address, 32, 64)),
            Self::BegunAround(address) => format!("begun around {}", subnet(address, 24, 48)),
        }
    }
}

/// The first bits of an address.
fn subnet(address: IpAddr, v4: u32, v6: u32) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(32 - v4).unwrap_or(0);
            IpAddr::V4((address.to_bits() & mask).into())
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(128 - v6).unwrap_or(0);
            IpAddr::V6((address.to_bits() & mask).into())
        }
    }
}

/// Both brakes on where a call comes from.
pub(crate) fn around(origin: &Origin) -> Vec<Guarded<'static>> {
    origin
        .address
        .map(|address| vec![Guarded::Address(address), Guarded::Network(address)])
        .unwrap_or_default()
}

/// Both brakes on beginning logins at providers.
pub(crate) fn beginning(origin: &Origin) -> Vec<Guarded<'static>> {
    origin
        .address
        .map(|address| vec![Guarded::Begun(address), Guarded::BegunAround(address)])
        .unwrap_or_default()
}

/// An attempt that counts as a failure unless it is told otherwise. Dropping it leaves it a failure.
#[derive(Debug)]
pub(crate) struct Attempt(Vec<Counted>);

#[derive(Debug)]
struct Counted {
    key: [u8; 32],
    rule: Rule,
    forgives: bool,
}

impl Attempt {
    /// Counts an attempt at everything that is guarded, or at nothing.
    ///
    /// # Errors
    /// [`Error::Throttled`] with the longest wait.
    pub(crate) async fn begin(tools: &Tools, guarded: &[Guarded<'_>]) -> Result<Self, Error> {
        let now = tools.db.clock().now();
        let ring = tools.keys.current().await;
        let key = ring.refresh_key(now)?;
        let mut counted: Vec<Counted> = guarded
            .iter()
            .map(|guarded| Counted {
                key: key.hash(KEY, guarded.name().as_bytes()),
                rule: guarded.rule(),
                forgives: guarded.forgives(),
            })
            .collect();
        // Everybody locks in the same order.
        counted.sort_unstable_by_key(|one| one.key);
        let mut tx = SystemTx::begin(&tools.db, "throttle").await?;
        let mut wait = None;
        for one in &counted {
            let before = throttles::lock(&mut tx, &one.key).await?;
            match one.rule.attempt(before, now) {
                Ok(next) => throttles::store(&mut tx, &one.key, &next).await?,
                Err(longer) => wait = wait.max(Some(longer)),
            }
        }
        if let Some(wait) = wait {
            // The transaction rolls back: an attempt that is not made is not counted.
            return Err(Error::Throttled(wait));
        }
        tx.commit().await?;
        Ok(Self(counted))
    }

    /// The guess was right.
    pub(crate) async fn succeed(self, tools: &Tools) -> Result<(), Error> {
        let mut tx = SystemTx::begin(&tools.db, "throttle").await?;
        for one in &self.0 {
            if one.forgives {
                throttles::delete(&mut tx, &one.key).await?;
            } else {
                one.take_back(&mut tx).await?;
            }
        }
        tx.commit().await?;
        Ok(())
    }

    /// There was no guess: we were busy, or something broke.
    pub(crate) async fn withdraw(self, tools: &Tools) -> Result<(), Error> {
        let mut tx = SystemTx::begin(&tools.db, "throttle").await?;
        for one in &self.0 {
            one.take_back(&mut tx).await?;
        }
        tx.commit().await?;
        Ok(())
    }
}

/// Forgets all failures, for somebody who proved who it is in another way.
pub(crate) async fn forgive(
    tools: &Tools,
    tx: &mut SystemTx,
    guarded: Guarded<'_>,
) -> Result<(), Error> {
    let ring = tools.keys.current().await;
    let key = ring.refresh_key(tools.db.clock().now())?;
    throttles::delete(tx, &key.hash(KEY, guarded.name().as_bytes())).await?;
    Ok(())
}

impl Counted {
    async fn take_back(&self, tx: &mut SystemTx) -> Result<(), Error> {
        let counter = throttles::lock(tx, &self.key).await?;
        throttles::store(tx, &self.key, &self.rule.take_back(counter)).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_what_one_subscriber_has() {
        for (address, near, far) in [
            ("192.0.2.7", "192.0.2.7", "192.0.2.0"),
            ("::ffff:192.0.2.7", "192.0.2.7", "192.0.2.0"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::", "2001:db8:1::"),
        ] {
            let address: IpAddr = address.parse().unwrap();
            assert_eq!(Guarded::Address(address).name(), format!("address {near}"));
            assert_eq!(Guarded::Network(address).name(), format!("network {far}"));
        }
    }
}

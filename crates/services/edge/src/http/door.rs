use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};

/// Counts who is in before they have proved who they are, in total and by address.
#[derive(Debug)]
pub(crate) struct Door {
    max: usize,
    max_per_address: usize,
    inside: Mutex<Inside>,
}

#[derive(Debug, Default)]
struct Inside {
    total: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// A request that was let in; it is out when this is dropped.
#[derive(Debug)]
pub(super) struct Guest {
    door: Arc<Door>,
    address: IpAddr,
}

impl Door {
    pub(crate) fn new(max: usize, max_per_address: usize) -> Self {
        Self {
            max,
            max_per_address,
            inside: Mutex::default(),
        }
    }

    /// `None` when there are too many already.
    pub(super) fn enter(self: &Arc<Self>, address: IpAddr) -> Option<Guest> {
        let mut inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        let of_address = inside.by_address.get(&address).copied().unwrap_or(0);
        if inside.total >= self.max || of_address >= self.max_per_address {
            return None;
        }
        inside.total += 1;
        inside.by_address.insert(address, of_address + 1);
        Some(Guest {
            door: Arc::clone(self),
            address,
        })
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        let mut inside = self
            .door
            .inside
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        inside.total -= 1;
        if let Some(count) = inside.by_address.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                inside.by_address.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_limits_hold_and_whoever_leaves_makes_room() {
        let door = Arc::new(Door::new(3, 2));
        let a = IpAddr::from([192, 0, 2, 1]);
        let b = IpAddr::from([192, 0, 2, 2]);
        let first = door.enter(a);
        let second = door.enter(a);
        assert!(first.is_some() && second.is_some());
        assert!(door.enter(a).is_none(), "two of one address are inside");
        let third = door.enter(b);
        assert!(
            third.is_some() && door.enter(b).is_none(),
            "three are inside"
        );
        drop(first);
        assert!(door.enter(b).is_some());
        drop((second, third));
        let inside = door.inside.lock().expect("not poisoned");
        assert!(inside.total == 0 && inside.by_address.is_empty());
    }
}

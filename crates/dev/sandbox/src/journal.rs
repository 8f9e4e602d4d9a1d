//! A list that forgets its oldest entries.

use std::collections::VecDeque;

#[derive(Debug)]
pub(crate) struct Journal<T> {
    entries: VecDeque<T>,
    capacity: usize,
    /// Sequence number of the first entry kept. Numbers start at 1 and never repeat, so they page.
    first: u64,
}

impl<T> Journal<T> {
    pub(crate) const fn new(capacity: usize) -> Self {
        Self {
            entries: VecDeque::new(),
            capacity,
            first: 1,
        }
    }

    /// Adds what `make` makes of its sequence number. Returns the number and what had to go.
    pub(crate) fn push(&mut self, make: impl FnOnce(u64) -> T) -> (u64, Option<T>) {
        let length = u64::try_from(self.entries.len()).unwrap_or(u64::MAX);
        let number = self.first.saturating_add(length);
        self.entries.push_back(make(number));
        let evicted = if self.entries.len() > self.capacity {
            self.first += 1;
            self.entries.pop_front()
        } else {
            None
        };
        (number, evicted)
    }

    pub(crate) fn get_mut(&mut self, number: u64) -> Option<&mut T> {
        let index = usize::try_from(number.checked_sub(self.first)?).ok()?;
        self.entries.get_mut(index)
    }

    /// Entries after `number`, oldest first.
    pub(crate) fn after(&self, number: u64) -> impl Iterator<Item = &T> {
        let skip = usize::try_from((number + 1).saturating_sub(self.first)).unwrap_or(usize::MAX);
        self.entries.iter().skip(skip)
    }

    /// Empties the list; numbering goes on.
    pub(crate) fn clear(&mut self) {
        self.first += u64::try_from(self.entries.len()).unwrap_or(0);
        self.entries.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_entries_go_and_numbers_stay() {
        let mut journal = Journal::new(2);
        for _ in 0..3 {
            journal.push(|number| number);
        }
        assert_eq!(journal.after(0).copied().collect::<Vec<_>>(), [2, 3]);
        assert_eq!(journal.after(2).copied().collect::<Vec<_>>(), [3]);
        assert!(journal.get_mut(1).is_none());
        assert_eq!(journal.get_mut(3).copied(), Some(3));
        journal.clear();
        assert_eq!(journal.push(|number| number).0, 4);
    }
}

//! Scripted failures: a queue of rules, the first that fits a call is used up by it.

mod play;

use std::{
    fmt,
    sync::atomic::{AtomicUsize, Ordering},
};

use rand::{Rng, rngs::StdRng};
use serde::Serialize;

use crate::locked::Locked;
pub(crate) use play::{TRUNCATED_AT, bad_gateway, garbage, hang};

/// A failure a provider can be told to play.
pub trait Scripted: Clone + fmt::Debug {
    /// The call it may strike.
    type Subject;

    /// How often it strikes.
    fn repeats(&self) -> Repeats;

    /// Whether it concerns the answer to a call rather than what comes after it.
    fn is_about_answers(&self) -> bool;

    /// Whether it is aimed at this call.
    fn fits(&self, subject: &Self::Subject) -> bool;
}

/// How often a failure strikes.
#[derive(Clone, Copy, Debug)]
pub struct Repeats {
    /// 0 for until it is removed.
    pub times: u32,
    /// Fitting calls to let pass first.
    pub skip: u32,
    /// Chance of striking at each fitting call.
    pub probability: f64,
}

/// A rule and how much of it is left.
#[derive(Clone, Debug, Serialize)]
pub struct Rule<F> {
    pub id: u64,
    #[serde(flatten)]
    pub fault: F,
    /// `null`: until removed.
    pub left: Option<u32>,
    pub struck: u64,
    #[serde(skip)]
    to_skip: u32,
}

impl<F: Scripted> Rule<F> {
    fn strikes(&mut self, subject: &F::Subject, rng: &Locked<StdRng>) -> bool {
        if self.left == Some(0) || !self.fault.fits(subject) {
            return false;
        }
        if self.to_skip > 0 {
            self.to_skip -= 1;
            return false;
        }
        let probability = self.fault.repeats().probability;
        if probability < 1.0 && rng.with(StdRng::random::<f64>) >= probability {
            return false;
        }
        self.left = self.left.map(|left| left - 1);
        self.struck += 1;
        true
    }
}

/// All rules, in the order they were added.
#[derive(Debug)]
pub(crate) struct Faults<F> {
    rules: Locked<Rules<F>>,
    /// Spares the lock when nothing is scripted, which is most of the time.
    count: AtomicUsize,
}

#[derive(Debug)]
struct Rules<F> {
    list: Vec<Rule<F>>,
    last_id: u64,
}

impl<F> Default for Faults<F> {
    fn default() -> Self {
        Self {
            rules: Locked::new(Rules {
                list: Vec::new(),
                last_id: 0,
            }),
            count: AtomicUsize::new(0),
        }
    }
}

/// A fault that has struck.
#[derive(Clone, Debug)]
pub(crate) struct Struck<F> {
    rule_id: u64,
    pub(crate) fault: F,
}

impl<F: Scripted> Faults<F> {
    pub(crate) fn add(&self, fault: F) -> u64 {
        let Repeats { times, skip, .. } = fault.repeats();
        self.rules.with(|rules| {
            rules.last_id += 1;
            rules.list.push(Rule {
                id: rules.last_id,
                left: (times > 0).then_some(times),
                struck: 0,
                to_skip: skip,
                fault,
            });
            self.count.store(rules.list.len(), Ordering::Release);
            rules.last_id
        })
    }

    pub(crate) fn list(&self) -> Vec<Rule<F>> {
        self.rules.with(|rules| rules.list.clone())
    }

    /// Removes one rule, or all. Returns how many went.
    pub(crate) fn remove(&self, id: Option<u64>) -> usize {
        self.rules.with(|rules| {
            let before = rules.list.len();
            rules.list.retain(|rule| id.is_some_and(|id| rule.id != id));
            self.count.store(rules.list.len(), Ordering::Release);
            before - rules.list.len()
        })
    }

    /// The first rule about answers that strikes this call.
    pub(crate) fn strike_answer(
        &self,
        subject: &F::Subject,
        rng: &Locked<StdRng>,
    ) -> Option<Struck<F>> {
        self.strike(subject, rng, true).into_iter().next()
    }

    /// Every rule about what comes after the answer that strikes this call.
    pub(crate) fn strike_aftermath(&self, subject: &F::Subject, rng: &Locked<StdRng>) -> Vec<F> {
        let struck = self.strike(subject, rng, false);
        struck.into_iter().map(|struck| struck.fault).collect()
    }

    fn strike(&self, subject: &F::Subject, rng: &Locked<StdRng>, answers: bool) -> Vec<Struck<F>> {
        if self.count.load(Ordering::Acquire) == 0 {
            return Vec::new();
        }
        self.rules.with(|rules| {
            let mut struck = Vec::new();
            for rule in &mut rules.list {
                let same_family = rule.fault.is_about_answers() == answers;
                if same_family && rule.strikes(subject, rng) {
                    struck.push(Struck {
                        rule_id: rule.id,
                        fault: rule.fault.clone(),
                    });
                    if answers {
                        break;
                    }
                }
            }
            struck
        })
    }

    /// Gives back a strike that came to nothing because the call was refused anyway.
    pub(crate) fn give_back(&self, struck: &Struck<F>) {
        self.rules.with(|rules| {
            if let Some(rule) = rules.list.iter_mut().find(|rule| rule.id == struck.rule_id) {
                rule.left = rule.left.map(|left| left + 1);
                rule.struck -= 1;
            }
        });
    }
}

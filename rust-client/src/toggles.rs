//! What operators toggle for clients.

use std::collections::HashMap;
use std::sync::{Arc, RwLock};

use crate::net::Net;
use crate::pb;
use crate::wire::in_rollout;

/// The broker sends TOGGLE_UPDATE.
pub(crate) const FEATURE: u32 = 3;

const ON: &str = "on";

pub(crate) type OnToggles = Arc<dyn Fn() + Send + Sync>;

/// The last good set, as it is for this client.
#[derive(Default)]
pub(crate) struct Toggles(RwLock<Set>);

#[derive(Default)]
struct Set {
    revision: u64,
    values: HashMap<String, String>,
}

impl Toggles {
    pub fn is_on(&self, name: &str) -> bool {
        self.with(|set| set.values.get(name).is_some_and(|value| value == ON))
    }

    pub fn value(&self, name: &str) -> Option<String> {
        self.with(|set| set.values.get(name).cloned())
    }

    pub fn revision(&self) -> u64 {
        self.with(|set| set.revision)
    }

    fn with<T>(&self, read: impl FnOnce(&Set) -> T) -> T {
        read(&self.0.read().expect("no panic under this lock"))
    }

    /// Takes what the broker says; whether it is new.
    fn take(&self, update: &pb::ToggleUpdate, instance: &[u8]) -> bool {
        let values = update.toggles.iter().map(|one| {
            let is_in = in_rollout(&one.name, instance, one.rollout_bp);
            let value = if is_in { &one.value } else { &one.fallback };
            (one.name.clone(), value.clone())
        });
        let now = Set {
            revision: update.revision,
            values: values.collect(),
        };
        let mut set = self.0.write().expect("no panic under this lock");
        let is_new = set.revision != now.revision;
        *set = now;
        is_new
    }
}

impl Net {
    /// Parts are passed over: no broker sends them.
    pub fn on_toggles(&mut self, update: &pb::ToggleUpdate) {
        if update.full && self.toggles.take(update, &self.instance) {
            if let Some(listener) = self.on_toggles.clone() {
                self.deferred.push(Box::new(move || listener()));
            }
        }
    }
}

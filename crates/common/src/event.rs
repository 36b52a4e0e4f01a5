//! Events, as sensors write them and the notifier passes them on.

use serde::{Deserialize, Serialize};
use serde_json::Value;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Ref of the trigger that fired, for instance `core.timer`.
    pub trigger: String,
    /// Ref of the sensor, or name of the service, that reports it.
    #[serde(default)]
    pub source: String,
    /// Marker of the program that wrote it.
    #[serde(default)]
    pub marker: String,
    #[serde(default)]
    pub payload: Value,
}

/// The latest events only, oldest first.
#[derive(Debug)]
pub struct Recent<T> {
    items: std::collections::VecDeque<T>,
    keep: usize,
}

impl<T: Clone> Recent<T> {
    pub fn new(keep: usize) -> Self {
        Self { items: std::collections::VecDeque::new(), keep: keep.max(1) }
    }

    pub fn push(&mut self, item: T) {
        if self.items.len() == self.keep {
            self.items.pop_front();
        }
        self.items.push_back(item);
    }

    pub fn to_vec(&self) -> Vec<T> {
        self.items.iter().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_latest_are_kept_in_their_order() {
        let mut recent = Recent::new(2);
        for item in 1..=3 {
            recent.push(item);
        }
        assert_eq!(recent.to_vec(), [2, 3]);
    }

    #[test]
    fn a_line_with_a_trigger_alone_is_an_event() {
        let event: Event = serde_json::from_str(r#"{"trigger": "core.timer"}"#).unwrap();
        assert_eq!(event.trigger, "core.timer");
        assert_eq!(event.payload, Value::Null);
    }
}

//! Where the events and states of all sensors meet.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use attune_common::event::{Event, Recent};
use attune_common::{http, log};
use serde_json::{Map, Value, json};
use tokio::sync::mpsc;

/// Events that wait for the notifier; more are kept here but not passed on.
const QUEUE: usize = 256;

pub struct Hub {
    recent: Mutex<Recent<Event>>,
    states: Mutex<Map<String, Value>>,
    queue: mpsc::Sender<Event>,
}

impl Hub {
    /// The hub, and the events to pass on.
    pub fn new(keep: usize) -> (Arc<Self>, mpsc::Receiver<Event>) {
        let (queue, events) = mpsc::channel(QUEUE);
        let recent = Mutex::new(Recent::new(keep));
        (Arc::new(Self { recent, states: Mutex::default(), queue }), events)
    }

    pub fn accept(&self, event: Event) {
        self.recent.lock().unwrap().push(event.clone());
        // Full while the notifier is away: a sensor is not held up by that.
        let _ = self.queue.try_send(event);
    }

    pub fn recent(&self) -> Vec<Event> {
        self.recent.lock().unwrap().to_vec()
    }

    pub fn set_state(&self, sensor: &str, state: Value) {
        self.states.lock().unwrap().insert(sensor.to_owned(), state);
    }

    pub fn states(&self) -> Value {
        Value::Object(self.states.lock().unwrap().clone())
    }
}

/// Passes events on to the notifier. One that can't be delivered is lost, and that is told once.
pub async fn forward(mut events: mpsc::Receiver<Event>, notifier: String) {
    let url = format!("{notifier}/events");
    let mut away = false;
    while let Some(event) = events.recv().await {
        match http::call(&url, Some(&json!(event)), Duration::from_secs(2)).await {
            Ok(_) => away = false,
            Err(error) if !away => {
                log("sensor", format!("events are not passed on: {error}"));
                away = true;
            }
            Err(_) => {}
        }
    }
}

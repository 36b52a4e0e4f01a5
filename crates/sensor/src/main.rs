//! Starts the sensor programs of all packs and takes their events.

mod hub;
mod marker;
mod supervisor;

use std::process::ExitCode;
use std::sync::Arc;

use attune_common::service::{self, Identity};
use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use hub::Hub;

const IDENTITY: Identity =
    Identity { service: "sensor", marker: marker::MARKER, default_port: 8083 };

fn main() -> ExitCode {
    service::run(IDENTITY, |config, health| {
        let library = service::load_packs(IDENTITY.service, &config);
        health.set_packs(&library);
        let (hub, queue) = Hub::new(config.keep);
        tokio::spawn(hub::forward(queue, config.url("notifier")?.to_owned()));
        for sensor in library.sensors.into_values().filter(|sensor| sensor.enabled) {
            tokio::spawn(supervisor::supervise(sensor, Arc::clone(&hub)));
        }
        Ok(Router::new()
            .route("/events", get(events))
            .route("/sensors", get(sensors))
            .with_state(hub))
    })
}

async fn events(State(hub): State<Arc<Hub>>) -> Json<Value> {
    Json(json!({"events": hub.recent()}))
}

async fn sensors(State(hub): State<Arc<Hub>>) -> Json<Value> {
    Json(json!({"sensors": hub.states()}))
}

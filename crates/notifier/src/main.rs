//! Takes events, keeps the latest and passes them on as a stream.

mod marker;

use std::convert::Infallible;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};

use attune_common::event::{Event, Recent};
use attune_common::service::{self, Identity};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Sse;
use axum::response::sse;
use axum::routing::get;
use axum::{Json, Router};
use futures_util::{Stream, stream};
use serde_json::{Value, json};
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

const IDENTITY: Identity =
    Identity { service: "notifier", marker: marker::MARKER, default_port: 8082 };

struct Notifier {
    recent: Mutex<Recent<Event>>,
    live: broadcast::Sender<Event>,
}

fn main() -> ExitCode {
    service::run(IDENTITY, |config, _health| {
        let (live, _) = broadcast::channel(64);
        Ok(routes(Arc::new(Notifier { recent: Mutex::new(Recent::new(config.keep)), live })))
    })
}

fn routes(notifier: Arc<Notifier>) -> Router {
    Router::new()
        .route("/events", get(recent).post(accept))
        .route("/stream", get(stream_events))
        .with_state(notifier)
}

async fn recent(State(notifier): State<Arc<Notifier>>) -> Json<Value> {
    Json(json!({"events": notifier.recent.lock().unwrap().to_vec()}))
}

async fn accept(State(notifier): State<Arc<Notifier>>, Json(event): Json<Event>) -> StatusCode {
    notifier.recent.lock().unwrap().push(event.clone());
    // An error only tells that nobody listens.
    let _ = notifier.live.send(event);
    StatusCode::ACCEPTED
}

async fn stream_events(
    State(notifier): State<Arc<Notifier>>,
) -> Sse<impl Stream<Item = Result<sse::Event, Infallible>>> {
    let events = stream::unfold(notifier.live.subscribe(), |mut receiver| async {
        loop {
            match receiver.recv().await {
                Ok(event) => {
                    let data = json!(event).to_string();
                    return Some((Ok(sse::Event::default().event("event").data(data)), receiver));
                }
                // A listener that is too slow misses events, it does not hold up the others.
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return None,
            }
        }
    });
    Sse::new(events).keep_alive(sse::KeepAlive::default())
}

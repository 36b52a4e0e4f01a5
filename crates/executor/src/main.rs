//! Hands each execution to the first worker that can run it.

mod marker;

use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use attune_common::config::{Config, Worker};
use attune_common::event::{Event, Recent};
use attune_common::http::{self, CallError};
use attune_common::log;
use attune_common::service::{self, Identity, refusal};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

const IDENTITY: Identity =
    Identity { service: "executor", marker: marker::MARKER, default_port: 8081 };

/// What a worker may take beyond the script's own time limit.
const GRACE: Duration = Duration::from_secs(5);

struct Executor {
    config: Config,
    recent: Mutex<Recent<Value>>,
    last_id: AtomicU64,
}

#[derive(Deserialize)]
struct Request {
    action: String,
    runner_type: String,
    #[serde(default)]
    parameters: Value,
    timeout_seconds: Option<f64>,
}

fn main() -> ExitCode {
    service::run(IDENTITY, |config, health| {
        let workers: Vec<_> = config.workers.iter().map(|worker| worker.name.clone()).collect();
        health.set("workers", workers);
        let recent = Mutex::new(Recent::new(config.keep));
        let executor = Executor { config, recent, last_id: AtomicU64::new(0) };
        Ok(Router::new()
            .route("/executions", get(executions).post(execute))
            .with_state(Arc::new(executor)))
    })
}

async fn executions(State(executor): State<Arc<Executor>>) -> Json<Value> {
    Json(json!({"executions": executor.recent.lock().unwrap().to_vec()}))
}

async fn execute(State(executor): State<Arc<Executor>>, Json(request): Json<Request>) -> Response {
    match dispatch(&executor.config, &request).await {
        Ok((status, mut result)) => {
            if let Value::Object(result) = &mut result {
                let id = executor.last_id.fetch_add(1, Ordering::Relaxed) + 1;
                result.insert("id".to_owned(), json!(id));
            }
            executor.recent.lock().unwrap().push(result.clone());
            tokio::spawn(tell(executor, result.clone()));
            (status, Json(result)).into_response()
        }
        Err(message) => refusal(StatusCode::SERVICE_UNAVAILABLE, message),
    }
}

/// Asks the workers in turn. Only one that cannot have started the script is passed over.
async fn dispatch(config: &Config, request: &Request) -> Result<(StatusCode, Value), String> {
    let seconds = request.timeout_seconds.unwrap_or(config.action_timeout_seconds);
    let limit = Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())? + GRACE;
    let body = json!({
        "action": request.action,
        "parameters": if request.parameters.is_null() { json!({}) } else { request.parameters.clone() },
        "timeout_seconds": seconds,
    });
    let mut passed_over = Vec::new();
    for worker in candidates(config, &request.runner_type) {
        match http::call(&format!("{}/run", worker.url), Some(&body), limit).await {
            Ok((404 | 422, refusal)) => passed_over.push(refusal["error"].to_string()),
            Ok((status, result)) => {
                return Ok((
                    StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY),
                    result,
                ));
            }
            Err(CallError::Unreachable(message)) => passed_over.push(message),
            Err(CallError::Failed(message)) => return Err(message),
        }
    }
    if passed_over.is_empty() {
        passed_over.push(format!("the configuration names no worker for {}", request.runner_type));
    }
    Err(format!("no worker runs {}: {}", request.action, passed_over.join("; ")))
}

fn candidates<'a>(config: &'a Config, runner_type: &str) -> impl Iterator<Item = &'a Worker> {
    config.workers.iter().filter(move |worker| worker.runners.iter().any(|r| r == runner_type))
}

/// Tells the notifier; an execution does not fail for want of an audience.
async fn tell(executor: Arc<Executor>, result: Value) {
    let event = Event {
        trigger: "core.execution".to_owned(),
        source: IDENTITY.service.to_owned(),
        marker: marker::MARKER.to_owned(),
        payload: result,
    };
    let Ok(notifier) = executor.config.url("notifier") else {
        return;
    };
    let url = format!("{notifier}/events");
    if let Err(error) = http::call(&url, Some(&json!(event)), Duration::from_secs(2)).await {
        log(IDENTITY.service, error);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    fn request() -> Request {
        serde_json::from_value(json!({"action": "a.x", "runner_type": "shell"})).unwrap()
    }

    async fn worker(status: StatusCode, name: &str) -> Worker {
        let answer = (status, Json(json!({"worker": name, "error": "none"})));
        let routes = Router::new()
            .route("/run", axum::routing::post(move || std::future::ready(answer.clone())));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Worker { name: name.to_owned(), url, runners: vec!["shell".to_owned()] }
    }

    #[tokio::test]
    async fn a_worker_that_cannot_run_it_is_passed_over() {
        let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let mut away = worker(StatusCode::OK, "away").await;
        away.url = format!("http://{nobody}");
        let mut other = worker(StatusCode::OK, "other").await;
        other.runners = vec!["python".to_owned()];
        let outdated = worker(StatusCode::NOT_FOUND, "outdated").await;
        let workers = vec![other, away, outdated, worker(StatusCode::OK, "able").await];
        let config = Config { workers, ..Config::default() };
        let (status, result) = dispatch(&config, &request()).await.unwrap();
        assert_eq!((status, &result["worker"]), (StatusCode::OK, &json!("able")));
    }

    #[tokio::test]
    async fn without_any_worker_the_refusal_says_which_type_is_missing() {
        let message = dispatch(&Config::default(), &request()).await.unwrap_err();
        assert!(message.contains("no worker for shell"), "{message}");
    }
}

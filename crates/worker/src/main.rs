//! Runs the scripts of actions. One program for all variants: `ATTUNE_WORKER_RUNNERS` says which
//! types of script the image around it can run.

mod group;
mod marker;
mod run;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use attune_common::packs::Library;
use attune_common::service::{self, Identity, refusal};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Map, Value, json};

const IDENTITY: Identity =
    Identity { service: "worker", marker: marker::MARKER, default_port: 8090 };

struct Worker {
    name: String,
    runners: Vec<String>,
    library: Library,
    limit: f64,
}

#[derive(Deserialize)]
struct Execution {
    action: String,
    #[serde(default)]
    parameters: Map<String, Value>,
    timeout_seconds: Option<f64>,
}

fn main() -> ExitCode {
    service::run(IDENTITY, |config, health| {
        let name = service::name(IDENTITY);
        let runners = std::env::var("ATTUNE_WORKER_RUNNERS").unwrap_or_else(|_| "shell".to_owned());
        let runners: Vec<_> =
            runners.split([',', ' ']).filter(|r| !r.is_empty()).map(str::to_owned).collect();
        let library = service::load_packs(&name, &config);
        health.set("runners", runners.clone());
        health.set_packs(&library);
        let worker = Worker { name, runners, library, limit: config.action_timeout_seconds };
        Ok(Router::new().route("/run", post(execute)).with_state(Arc::new(worker)))
    })
}

async fn execute(State(worker): State<Arc<Worker>>, Json(execution): Json<Execution>) -> Response {
    let Some(action) = worker.library.actions.get(&execution.action) else {
        let message = format!("{} knows no action {}", worker.name, execution.action);
        return refusal(StatusCode::NOT_FOUND, message);
    };
    let interpreter = run::interpreter(&action.runner_type)
        .filter(|_| worker.runners.contains(&action.runner_type));
    let Some(interpreter) = interpreter else {
        let message = format!("{} does not run {} scripts", worker.name, action.runner_type);
        return refusal(StatusCode::UNPROCESSABLE_ENTITY, message);
    };
    let limit = execution.timeout_seconds.or(action.timeout_seconds).unwrap_or(worker.limit);
    let limit = Duration::try_from_secs_f64(limit).unwrap_or(Duration::MAX);
    match run::run(action, interpreter, &execution.parameters, limit).await {
        Ok(outcome) => {
            let mut answer = json!(outcome);
            answer["action"] = json!(action.reference);
            answer["worker"] = json!(worker.name);
            answer["marker"] = json!(marker::MARKER);
            Json(answer).into_response()
        }
        Err(error) => {
            let message = format!("cannot run {}: {error}", action.script.display());
            refusal(StatusCode::INTERNAL_SERVER_ERROR, message)
        }
    }
}

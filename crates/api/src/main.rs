//! The front door: the packs it loaded at its start, the health of the others, running an action.

mod marker;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use attune_common::config::Config;
use attune_common::http;
use attune_common::packs::{Library, Pack};
use attune_common::service::{self, Identity, refusal};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Map, Value, json};

const IDENTITY: Identity = Identity { service: "api", marker: marker::MARKER, default_port: 8080 };

/// What the executor may take beyond the action's own time limit.
const GRACE: Duration = Duration::from_secs(10);
const HEALTH_LIMIT: Duration = Duration::from_secs(2);

struct Api {
    config: Config,
    library: Library,
}

fn main() -> ExitCode {
    service::run(IDENTITY, |config, health| {
        let library = service::load_packs(IDENTITY.service, &config);
        health.set_packs(&library);
        Ok(routes(Api { config, library }))
    })
}

fn routes(api: Api) -> Router {
    Router::new()
        .route("/packs", get(packs))
        .route("/packs/{pack}", get(pack))
        .route("/actions", get(actions))
        .route("/actions/{action}", get(action))
        .route("/actions/{action}/run", post(run))
        .route("/services", get(services))
        .with_state(Arc::new(api))
}

async fn packs(State(api): State<Arc<Api>>) -> Json<Value> {
    let packs: Vec<_> = api.library.packs.values().map(|pack| shown(&api.library, pack)).collect();
    Json(json!({"packs": packs, "problems": api.library.problems}))
}

async fn pack(State(api): State<Arc<Api>>, Path(name): Path<String>) -> Response {
    match api.library.packs.get(&name) {
        Some(pack) => Json(shown(&api.library, pack)).into_response(),
        None => refusal(StatusCode::NOT_FOUND, format!("no pack {name}")),
    }
}

/// A pack with the refs of all that it holds.
fn shown(library: &Library, pack: &Pack) -> Value {
    let name = &pack.reference;
    let refs = |all: Vec<(&String, &String)>| -> Vec<String> {
        all.into_iter().filter(|(_, of)| *of == name).map(|(item, _)| item.clone()).collect()
    };
    let mut shown = json!(pack);
    shown["actions"] = json!(refs(library.actions.iter().map(|(r, a)| (r, &a.pack)).collect()));
    shown["sensors"] = json!(refs(library.sensors.iter().map(|(r, s)| (r, &s.pack)).collect()));
    shown["triggers"] = json!(refs(library.triggers.iter().map(|(r, t)| (r, &t.pack)).collect()));
    shown
}

async fn actions(State(api): State<Arc<Api>>) -> Json<Value> {
    Json(json!({"actions": api.library.actions.values().collect::<Vec<_>>()}))
}

async fn action(State(api): State<Arc<Api>>, Path(name): Path<String>) -> Response {
    match api.library.actions.get(&name) {
        Some(action) => Json(action).into_response(),
        None => refusal(StatusCode::NOT_FOUND, format!("no action {name}")),
    }
}

/// Runs an action. The body, which may be left out, holds `parameters` and `timeout_seconds`.
async fn run(
    State(api): State<Arc<Api>>,
    Path(name): Path<String>,
    body: Option<Json<Value>>,
) -> Response {
    let Some(action) = api.library.actions.get(&name) else {
        return refusal(StatusCode::NOT_FOUND, format!("no action {name}"));
    };
    if !action.enabled {
        return refusal(StatusCode::CONFLICT, format!("{name} is not enabled"));
    }
    let body = body.map_or_else(|| json!({}), |Json(body)| body);
    let Some(parameters) = with_defaults(&action.parameters, &body["parameters"]) else {
        return refusal(StatusCode::BAD_REQUEST, "parameters is not an object");
    };
    let limit = body["timeout_seconds"]
        .as_f64()
        .or(action.timeout_seconds)
        .unwrap_or(api.config.action_timeout_seconds);
    let Ok(patience) = Duration::try_from_secs_f64(limit) else {
        return refusal(StatusCode::BAD_REQUEST, "timeout_seconds is out of range");
    };
    let request = json!({
        "action": name,
        "runner_type": action.runner_type,
        "parameters": parameters,
        "timeout_seconds": limit,
    });
    let answer = match api.config.url("executor") {
        Ok(url) => http::call(&format!("{url}/executions"), Some(&request), patience + GRACE).await,
        Err(error) => return refusal(StatusCode::BAD_GATEWAY, error.to_string()),
    };
    match answer {
        Ok((status, result)) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
            (status, Json(result)).into_response()
        }
        Err(error) => refusal(StatusCode::BAD_GATEWAY, error.to_string()),
    }
}

/// What was given, over the defaults of the action's declared parameters.
fn with_defaults(declared: &Map<String, Value>, given: &Value) -> Option<Map<String, Value>> {
    let mut parameters: Map<_, _> = declared
        .iter()
        .filter_map(|(name, about)| Some((name.clone(), about.get("default")?.clone())))
        .collect();
    match given {
        Value::Null => {}
        Value::Object(given) => parameters.extend(given.clone()),
        _ => return None,
    }
    Some(parameters)
}

/// The health of all services that the configuration names; asked at the same time.
async fn services(State(api): State<Arc<Api>>) -> Json<Value> {
    let services = api.config.services.iter().map(|(name, url)| (name.clone(), url.clone()));
    let workers = api.config.workers.iter().map(|worker| (worker.name.clone(), worker.url.clone()));
    let asked: Vec<_> = services
        .chain(workers)
        .map(|(name, url)| {
            let url = format!("{url}/health");
            (name, tokio::spawn(async move { http::call(&url, None, HEALTH_LIMIT).await }))
        })
        .collect();
    let mut health = Map::new();
    for (name, answer) in asked {
        let report = match answer.await {
            Ok(Ok((200, report))) => report,
            Ok(Ok((status, report))) => {
                json!({"status": "failed", "error": format!("{status}: {report}")})
            }
            Ok(Err(error)) => json!({"status": "unreachable", "error": error.to_string()}),
            Err(error) => json!({"status": "failed", "error": error.to_string()}),
        };
        health.insert(name, report);
    }
    Json(json!({"services": health}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_parameters_win_over_declared_defaults() {
        let declared = json!({"a": {"default": 1}, "b": {"default": 2}, "c": {"type": "string"}});
        let given = json!({"b": 3, "d": 4});
        let parameters = with_defaults(declared.as_object().unwrap(), &given);
        assert_eq!(json!(parameters), json!({"a": 1, "b": 3, "d": 4}));
        assert!(with_defaults(&Map::new(), &json!([1])).is_none());
    }
}

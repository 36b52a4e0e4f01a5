//! The life of a service: start, answer, stop at once on SIGTERM; and the probe of its health.

use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Json;
use axum::Router;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::{Map, Value, json};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use crate::config::{self, Config};
use crate::packs::Library;
use crate::{Error, Result, http, log, marker};

/// What a program tells about itself at its start.
#[derive(Clone, Copy, Debug)]
pub struct Identity {
    pub service: &'static str,
    pub marker: &'static str,
    pub default_port: u16,
}

/// What `GET /health` answers; parts of the service add to it while they run.
#[derive(Clone, Debug)]
pub struct Health(Arc<Mutex<Map<String, Value>>>);

impl Health {
    fn new(identity: Identity, config: &Config) -> Self {
        let started_at = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let Value::Object(report) = json!({
            "service": name(identity),
            "status": "ok",
            "marker": identity.marker,
            "common_marker": marker::MARKER,
            "deployment": config.deployment,
            "started_at": started_at.as_secs_f64(),
        }) else {
            unreachable!("a JSON object was written")
        };
        Self(Arc::new(Mutex::new(report)))
    }

    pub fn set(&self, key: &str, value: impl Into<Value>) {
        self.0.lock().unwrap().insert(key.to_owned(), value.into());
    }

    /// Adds how many packs were loaded and what could not be.
    pub fn set_packs(&self, library: &Library) {
        self.set("packs", library.packs.keys().cloned().collect::<Vec<_>>());
        self.set("problems", library.problems.clone());
    }

    pub fn report(&self) -> Value {
        Value::Object(self.0.lock().unwrap().clone())
    }
}

/// The service's name as its peers know it; `ATTUNE_SERVICE_NAME` tells variants apart.
pub fn name(identity: Identity) -> String {
    std::env::var("ATTUNE_SERVICE_NAME").unwrap_or_else(|_| identity.service.to_owned())
}

/// An answer that says what went wrong.
pub fn refusal(status: StatusCode, message: impl Into<String>) -> Response {
    (status, Json(json!({"error": message.into()}))).into_response()
}

/// Loads the packs and logs what could not be loaded.
pub fn load_packs(service: &str, config: &Config) -> Library {
    let library = Library::load(&config.pack_roots);
    for problem in &library.problems {
        log(service, problem);
    }
    let packs: Vec<_> = library.packs.keys().map(String::as_str).collect();
    log(service, format!("{} packs: {}", packs.len(), packs.join(" ")));
    library
}

/// Makes a service's routes. A plain function pointer: a generic parameter would have the whole server
/// compiled again in each service.
pub type Routes = fn(Config, Health) -> Result<Router>;

/// Runs the service that `routes` makes, or probes a running one (`healthcheck` as first argument).
pub fn run(identity: Identity, routes: Routes) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let outcome = runtime.map_err(|error| Error::new(error.to_string())).and_then(|runtime| {
        runtime.block_on(async {
            match std::env::args().nth(1).as_deref() {
                None => serve(identity, routes).await,
                Some("healthcheck") => probe(identity).await,
                Some(other) => Err(Error::new(format!("unknown argument: {other}"))),
            }
        })
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            log(&name(identity), error);
            ExitCode::FAILURE
        }
    }
}

async fn serve(identity: Identity, routes: Routes) -> Result<()> {
    // First of all: process 1 of a container ignores a SIGTERM that it has no handler for.
    let failed = |error: std::io::Error| Error::new(format!("cannot start: {error}"));
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    let config = Config::load()?;
    let health = Health::new(identity, &config);
    let answer = health.clone();
    let router = routes(config, health)?
        .route("/health", get(move || std::future::ready(Json(answer.report()))));
    let port = config::port(identity.default_port)?;
    let listener = TcpListener::bind(("0.0.0.0", port)).await.map_err(failed)?;
    log(&name(identity), format!("{} listens on port {port}", identity.marker));
    // Open streams and running work end with the process: nobody waits for a stop.
    tokio::select! {
        result = axum::serve(listener, router) => result.map_err(failed),
        _ = terminate.recv() => Ok(()),
        _ = interrupt.recv() => Ok(()),
    }
}

async fn probe(identity: Identity) -> Result<()> {
    let url = format!("http://127.0.0.1:{}/health", config::port(identity.default_port)?);
    match http::call(&url, None, Duration::from_secs(2)).await {
        Ok((200, report)) if report["status"] == "ok" => Ok(()),
        Ok((status, report)) => Err(Error::new(format!("{status}: {report}"))),
        Err(error) => Err(Error::new(error.to_string())),
    }
}

//! Configuration: one YAML file, single values overridden by the environment.

use std::collections::BTreeMap;
use std::env;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::{Error, Result};

const DEFAULT_FILE: &str = "/opt/attune/config/attune.yaml";

#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// A name for this installation; every health endpoint shows it.
    pub deployment: String,
    /// Folders that hold packs. Of two packs with one ref, the first found counts.
    pub pack_roots: Vec<PathBuf>,
    /// Base URL by service name, workers left out.
    pub services: BTreeMap<String, String>,
    /// Workers in the order in which the executor tries them.
    pub workers: Vec<Worker>,
    /// How many of the latest events (or executions) a service keeps in memory.
    pub keep: usize,
    /// Time limit of an action that sets none of its own.
    pub action_timeout_seconds: f64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Worker {
    pub name: String,
    pub url: String,
    pub runners: Vec<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            deployment: "default".to_owned(),
            pack_roots: vec!["/opt/attune/packs".into(), "/opt/attune/packs.dev".into()],
            services: BTreeMap::new(),
            workers: Vec::new(),
            keep: 200,
            action_timeout_seconds: 30.0,
        }
    }
}

impl Config {
    /// Reads the file named by `ATTUNE_CONFIG` and applies the environment.
    pub fn load() -> Result<Self> {
        let file = env::var_os("ATTUNE_CONFIG").map_or(DEFAULT_FILE.into(), PathBuf::from);
        let text = std::fs::read_to_string(&file)
            .map_err(|error| Error::new(format!("cannot read {}: {error}", file.display())))?;
        let config = Self::parse(&text, &file)?;
        config.overridden(|name| env::var(name).ok())
    }

    fn parse(text: &str, file: &Path) -> Result<Self> {
        serde_saphyr::from_str(text)
            .map_err(|error| Error::new(format!("{}: {error}", file.display())))
    }

    fn overridden(mut self, get: impl Fn(&str) -> Option<String>) -> Result<Self> {
        if let Some(value) = get("ATTUNE_DEPLOYMENT") {
            self.deployment = value;
        }
        if let Some(value) = get("ATTUNE_PACK_ROOTS") {
            self.pack_roots = env::split_paths(&value).collect();
        }
        if let Some(value) = get("ATTUNE_KEEP") {
            self.keep = number("ATTUNE_KEEP", &value)?;
        }
        if let Some(value) = get("ATTUNE_ACTION_TIMEOUT_SECONDS") {
            self.action_timeout_seconds = number("ATTUNE_ACTION_TIMEOUT_SECONDS", &value)?;
        }
        for (name, url) in &mut self.services {
            if let Some(value) = get(&format!("ATTUNE_URL_{}", name.to_uppercase())) {
                *url = value;
            }
        }
        Ok(self)
    }

    /// Base URL of a service, an error if the configuration names none.
    pub fn url(&self, service: &str) -> Result<&str> {
        self.services
            .get(service)
            .map(String::as_str)
            .ok_or_else(|| Error::new(format!("the configuration has no services.{service}")))
    }
}

fn number<T: std::str::FromStr>(name: &str, value: &str) -> Result<T> {
    value.parse().map_err(|_| Error::new(format!("{name} is not a number: {value}")))
}

/// The port to listen on: `ATTUNE_PORT`, else the service's own default.
pub fn port(default: u16) -> Result<u16> {
    env::var("ATTUNE_PORT").map_or(Ok(default), |value| number("ATTUNE_PORT", &value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_wins_over_the_file() {
        let text = "deployment: file\nservices: {executor: 'http://executor:8081'}\n";
        let config = Config::parse(text, Path::new("attune.yaml")).unwrap();
        let get = |name: &str| match name {
            "ATTUNE_DEPLOYMENT" => Some("environment".to_owned()),
            "ATTUNE_URL_EXECUTOR" => Some("http://127.0.0.1:1".to_owned()),
            "ATTUNE_PACK_ROOTS" => Some("/a:/b".to_owned()),
            _ => None,
        };
        let config = config.overridden(get).unwrap();
        assert_eq!(config.deployment, "environment");
        assert_eq!(config.url("executor").unwrap(), "http://127.0.0.1:1");
        assert_eq!(config.pack_roots, [PathBuf::from("/a"), PathBuf::from("/b")]);
        assert!(config.url("notifier").is_err());
    }

    #[test]
    fn an_unknown_key_is_refused_with_the_file_named() {
        let error = Config::parse("deploymnet: x\n", Path::new("attune.yaml")).unwrap_err();
        assert!(error.to_string().starts_with("attune.yaml: "), "{error}");
    }
}

//! What every Attune service shares: configuration, packs, health, and the life of a service.

pub mod config;
pub mod event;
pub mod http;
pub mod marker;
pub mod packs;
pub mod service;

/// An error that is told to a person; it carries nothing a caller would decide on.
#[derive(Debug)]
pub struct Error(String);

pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    pub fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Error {}

/// Writes one line to the log, which is the container's standard error.
pub fn log(service: &str, message: impl std::fmt::Display) {
    eprintln!("{service}: {message}");
}

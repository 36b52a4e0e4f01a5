//! The core pack's timer: writes one event per interval to its standard output, as lines of JSON.

mod marker;

use std::io::{self, Write};
use std::process::ExitCode;
use std::thread::sleep;
use std::time::Duration;

use attune_common::event::Event;
use serde_json::{Value, json};

fn main() -> ExitCode {
    let config = std::env::var("ATTUNE_SENSOR_CONFIG").unwrap_or_else(|_| "{}".to_owned());
    let source = std::env::var("ATTUNE_SENSOR_REF").unwrap_or_else(|_| "core.timer".to_owned());
    let interval = match interval(&config) {
        Ok(interval) => interval,
        Err(message) => {
            eprintln!("{source}: {message}");
            return ExitCode::FAILURE;
        }
    };
    for tick in 1_u64.. {
        if let Err(error) = emit(&mut io::stdout().lock(), &source, tick, interval) {
            eprintln!("{source}: {error}");
            break;
        }
        sleep(interval);
    }
    ExitCode::SUCCESS
}

fn interval(config: &str) -> Result<Duration, String> {
    let config: Value = serde_json::from_str(config).map_err(|error| error.to_string())?;
    let seconds = config.get("interval_seconds").map_or(Some(5.0), Value::as_f64);
    match seconds.map(Duration::try_from_secs_f64) {
        Some(Ok(interval)) if !interval.is_zero() => Ok(interval),
        _ => Err(format!("interval_seconds is not a positive number: {config}")),
    }
}

fn emit(out: &mut impl Write, source: &str, tick: u64, interval: Duration) -> io::Result<()> {
    let event = Event {
        trigger: "core.timer".to_owned(),
        source: source.to_owned(),
        marker: marker::MARKER.to_owned(),
        payload: json!({
            "tick": tick,
            "interval_seconds": interval.as_secs_f64(),
            "common_marker": attune_common::marker::MARKER,
        }),
    };
    writeln!(out, "{}", json!(event))?;
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_one_line_that_the_sensor_service_reads_back() {
        let mut out = Vec::new();
        emit(&mut out, "core.timer", 3, Duration::from_secs(1)).unwrap();
        assert_eq!(out.iter().filter(|byte| **byte == b'\n').count(), 1);
        let event: Event = serde_json::from_slice(&out).unwrap();
        assert_eq!(event.payload["tick"], 3);
        assert_eq!(event.marker, marker::MARKER);
    }

    #[test]
    fn an_interval_must_be_a_positive_number() {
        assert_eq!(interval("{}"), Ok(Duration::from_secs(5)));
        assert_eq!(interval(r#"{"interval_seconds": 0.5}"#), Ok(Duration::from_millis(500)));
        for bad in ["{\"interval_seconds\": 0}", "{\"interval_seconds\": \"x\"}", "{"] {
            assert!(interval(bad).is_err(), "{bad}");
        }
    }
}

//! Keeps one sensor program running and takes its events.

use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use attune_common::event::Event;
use attune_common::log;
use attune_common::packs::Sensor;
use serde_json::json;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

use crate::hub::Hub;

const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// A program that ran this long was all right: the next pause is the first again.
const STABLE: Duration = Duration::from_secs(10);

/// Starts the program again whenever it ends or cannot be started, after longer and longer pauses.
pub async fn supervise(sensor: Sensor, hub: Arc<Hub>) {
    let mut pause = FIRST_PAUSE;
    let mut restarts = 0_u64;
    loop {
        hub.set_state(&sensor.reference, json!({"state": "running", "restarts": restarts}));
        let start = Instant::now();
        let (state, reason) = match run(&sensor, &hub).await {
            Ok(reason) => ("waiting", reason),
            Err(error) => (
                if error.kind() == std::io::ErrorKind::NotFound { "missing" } else { "waiting" },
                format!("cannot start {}: {error}", sensor.program.display()),
            ),
        };
        if start.elapsed() >= STABLE {
            pause = FIRST_PAUSE;
        }
        log("sensor", format!("{}: {reason}; again in {pause:?}", sensor.reference));
        hub.set_state(
            &sensor.reference,
            json!({"state": state, "restarts": restarts, "reason": reason}),
        );
        tokio::time::sleep(pause).await;
        pause = next(pause);
        restarts += 1;
    }
}

fn next(pause: Duration) -> Duration {
    (pause * 2).min(LONGEST_PAUSE)
}

/// Runs the program to its end and says how it ended.
async fn run(sensor: &Sensor, hub: &Arc<Hub>) -> std::io::Result<String> {
    let mut child = Command::new(&sensor.program)
        .env("ATTUNE_SENSOR_REF", &sensor.reference)
        .env("ATTUNE_SENSOR_CONFIG", json!(sensor.config).to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let Some(stdout) = child.stdout.take() else {
        return Ok("has no output".to_owned());
    };
    let mut lines = BufReader::new(stdout).lines();
    while let Some(line) = lines.next_line().await? {
        match serde_json::from_str::<Event>(&line) {
            Ok(mut event) => {
                event.source.clone_from(&sensor.reference);
                hub.accept(event);
            }
            Err(error) => log("sensor", format!("{}: no event: {error}: {line}", sensor.reference)),
        }
    }
    Ok(format!("ended with {}", child.wait().await?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn pauses_grow_up_to_the_longest() {
        assert_eq!(next(FIRST_PAUSE), Duration::from_secs(2));
        assert_eq!(next(LONGEST_PAUSE), LONGEST_PAUSE);
    }

    #[tokio::test]
    async fn events_are_taken_and_other_lines_are_passed_over() {
        let dir = std::env::temp_dir().join(format!("attune-sensor-{}", std::process::id()));
        std::fs::create_dir_all(dir.join("a/sensors")).unwrap();
        std::fs::write(dir.join("a/pack.yaml"), "ref: a\n").unwrap();
        std::fs::write(dir.join("a/sensors/s.yaml"), "ref: a.s\nentry_point: s\n").unwrap();
        let program = dir.join("a/sensors/s");
        let script = "#!/bin/sh\necho not json\necho '{\"trigger\": \"a.t\"}'\nexit 4\n";
        std::fs::write(&program, script).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        let library = attune_common::packs::Library::load(&[dir]);
        let (hub, mut events) = Hub::new(10);
        let reason = run(&library.sensors["a.s"], &hub).await.unwrap();
        assert_eq!(reason, "ended with exit status: 4");
        assert_eq!(events.recv().await.unwrap().source, "a.s");
        assert_eq!(hub.recent().len(), 1);
    }
}

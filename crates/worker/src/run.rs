//! Runs one script to its end or its time limit.

use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use attune_common::packs::Action;
use serde::Serialize;
use serde_json::{Map, Value, json};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;

use crate::group::Group;

/// More output than this is read, and left out of the result.
const OUTPUT_LIMIT: usize = 1 << 20;

#[derive(Debug, Serialize)]
pub struct Outcome {
    /// `succeeded`, `failed` or `timed_out`.
    pub status: &'static str,
    /// None where a signal ended the script.
    pub exit_code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
    pub seconds: f64,
}

/// The program that runs scripts of a runner type; none for an unknown type.
pub fn interpreter(runner_type: &str) -> Option<&'static str> {
    match runner_type {
        "shell" => Some("sh"),
        "python" => Some("python3"),
        "node" => Some("node"),
        _ => None,
    }
}

/// Runs the action's script as it is on disk now. An error means that it could not be started.
pub async fn run(
    action: &Action,
    interpreter: &str,
    parameters: &Map<String, Value>,
    limit: Duration,
) -> std::io::Result<Outcome> {
    let start = Instant::now();
    std::fs::metadata(&action.script)?;
    let mut child = Command::new(interpreter)
        .arg(&action.script)
        .current_dir(action.script.parent().unwrap_or(&action.script))
        .env("ATTUNE_ACTION", &action.reference)
        .envs(parameters.iter().map(|(name, value)| (variable(name), text(value))))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()?;
    let group = Group::led_by(child.id().expect("a child that was not waited for"));
    feed(&mut child, json!(parameters).to_string());
    let stdout = Collected::of(child.stdout.take());
    let stderr = Collected::of(child.stderr.take());
    let ended = tokio::time::timeout(limit, child.wait()).await;
    let (status, exit_code) = match ended {
        Ok(status) => {
            let status = status?;
            (if status.success() { "succeeded" } else { "failed" }, status.code())
        }
        Err(_) => {
            group.kill();
            child.wait().await?;
            ("timed_out", None)
        }
    };
    // What the script left running could hold the pipes open for ever.
    group.sweep();
    let (stdout, stderr) = (stdout.text().await, stderr.text().await);
    Ok(Outcome { status, exit_code, stdout, stderr, seconds: start.elapsed().as_secs_f64() })
}

fn feed(child: &mut Child, input: String) {
    if let Some(mut stdin) = child.stdin.take() {
        // A script that doesn't read its input closes the pipe: no error.
        tokio::spawn(async move { stdin.write_all(input.as_bytes()).await });
    }
}

/// `ATTUNE_PARAM_` and the name in capitals, other characters than letters and digits as `_`.
fn variable(name: &str) -> String {
    let name: String = name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' })
        .collect();
    format!("ATTUNE_PARAM_{name}")
}

fn text(value: &Value) -> String {
    // No string with a NUL can be put into an environment.
    value.as_str().map_or_else(|| value.to_string(), |text| text.replace('\0', ""))
}

struct Collected {
    bytes: Arc<Mutex<Vec<u8>>>,
    reader: JoinHandle<()>,
}

impl Collected {
    fn of(pipe: Option<impl AsyncRead + Unpin + Send + 'static>) -> Self {
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let into = Arc::clone(&bytes);
        let reader = tokio::spawn(async move {
            let mut buffer = vec![0; 1 << 14];
            let Some(mut pipe) = pipe else { return };
            while let Ok(read @ 1..) = pipe.read(&mut buffer).await {
                let mut bytes = into.lock().unwrap();
                let room = OUTPUT_LIMIT - bytes.len();
                bytes.extend_from_slice(&buffer[..read.min(room)]);
            }
        });
        Self { bytes, reader }
    }

    /// What was written; a process that left the group and keeps the pipe open is not waited for.
    async fn text(mut self) -> String {
        if tokio::time::timeout(Duration::from_millis(500), &mut self.reader).await.is_err() {
            self.reader.abort();
        }
        String::from_utf8_lossy(&self.bytes.lock().unwrap()).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn outcome(name: &str, script: &str, parameters: Value, limit: f64) -> Outcome {
        let dir = std::env::temp_dir().join(format!("attune-run-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let text = format!("ref: a.{name}\nrunner_type: shell\nentry_point: {name}.sh\n");
        for (ext, text) in [("sh", script), ("yaml", &text)] {
            let dir = dir.join("a/actions");
            std::fs::create_dir_all(&dir).unwrap();
            std::fs::write(dir.join(format!("{name}.{ext}")), text).unwrap();
        }
        std::fs::write(dir.join("a/pack.yaml"), "ref: a\n").unwrap();
        let library = attune_common::packs::Library::load(&[dir]);
        let action = &library.actions[&format!("a.{name}")];
        let Value::Object(parameters) = parameters else { panic!("an object") };
        run(action, "sh", &parameters, Duration::from_secs_f64(limit)).await.unwrap()
    }

    #[tokio::test]
    async fn parameters_reach_a_script_by_input_and_environment() {
        let script = "cat; echo \" $ATTUNE_PARAM_WHO_ELSE $ATTUNE_PARAM_N\"; echo oops >&2; exit 3";
        let outcome = outcome("in", script, json!({"who-else": "you", "n": 2}), 5.0).await;
        assert_eq!(outcome.stdout, "{\"n\":2,\"who-else\":\"you\"} you 2\n");
        assert_eq!(outcome.stderr, "oops\n");
        assert_eq!((outcome.status, outcome.exit_code), ("failed", Some(3)));
    }

    #[tokio::test]
    async fn a_time_out_kills_the_script_with_its_children_and_keeps_its_output() {
        let script = "echo begun; sleep 60 & sleep 60";
        let outcome = outcome("slow", script, json!({}), 0.3).await;
        assert_eq!((outcome.status, outcome.stdout.as_str()), ("timed_out", "begun\n"));
        assert!(outcome.seconds < 5.0, "{outcome:?}");
    }

    #[tokio::test]
    async fn a_child_left_behind_does_not_hold_up_the_result() {
        let outcome = outcome("left", "sleep 60 & echo done", json!({}), 30.0).await;
        assert_eq!((outcome.status, outcome.stdout.as_str()), ("succeeded", "done\n"));
        assert!(outcome.seconds < 5.0, "{outcome:?}");
    }

    #[tokio::test]
    async fn output_beyond_the_limit_is_left_out() {
        let outcome = outcome("much", "head -c 3000000 /dev/zero", json!({}), 30.0).await;
        assert_eq!((outcome.status, outcome.stdout.len()), ("succeeded", OUTPUT_LIMIT));
    }
}

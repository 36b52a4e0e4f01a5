//! Packs: folders with a `pack.yaml`, actions, sensors and triggers.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Component, Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Pack {
    #[serde(rename = "ref")]
    pub reference: String,
    #[serde(default)]
    pub label: String,
    #[serde(default)]
    pub description: String,
    #[serde(default)]
    pub version: String,
    /// Name of the folder of packs it was found in.
    #[serde(skip_deserializing)]
    pub source: String,
    #[serde(skip)]
    pub dir: PathBuf,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Action {
    #[serde(rename = "ref")]
    pub reference: String,
    #[serde(skip_deserializing)]
    pub pack: String,
    #[serde(default)]
    pub label: String,
    #[serde(default)]
    pub description: String,
    pub runner_type: String,
    /// Script, relative to the pack's `actions/`.
    pub entry_point: String,
    #[serde(default = "yes")]
    pub enabled: bool,
    #[serde(default)]
    pub timeout_seconds: Option<f64>,
    #[serde(default)]
    pub parameters: Map<String, Value>,
    #[serde(skip)]
    pub script: PathBuf,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Sensor {
    #[serde(rename = "ref")]
    pub reference: String,
    #[serde(skip_deserializing)]
    pub pack: String,
    #[serde(default)]
    pub label: String,
    /// Program, relative to the pack's `sensors/`.
    pub entry_point: String,
    #[serde(default = "yes")]
    pub enabled: bool,
    #[serde(default)]
    pub config: Map<String, Value>,
    #[serde(skip)]
    pub program: PathBuf,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Trigger {
    #[serde(rename = "ref")]
    pub reference: String,
    #[serde(skip_deserializing)]
    pub pack: String,
    #[serde(default)]
    pub label: String,
    #[serde(default)]
    pub payload: Map<String, Value>,
}

fn yes() -> bool {
    true
}

/// Everything found in the folders of packs, by ref. A file that cannot be used is a problem of its
/// own and keeps nothing else from being loaded.
#[derive(Clone, Debug, Default)]
pub struct Library {
    pub packs: BTreeMap<String, Pack>,
    pub actions: BTreeMap<String, Action>,
    pub sensors: BTreeMap<String, Sensor>,
    pub triggers: BTreeMap<String, Trigger>,
    pub problems: Vec<String>,
}

impl Library {
    pub fn load(roots: &[PathBuf]) -> Self {
        let mut library = Self::default();
        for root in roots {
            for dir in entries(root) {
                if dir.join("pack.yaml").is_file() {
                    library.add_pack(root, &dir);
                }
            }
        }
        library
    }

    fn add_pack(&mut self, root: &Path, dir: &Path) {
        let Some(mut pack) = self.read::<Pack>(&dir.join("pack.yaml")) else {
            return;
        };
        if let Some(other) = self.packs.get(&pack.reference) {
            self.problems.push(format!(
                "{}: pack {} is already loaded from {}",
                dir.display(),
                pack.reference,
                other.dir.display()
            ));
            return;
        }
        pack.source = root.file_name().unwrap_or_default().to_string_lossy().into_owned();
        pack.dir = dir.to_path_buf();
        let name = pack.reference.clone();
        self.packs.insert(name.clone(), pack);
        for (file, mut action) in self.read_all::<Action>(&dir.join("actions")) {
            match inside(&dir.join("actions"), &action.entry_point) {
                Some(script) => action.script = script,
                None => {
                    self.refuse_entry_point(&file, &action.entry_point);
                    continue;
                }
            }
            action.pack.clone_from(&name);
            self.actions.insert(action.reference.clone(), action);
        }
        for (file, mut sensor) in self.read_all::<Sensor>(&dir.join("sensors")) {
            match inside(&dir.join("sensors"), &sensor.entry_point) {
                Some(program) => sensor.program = program,
                None => {
                    self.refuse_entry_point(&file, &sensor.entry_point);
                    continue;
                }
            }
            sensor.pack.clone_from(&name);
            self.sensors.insert(sensor.reference.clone(), sensor);
        }
        for (_, mut trigger) in self.read_all::<Trigger>(&dir.join("triggers")) {
            trigger.pack.clone_from(&name);
            self.triggers.insert(trigger.reference.clone(), trigger);
        }
    }

    fn refuse_entry_point(&mut self, file: &Path, entry_point: &str) {
        self.problems
            .push(format!("{}: entry_point leaves its folder: {entry_point}", file.display()));
    }

    fn read_all<T: DeserializeOwned>(&mut self, dir: &Path) -> Vec<(PathBuf, T)> {
        entries(dir)
            .into_iter()
            .filter(|file| file.extension().is_some_and(|ext| ext == "yaml" || ext == "yml"))
            .filter_map(|file| self.read(&file).map(|item| (file, item)))
            .collect()
    }

    fn read<T: DeserializeOwned>(&mut self, file: &Path) -> Option<T> {
        let text = fs::read_to_string(file).map_err(|error| error.to_string());
        let item = text.and_then(|text| serde_saphyr::from_str(&text).map_err(|e| e.to_string()));
        item.map_err(|error| self.problems.push(format!("{}: {error}", file.display()))).ok()
    }
}

/// The sorted entries of a folder; none where there is no such folder.
fn entries(dir: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<_> =
        fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

/// `dir/name`, unless `name` would lead out of `dir`.
fn inside(dir: &Path, name: &str) -> Option<PathBuf> {
    let name = Path::new(name);
    let plain = name.components().all(|part| matches!(part, Component::Normal(_)));
    (plain && name.file_name().is_some()).then(|| dir.join(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(root: &Path, name: &str, text: &str) {
        let file = root.join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }

    fn root(name: &str) -> PathBuf {
        let root = std::env::temp_dir().join(format!("attune-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&root);
        root
    }

    const ECHO: &str = "ref: a.echo\nrunner_type: shell\nentry_point: echo.sh\n";

    #[test]
    fn a_pack_is_loaded_with_its_actions_sensors_and_triggers() {
        let root = root("whole").join("packs");
        write(&root, "a/pack.yaml", "ref: a\nversion: 1.0.0\n");
        write(&root, "a/actions/echo.yaml", ECHO);
        write(&root, "a/actions/echo.sh", "echo\n");
        write(&root, "a/sensors/t.yaml", "ref: a.t\nentry_point: bin\nconfig: {seconds: 5}\n");
        write(&root, "a/triggers/t.yaml", "ref: a.tick\n");
        let library = Library::load(std::slice::from_ref(&root));
        assert_eq!(library.problems, [] as [String; 0]);
        assert_eq!(library.packs["a"].source, "packs");
        assert_eq!(library.packs["a"].version, "1.0.0");
        assert_eq!(library.actions["a.echo"].script, root.join("a/actions/echo.sh"));
        assert_eq!(library.sensors["a.t"].config["seconds"], 5);
        assert_eq!(library.triggers["a.tick"].pack, "a");
    }

    #[test]
    fn a_broken_file_is_a_problem_and_the_rest_is_loaded() {
        let root = root("broken");
        write(&root, "a/pack.yaml", "ref: a\n");
        write(&root, "a/actions/bad.yaml", "ref: [\n");
        write(&root, "a/actions/echo.yaml", ECHO);
        write(&root, "a/actions/out.yaml", &ECHO.replace("echo.sh", "../../../bin/sh"));
        write(&root, "b/pack.yaml", "\tnot yaml");
        let library = Library::load(std::slice::from_ref(&root));
        assert_eq!(library.actions.keys().collect::<Vec<_>>(), ["a.echo"]);
        assert_eq!(library.problems.len(), 3, "{:?}", library.problems);
    }

    #[test]
    fn of_two_packs_with_one_ref_the_first_counts() {
        let root = root("twice");
        write(&root, "packs/a/pack.yaml", "ref: a\nversion: 1.0.0\n");
        write(&root, "packs.dev/a/pack.yaml", "ref: a\nversion: 2.0.0\n");
        let library = Library::load(&[root.join("packs"), root.join("packs.dev")]);
        assert_eq!(library.packs["a"].version, "1.0.0");
        assert_eq!(library.problems.len(), 1);
    }
}

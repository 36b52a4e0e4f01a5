"""Files that share a folder but not a verdict: what is kept for a folder must tell them apart."""

from __future__ import annotations

from attune_dev.planning.classify import Classifier
from attune_dev.planning.graph import build_graph
from tests.unit.planning.repository import MULTI_STAGE, Repository


def verdicts(repo: Repository, *paths: str) -> list[str]:
    """The first action kind of each path, or why nothing is done, by one classifier."""
    classifier = Classifier(build_graph(repo.load()))
    told = []
    for path in paths:
        verdict = classifier.classify(path)
        kinds = [f"{i.kind.value} {i.target}" for i in verdict.impacts]
        told.append(kinds[0] if kinds else verdict.unread)
    return told


def rust(repo: Repository, more: str = "") -> None:
    repo.members("crates/*")
    repo.crate("crates/api", bins=("api",))
    repo.write({"Dockerfile": MULTI_STAGE.format(binary="api") + more})
    repo.service("api", build="Dockerfile")


def test_documents_and_sources(repo: Repository) -> None:
    rust(repo)
    source, document = "crates/api/src/a.rs", "crates/api/src/a.md"
    unread = "a document that package api does not include"
    assert verdicts(repo, source, document) == ["build api", unread]
    assert verdicts(repo, document, source) == [unread, "build api"]


def test_documents_and_other_files_between_the_packages(repo: Repository) -> None:
    rust(repo)
    beside = "nothing reads it: a build sees it, but compiles nothing of it"
    assert verdicts(repo, "x/a.proto", "x/a.md") == ["build api", beside]
    assert verdicts(repo, "x/a.md", "x/a.proto") == [beside, "build api"]


def test_hidden_and_seen_files(repo: Repository) -> None:
    rust(repo)
    repo.write({".dockerignore": "**/*.tmp\n"})
    hidden = "hidden from the context by rule **/*.tmp of .dockerignore"
    paths = ("crates/api/src/a.rs", "crates/api/src/a.tmp")
    assert verdicts(repo, *paths) == ["build api", hidden]
    assert verdicts(repo, *reversed(paths)) == [hidden, "build api"]


def test_files_that_a_pattern_copies_and_others(repo: Repository) -> None:
    repo.write({"Dockerfile": "FROM debian\nCOPY conf/*.conf /etc/\n"})
    repo.service("web", build="Dockerfile")
    paths = ("conf/a.conf", "conf/a.txt")
    assert verdicts(repo, *paths) == ["build web", "nothing reads it"]
    assert verdicts(repo, *reversed(paths)) == ["nothing reads it", "build web"]


def test_files_that_are_excluded_from_a_copied_folder(repo: Repository) -> None:
    repo.write({"Dockerfile": "FROM debian\nCOPY --exclude=*.bak conf /etc/\n"})
    repo.service("web", build="Dockerfile")
    assert verdicts(repo, "conf/a", "conf/a.bak") == ["build web", "nothing reads it"]


def test_parts_of_a_mounted_pack(repo: Repository) -> None:
    repo.write({"packs.dev/x/pack.yaml": ""})
    for name in ("api", "sensor"):
        repo.service(name, "./packs.dev:/p", image="app")
    nobody = "documents and tests of a pack concern no service"
    assert verdicts(repo, "packs.dev/x/a.yaml", "packs.dev/x/a.md") == ["restart api", nobody]
    assert verdicts(repo, "packs.dev/x/a.md", "packs.dev/x/a.yaml") == [nobody, "restart api"]


def test_hidden_names_at_the_root(repo: Repository) -> None:
    rust(repo)
    beside = "nothing reads it: a build sees it, but compiles nothing of it"
    assert verdicts(repo, "schema.sql", ".editorconfig") == ["build api", beside]
    assert verdicts(repo, ".editorconfig", "schema.sql") == [beside, "build api"]


def test_ignored_files_of_a_repository_that_is_mounted_as_a_whole(repo: Repository) -> None:
    repo.write({".gitignore": "*.log\n"})
    repo.service("app", "./:/app", image="app")
    ignored = "hidden by rule *.log of .gitignore"
    assert verdicts(repo, "x/a.py", "x/a.log") == ["restart app", ignored]
    assert verdicts(repo, "x/a.log", "x/a.py") == [ignored, "restart app"]


def test_a_narrow_copy_into_a_compile_stage_counts_and_a_broad_one_is_asked(
    repo: Repository,
) -> None:
    repo.members("crates/*")
    repo.crate("crates/api", bins=("api",))
    made = MULTI_STAGE.format(binary="api").replace(
        "COPY . .", "COPY Cargo.toml ./\nCOPY crates crates\nCOPY notes notes"
    )
    repo.write({"Dockerfile": made})
    repo.service("api", build="Dockerfile")
    assert verdicts(repo, "notes/a.md", "crates/a.md") == [
        "build api",
        "nothing reads it: a build sees it, but compiles nothing of it",
    ]


def test_an_ignored_file_is_read_where_it_is_mounted_to_be_read(repo: Repository) -> None:
    repo.write({".gitignore": "/secrets/\nconf/local.yaml\n"})
    repo.service("app", "./secrets:/s:ro", "./conf:/c", image="app")
    assert verdicts(repo, "secrets/key", "conf/local.yaml") == ["restart app", "restart app"]


def test_parts_of_a_pack_that_concern_different_services(repo: Repository) -> None:
    repo.write({"packs.dev/x/pack.yaml": ""})
    for name in ("api", "worker"):
        repo.service(name, "./packs.dev:/p", image="app")
    content, runtime = "packs.dev/x/pack.yaml", "packs.dev/x/requirements.txt"
    assert verdicts(repo, content, runtime) == ["restart api", "restart worker"]
    assert verdicts(repo, runtime, content) == ["restart worker", "restart api"]

"""Code into running containers, in a repository of another shape: on disk is what answers."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator

import pytest

from attune_dev.bench.sample.loop import Dev, developing
from attune_dev.bench.sample.stack import eventually
from tests.docker.small import Small, new_mark, settle, small_repository, ways

pytestmark = [pytest.mark.docker, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Small]:
    """The small repository, removed afterwards with all that was made of it."""
    with small_repository(tmp_path_factory.mktemp("small")) as made:
        yield made


@pytest.fixture(scope="module")
def dev(small: Small) -> Iterator[Dev]:
    """``inv dev`` in it, past its first idle."""
    with developing(small, timeout=600) as running:
        yield running


def test_an_edit_answers_from_the_container_that_was_there(small: Small, dev: Dev) -> None:
    before = small.container_ids()
    mark = small.web(new_mark("web"))
    assert ways(settle(dev)) == ["swap"]
    assert small.answer() == [mark, "first", "text", "yes"]
    assert small.container_ids() == before


def test_a_revert_with_another_crate_edited_between(small: Small, dev: Dev) -> None:
    small.common("second")
    settle(dev)
    small.common("first")
    mark = small.web(new_mark("web"))
    settle(dev)
    assert small.answer()[:2] == [mark, "first"]


@pytest.mark.parametrize("when", [1e9, 4e9], ids=["past", "future"])
def test_times_of_files_do_not_matter(small: Small, dev: Dev, when: float) -> None:
    file = small.root / "common/src/part.rs"
    mark = new_mark("common")
    draft = small.write("draft", f'pub const MARK: &str = "{mark}";\n')
    os.utime(draft, (when, when))
    subprocess.run(["cp", "-p", draft, file], check=True)
    draft.unlink()
    settle(dev)
    assert small.answer()[1] == mark


def test_checkout_and_back_compiles_what_it_has_to(small: Small, dev: Dev) -> None:
    git = ("git", "-c", "user.name=t", "-c", "user.email=t@t")
    add = [*git, "add", "common", "web", "Cargo.toml", "Cargo.lock"]
    old = small.common(new_mark("old"))
    settle(dev)
    for command in (add, [*git, "commit", "-qm", "old"]):
        subprocess.run(command, cwd=small.root, check=True)
    new = small.common(new_mark("new"))
    settle(dev)
    for command in (add, [*git, "commit", "-qm", "new"]):
        subprocess.run(command, cwd=small.root, check=True)
    for revision, mark in (("HEAD~1", old), ("-", new)):
        subprocess.run([*git, "checkout", "-q", revision], cwd=small.root, check=True)
        settle(dev)
        assert small.answer()[1] == mark


def test_an_included_file_and_a_module_that_went_and_came_back(small: Small, dev: Dev) -> None:
    small.write("common/src/text.txt", "other")
    settle(dev)
    assert small.answer()[2] == "other"
    part = small.root / "common/src/part.rs"
    text = part.read_text()
    part.unlink()
    failed = dev.wait_idle(300)
    assert not failed[-1]["ok"]
    [error] = [event for event in failed if event["event"] == "error"]
    assert error["file"] == "common/src/lib.rs"
    part.write_text(text)
    os.utime(part, (1e9, 1e9))
    mark = small.web(new_mark("web"))
    settle(dev)
    assert (small.answer()[0], small.answer()[1]) == (mark, text.split('"')[1])


def test_a_comment_that_changes_no_byte_restarts_nothing(small: Small, dev: Dev) -> None:
    started = small.started_at()
    file = small.root / "web/src/main.rs"
    file.write_text(file.read_text() + "// nothing\n")
    assert ways(settle(dev)) == ["swap"]
    assert small.started_at() == started


def test_what_is_saved_while_it_compiles_is_served_in_the_end(small: Small, dev: Dev) -> None:
    small.common(new_mark("common"))
    eventually(lambda: any(e["event"] == "start" for e in dev.events()[dev.seen :]))
    late = small.common(new_mark("common"))
    while not dev.wait_idle(300)[-1]["ok"] or small.answer()[1] != late:
        pass
    assert small.answer()[1] == late


def test_what_ends_at_its_start_is_shown_and_rolled_back(small: Small, dev: Dev) -> None:
    good = small.web(new_mark("web"))
    settle(dev)
    small.web(new_mark("web"), 'eprintln!("no luck"); std::process::exit(3);')
    failed = dev.wait_idle(300)
    assert not failed[-1]["ok"]
    [error] = [event for event in failed if event["event"] == "error"]
    assert "no luck" in error["why"]
    assert "./inv rollback web" in error["hint"]
    small.inv("rollback", "web")
    assert small.answer()[0] == good


def test_what_ends_a_little_later_is_shown_too(small: Small, dev: Dev) -> None:
    late = "std::thread::spawn(|| { std::thread::sleep(std::time::Duration::from_secs(2));"
    small.web(new_mark("web"), f'{late} eprintln!("too late"); std::process::exit(4); }});')
    settle(dev)

    def told() -> bool:
        fresh = dev.events()[dev.seen :]
        return any("too late" in event.get("why", "") for event in fresh)

    eventually(told, 30)
    small.web(new_mark("web"))
    settle(dev)


def test_a_build_is_broken_off_inside_the_builder_too(small: Small, dev: Dev) -> None:
    """A build script that holds up cargo: what is left of it would hold up the next call."""
    small.write(
        "common/build.rs",
        "fn main() { std::thread::sleep(std::time::Duration::from_secs(600)); }",
    )
    eventually(lambda: any("build-script" in p for p in builder_processes(small)), 60)
    (small.root / "common/build.rs").unlink()
    mark = small.common(new_mark("common"))
    events = settle(dev)
    built = [e["outcome"] for e in events if e["event"] == "end" and e["action"] == "build"]
    assert built[0] == "cancelled"
    assert set(built[1:]) == {"succeeded"}
    assert small.answer()[1] == mark
    assert not [p for p in builder_processes(small) if "build-script" in p]


def builder_processes(small: Small) -> list[str]:
    """Command lines of what runs in the builder."""
    label = "label=dev.attune-dev.helper.project=" + small.project
    [name] = small.docker("ps", "-q", "--filter", label).split()
    return small.docker("top", name, "-o", "pid,args").splitlines()


def test_a_change_of_the_definition_brings_no_older_code_back(small: Small, dev: Dev) -> None:
    mark = small.web(new_mark("web"))
    settle(dev)
    compose = small.root / "compose.yaml"
    compose.write_text(compose.read_text().replace("PLACE: here", "PLACE: there"))
    settle(dev)
    assert small.answer()[0] == mark
    small.docker("compose", "up", "-d", "--force-recreate")
    assert eventually(small.answer)[0] == mark


def test_the_builder_ends_with_the_loop_and_what_was_swapped_is_told(
    small: Small, dev: Dev
) -> None:
    mark = small.web(new_mark("web"))
    settle(dev)
    [row] = [line for line in small.inv("ps").stdout.splitlines() if line.startswith("web ")]
    assert "swapped" in row
    os.kill(dev.pid, signal.SIGINT)
    eventually(lambda: "swapped programs run in web" in dev.text())
    assert dev.stop() == 130
    label = "label=dev.attune-dev.helper.project=" + small.project
    eventually(lambda: not small.docker("ps", "-q", "--filter", label).strip())
    assert small.answer()[0] == mark


def test_up_brings_the_image_to_the_same_sources_first(small: Small, dev: Dev) -> None:
    """Edited while nobody watches, back to what the image holds: the swapped program must go."""
    mark = small.answer()[0]
    small.inv("up")
    assert small.answer()[0] == mark
    assert "swapped" not in small.inv("ps").stdout
    small.docker("compose", "up", "-d", "--force-recreate")
    assert eventually(small.answer)[0] == mark

"""`hearsay run` as an operator meets it: a taken port, content that changes, a broken start, stopping."""

import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from tests.serving import ROOT, Served, end, environment, serving, start

PATIENCE = 30.0


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    return Path(shutil.copytree(ROOT / "content", tmp_path / "content"))


def card(served: Served) -> str:
    with urllib.request.urlopen(f"{served.url}/rumour/jobs", timeout=PATIENCE) as answer:
        return str(answer.read().decode())


def wait_for(words: str, served: Served) -> None:
    deadline = time.monotonic() + PATIENCE
    while words not in served.output.read_text(encoding="utf-8"):
        assert time.monotonic() < deadline, served.output.read_text(encoding="utf-8")
        time.sleep(0.05)


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_sound_changes_are_taken_over_and_broken_ones_refused(pack: Path) -> None:
    jobs = pack / "rumours" / "work" / "jobs.yaml"
    with serving(content=str(pack)) as served:
        edit(jobs, "name: Jobs and newcomers", "name: Work for everybody")
        wait_for("content taken over", served)
        assert "Work for everybody" in card(served)
        edit(jobs, "sensitivity: normal", "sensitivity: lots")
        wait_for("content refused", served)
        said = served.output.read_text(encoding="utf-8")
        assert "content/rumours/work/jobs.yaml:" in said
        assert "'lots' is not one of the words for 'sensitivity'" in said
        assert "Work for everybody" in card(served)


def test_a_platform_that_is_off_says_what_turns_it_on(tmp_path: Path) -> None:
    output = tmp_path / "output"
    process = start(tmp_path / "h.db", output, web="false")
    deadline = time.monotonic() + PATIENCE
    while b"terminal" not in output.read_bytes() and time.monotonic() < deadline:
        time.sleep(0.05)
    end(process)
    assert "web       off  (HEARSAY_WEB=true turns it on)" in output.read_text(encoding="utf-8")


def test_a_taken_port_gives_way_to_the_next_free_one() -> None:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        door.listen()
        taken = int(door.getsockname()[1])
        with serving(port=str(taken)) as served:
            assert taken < served.port <= taken + 20


def test_broken_content_does_not_start(pack: Path, tmp_path: Path) -> None:
    edit(pack / "themes" / "work.yaml", "name:", "nam:")
    done = run(content=str(pack), database=str(tmp_path / "h.db"))
    assert done.returncode == 1
    assert "content/themes/work.yaml:1:1: 'nam' is not known here" in done.stdout
    assert "did you mean 'name'?" in done.stdout


def test_an_address_that_is_not_ours_is_said_in_a_sentence(tmp_path: Path) -> None:
    done = run(host="192.0.2.1", database=str(tmp_path / "h.db"))
    assert done.returncode == 2
    assert "HEARSAY_HOST=192.0.2.1 cannot be listened on" in done.stderr


def test_stopping_is_quick_even_with_a_page_open() -> None:
    with serving() as served:
        with urllib.request.urlopen(f"{served.url}/events", timeout=PATIENCE) as stream:
            assert stream.readline()
            served.process.terminate()
            served.process.wait(PATIENCE)
        assert served.process.returncode in (0, -15)


def run(**settings: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "bot", "run"]
    return subprocess.run(
        command, env=environment(**settings), capture_output=True, text=True, timeout=PATIENCE, check=False, cwd=ROOT
    )

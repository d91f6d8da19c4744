"""Holds to account that a change of the content is noticed, and nothing else is taken for one."""

import os
from pathlib import Path

from bot.serve import fingerprint


def touch(path: Path, later: int) -> None:
    """Say that `path` was written `later` nanoseconds after it was."""
    stat = path.stat()
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns + later))


def test_nothing_changed_is_the_same_number(tiny: Path) -> None:
    assert fingerprint(tiny) == fingerprint(tiny)


def test_an_edited_file_changes_it(tiny: Path) -> None:
    before = fingerprint(tiny)
    touch(tiny / "rumours/work/jobs.yaml", 1_000_000)
    assert fingerprint(tiny) != before


def test_an_older_file_put_in_its_place_changes_it(tiny: Path) -> None:
    before = fingerprint(tiny)
    touch(tiny / "pack.yaml", -1_000_000_000)
    assert fingerprint(tiny) != before


def test_a_new_file_changes_it(tiny: Path) -> None:
    before = fingerprint(tiny)
    (tiny / "themes/safety.yaml").write_text("name: Safety\n")
    assert fingerprint(tiny) != before


def test_a_file_taken_away_changes_it(tiny: Path) -> None:
    before = fingerprint(tiny)
    (tiny / "glossary/rumour.es.yaml").unlink()
    assert fingerprint(tiny) != before


def test_a_file_renamed_changes_it(tiny: Path) -> None:
    before = fingerprint(tiny)
    (tiny / "glossary/rumour.es.yaml").rename(tiny / "glossary/rumour.pt.yaml")
    assert fingerprint(tiny) != before


def test_a_file_that_is_no_content_changes_nothing(tiny: Path) -> None:
    before = fingerprint(tiny)
    (tiny / "README.md").write_text("Hello.\n")
    (tiny / "themes/work.yaml~").write_text("name: Work\n")
    assert fingerprint(tiny) == before


def test_an_editors_lock_that_leads_nowhere_breaks_nothing(tiny: Path) -> None:
    (tiny / "themes/.#work.yaml").symlink_to("somebody@somewhere.1234")
    assert fingerprint(tiny) == fingerprint(tiny)


def test_a_quiz_in_its_own_folder_changes_it_and_a_folder_that_is_not_there_does_not(tiny: Path) -> None:
    quizzes = tiny.parent / "quizzes"
    assert fingerprint(tiny, quizzes) == fingerprint(tiny)
    (quizzes / "dog").mkdir(parents=True)
    before = fingerprint(tiny, quizzes)
    (quizzes / "dog/quiz.yaml").write_text("title: The dog\n")
    assert fingerprint(tiny, quizzes) != before

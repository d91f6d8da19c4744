"""Holds to account that the schemas which editors read accept every shipped file and refuse what the check refuses."""

import json
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator

from bot.app import KINDS
from bot.library.schema import DRAFT, FOLDER, schemas, write_schemas

ROOT = Path(__file__).parent.parent.parent
CONTENT = ROOT / "content"
FOLDERS = (ROOT / "quizzes", ROOT / "campaigns", ROOT / "tests/quizzes")
BROKEN = ROOT / "tests/broken"
SCHEMAS = dict(schemas(KINDS))
TRANSLATED = re.compile(r"[^.]+\.[a-z]{2,3}\.yaml")
LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # editors and libyaml allow [Who?], PyYAML's own does not
UNREAD = {"phrases", "cities", "translated", FOLDER}
"""Folders without a schema: phrases are free, a city says only what differs, and the schemas themselves."""

SHAPES = (
    r"^'[\w-]+' is not known here$"
    r"|^'[\w-]+' is missing$"
    r"|should (be (text|a list)|have parts of its own)"
    r"|is \d+ characters long$"
    r"|^'[\w-]+' has \d+$"
    r"|is not one of the words for"
    r"|does not fit"
)
"""What the check says of a file's shape; the rest (references, prose, days) a schema cannot know."""


def schema_of(path: Path) -> str:
    """Return the name of the schema for a file of the content, or of the folder of a quiz or campaign."""
    if CONTENT not in path.parents:
        return path.name.removesuffix(".yaml").replace(".es", ".words")
    place = path.relative_to(CONTENT).as_posix()
    words = ".words" if TRANSLATED.fullmatch(path.name) else ""
    if path.name == "pack.yaml":
        return "pack" if place == path.name else "city"
    for kind in KINDS:
        if place.replace(".es.", ".") == kind.place or path.match(f"{kind.place}/*.yaml"):
            return kind.name + words
    raise LookupError(place)


def plain(tree: Any) -> Any:
    """Return `tree` with its days as text, as JSON would hold them."""
    if isinstance(tree, dict):
        return {name: plain(child) for name, child in tree.items()}
    if isinstance(tree, list):
        return [plain(child) for child in tree]
    return tree.isoformat() if isinstance(tree, date) else tree


def complaints(name: str, text: str) -> list[str]:
    """Return what the schema `name` says of a file."""
    tree = plain(yaml.load(text, LOADER))
    return [
        f"{list(error.absolute_path)}: {error.message}" for error in Draft7Validator(SCHEMAS[name]).iter_errors(tree)
    ]


def shipped() -> Iterator[Path]:
    for path in sorted(CONTENT.rglob("*.yaml")):
        if path.relative_to(CONTENT).parts[0] not in UNREAD or path.match("cities/*/pack.yaml"):
            yield path
    for root in FOLDERS:
        yield from sorted([*root.glob("*/quiz*.yaml"), *root.glob("*/campaign*.yaml")])


def misshapen() -> Iterator[tuple[str, Path]]:
    """Yield the broken files that are wrong in their shape, each with the schema that should refuse it."""
    names = {kind.name for kind in KINDS} | {"pack"}
    for path in sorted(BROKEN.rglob("*.yaml")):
        said = re.findall(r"# E[ \d:]*: (.+?)(?: → .*)?$", path.read_bytes().decode("utf-8", "replace"), re.MULTILINE)
        if path.parent.name in names and said and all(re.search(SHAPES, what) for what in said):
            yield path.parent.name, path


def test_every_schema_is_one_that_editors_read() -> None:
    for schema in SCHEMAS.values():
        Draft7Validator.check_schema(schema)
        assert schema["$schema"] == DRAFT
        assert "$defs" not in json.dumps(schema)


def test_every_shipped_kind_of_file_is_covered() -> None:
    kinds = {kind.name for kind in KINDS}
    words = {f"{kind.name}.words" for kind in KINDS if kind.translated}
    assert SCHEMAS.keys() == {"pack", "city"} | kinds | words
    assert {schema_of(path) for path in shipped()} == SCHEMAS.keys()


@pytest.mark.parametrize("folder", sorted({path.parent for path in shipped()}), ids=lambda path: path.name)
def test_every_shipped_file_suits_its_schema_as_an_editor_reads_it(folder: Path) -> None:
    read = {
        path.name: complaints(schema_of(path), path.read_text("utf-8")) for path in shipped() if path.parent == folder
    }
    assert read
    assert {name: said for name, said in read.items() if said} == {}


@pytest.mark.parametrize(("name", "path"), list(misshapen()), ids=lambda value: getattr(value, "stem", value))
def test_what_the_check_refuses_by_its_shape_the_editor_marks_too(name: str, path: Path) -> None:
    assert complaints(name, path.read_text("utf-8"))


@pytest.mark.parametrize("wrong", ["techniques: [ask]", "nmae: Empleo", "sensitivity: high", "ask: ¿Qué?"])
def test_an_editor_marks_what_no_translation_of_a_rumour_may_hold(wrong: str) -> None:
    assert complaints("rumour.words", "name: Empleo\n") == []
    assert complaints("rumour.words", f"claim: Nos quitan el trabajo.\n{wrong}\n")


@pytest.mark.parametrize("wrong", ["minutes: 3", "figures: {lit: 84}", "rooms: {quay: {nmae: El muelle}}", "leak: 3"])
def test_an_editor_marks_what_no_translation_of_a_quiz_may_hold(wrong: str) -> None:
    words = "provenance: {status: draft, drafted: people}\nrooms: {quay: {puzzles: {first: {ask: ¿Qué?}}}}\n"
    assert complaints("quiz.words", words) == []
    assert complaints("quiz.words", wrong)


def test_the_files_written_are_the_schemas(tmp_path: Path) -> None:
    written = list(write_schemas(tmp_path, KINDS))
    assert [path.relative_to(tmp_path).as_posix() for path in written] == [f"{FOLDER}/{name}.json" for name in SCHEMAS]
    assert [json.loads(path.read_text("utf-8")) for path in written] == list(SCHEMAS.values())


def test_every_field_of_every_kind_is_explained_to_its_writer() -> None:
    bare = [
        f"{kind.name}.{name}"
        for kind in KINDS
        for name, field in kind.model.model_fields.items()
        if kind.name not in {"situations"} and not field.description
    ]
    assert bare == []

"""The fence: imports point inwards, features never import one another, platform words stay in platforms."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

BOT = Path(__file__).parent.parent / "bot"
MODULES = sorted(BOT.rglob("*.py"))

# What each package may import of ours, itself aside. Modules at the top join the parts and may import anything.
ALLOWED = {
    "core": set[str](),
    "talk": {"core", "storage"},
    "storage": {"core", "talk"},  # tellings are rows
    "library": {"core", "talk"},  # `Say` is what phrases offer
    "matching": {"library", "talk"},
    "features": {"core", "talk", "library", "matching", "storage"},
    "platforms": {"core", "talk", "storage", "delivery"},
}
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
PLATFORM_WORDS = re.compile(r"callback|interaction|ephemeral|modal|chat_id", re.IGNORECASE)


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{name.name}" for name in node.names)
        elif isinstance(node, ast.Import):
            yield from (name.name for name in node.names)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(BOT).as_posix())
def test_imports_point_inwards(path: Path) -> None:
    package = path.relative_to(BOT).parts[0]
    if package not in ALLOWED:
        return
    ours = {name.split(".")[1] for name in imported(path) if name.startswith("bot.")}
    assert ours - {package} <= ALLOWED[package]


@pytest.mark.parametrize("path", sorted((BOT / "features").rglob("*.py")), ids=lambda path: path.as_posix()[-40:])
def test_features_never_import_one_another(path: Path) -> None:
    own = path.relative_to(BOT / "features").parts[0].removesuffix(".py")
    others = {name.split(".")[2] for name in imported(path) if name.startswith("bot.features.")}
    assert others <= {own}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(BOT).as_posix())
def test_words_of_one_platform_stay_in_platforms(path: Path) -> None:
    if path.relative_to(BOT).parts[0] != "platforms":
        assert not PLATFORM_WORDS.search(path.read_text(encoding="utf-8"))


def test_no_sentence_stands_in_the_features() -> None:
    """Content is data: a string with three words and an end mark would be something the assistant says."""
    sentence = re.compile(r"\w+ \w+ \w+.*[.!?]$")
    for path in (BOT / "features").rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        docs = {ast.get_docstring(node, clean=False) for node in ast.walk(tree) if isinstance(node, DOCUMENTED)}
        strings = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
        said = [text for text in strings if isinstance(text, str) and text not in docs and sentence.search(text)]
        assert said == [], path

"""Holds to account that translations go out to a PO file and come back, and nothing half-finished breaks anything."""

import io
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from bot import translating
from bot.app import load_content
from bot.cli import main
from bot.library import marks, po
from bot.library.pairs import NoTextError, items, lines
from bot.library.plurals import counted
from bot.library.problem import ContentError
from bot.library.rewrite import put
from bot.settings import Settings, SettingsError
from bot.translating import Outcome, Work

SOUND = Path(__file__).parent / "broken/sound"
STEADY = settings(deadline=None, derandomize=True, max_examples=8, phases=[Phase.generate])  # to shrink takes long
LETTERS = st.text("abcé ñ¿:#«»\"'-!,\u00a0\U0001f642", min_size=1, max_size=12).filter(str.strip)


class Desk:
    """A small pack on which somebody translates."""

    def __init__(self, folder: Path, languages: str = "en: English, es: Español") -> None:
        self.root = Path(shutil.copytree(SOUND, folder / "content"))
        self.po = folder / "words.po"
        pack = self.root / "pack.yaml"
        pack.write_text(re.sub("{.*}", f"{{{languages}}}", pack.read_text("utf-8")), encoding="utf-8")
        nowhere = folder / "nowhere"
        self.settings = Settings(content=self.root, quizzes=nowhere, campaigns=nowhere)

    def work(self, language: str = "es") -> Work:
        return translating.begin(self.settings, language)

    def listed(self, language: str = "es") -> list[str]:
        return list(translating.listed(self.work(language)))

    def export(self, language: str = "es") -> Catalog:
        translating.export(self.work(language), self.po)
        return read_po(io.StringIO(self.po.read_text("utf-8")), locale=language, abort_invalid=True)

    def save(self, catalog: Catalog) -> None:
        with self.po.open("wb") as opened:
            write_po(opened, catalog, width=0)

    def take(self, language: str = "es") -> Outcome:
        return translating.take(self.work(language), self.po)

    def line(self, name: str) -> int:
        """Return the line of the PO file at which the text called `name` has its msgid."""
        return self.po.read_text("utf-8").split("\n").index(f'msgctxt "{name}"') + 2

    def change(self, name: str, old: str, new: str) -> None:
        path = self.root / name
        text = path.read_text("utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")

    def files(self) -> dict[str, bytes]:
        return {path.relative_to(self.root).as_posix(): path.read_bytes() for path in self.root.rglob("*.yaml")}


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


@pytest.fixture
def fresh(tmp_path: Path) -> Desk:
    """A pack to which Ukrainian was just added."""
    return Desk(tmp_path, "en: English, es: Español, uk: Українська, ar: العربية")


def say(catalog: Catalog, name: str, *words: str) -> None:
    (message,) = (one for one in catalog if one.context == name)
    message.string = words[0] if isinstance(message.id, str) else words


def named(catalog: Catalog, name: str) -> list[str]:
    (message,) = (one for one in catalog if one.context == name)
    return sorted(message.flags)


# -------------------- out and back


@STEADY
@given(data=st.data())
def test_exported_and_taken_back_nothing_changes(data: st.DataObject) -> None:
    with TemporaryDirectory() as folder:
        desk = Desk(Path(folder))
        for unit in desk.work().units:
            plain = not unit.is_list and len(unit.original) == 1 and "{" not in unit.original[0]
            if plain and data.draw(st.booleans()):
                path = unit.pair.path
                path.write_text(put(path.read_text("utf-8"), {unit.at: data.draw(LETTERS)}, {}), encoding="utf-8")
        if data.draw(st.booleans()):
            (desk.root / "glossary/bias.es.yaml").unlink()
        if data.draw(st.booleans()):
            translating.mark(desk.work(), [])
        before = desk.files()
        desk.export()
        outcome = desk.take()
        assert (outcome.taken, outcome.problems) == (0, [])
        assert desk.files() == before


@STEADY
@given(texts=st.lists(LETTERS, min_size=1, max_size=4), odd=st.booleans())
def test_a_list_is_a_line_an_item_and_back(texts: list[str], *, odd: bool) -> None:
    plain = [text.strip() for text in texts]
    plain[0] += "\nbelow" if odd else ""
    assert items(lines(plain), ["an item"]) == plain
    spoken = [{"them": text} for text in plain]
    assert items(lines(spoken), [{"you": "an item"}]) == spoken


def test_a_list_of_other_parts_is_yaml() -> None:
    value = [{"a": "1", "b": "zwei"}]
    assert items(lines(value), value) == value
    with pytest.raises(NoTextError, match="not a list"):
        items("a: 1", value)
    with pytest.raises(NoTextError, match="not YAML"):
        items("- {", value)
    with pytest.raises(NoTextError, match="who speaks"):
        items("Hello", [{"them": "x"}])


def test_a_translators_words_go_into_the_packs_own_files(desk: Desk) -> None:
    desk.change("rumours/work/jobs.es.yaml", "name: Empleo y llegadas", "# Bien.\nname: Empleo y llegadas # corto")
    catalog = desk.export()
    say(catalog, "rumours/work/jobs.yaml:name", "El trabajo")
    say(catalog, "rumours/work/jobs.yaml:ask", "¿Uno?\n¿Dos: o tres?")
    say(catalog, "phrases/en.yaml:talk.left", "{{ count }} vocablo", "{{ count }} vocablos")
    desk.save(catalog)
    before = desk.files()
    outcome = desk.take()
    assert outcome.problems == []
    assert (outcome.taken, outcome.files) == (3, ["content/phrases/es.yaml", "content/rumours/work/jobs.es.yaml"])
    after = desk.files()
    rumour = before["rumours/work/jobs.es.yaml"].decode()
    rumour = rumour.replace("name: Empleo y llegadas # corto", "name: El trabajo # corto")
    rumour = rumour.replace("- ¿Qué puestos quedan libres?", '- ¿Uno?\n  - "¿Dos: o tres?"')
    assert after.pop("rumours/work/jobs.es.yaml").decode() == rumour
    phrases = before["phrases/es.yaml"].decode().replace("palabra", "vocablo")
    assert after.pop("phrases/es.yaml").decode() == phrases
    assert after.pop("translated/es.yaml").count(b"\n") == 3
    assert after.items() <= before.items()


def test_a_group_of_phrases_may_be_called_as_a_field_of_files(fresh: Desk) -> None:
    for language, text in {"en": "Who wrote it", "es": "Quién lo escribió"}.items():
        path = fresh.root / f"phrases/{language}.yaml"
        path.write_text(f"{path.read_text('utf-8')}provenance: {{text: {text}}}\n", encoding="utf-8")
    catalog = fresh.export("uk")
    say(catalog, "phrases/en.yaml:provenance.text", "Хто це написав")
    fresh.save(catalog)
    assert fresh.take("uk").problems == []
    assert (fresh.root / "phrases/uk.yaml").read_text("utf-8") == "provenance:\n  text: Хто це написав\n"


def test_what_was_read_is_a_draft_again_once_a_sentence_changes(desk: Desk) -> None:
    read = "provenance: {status: read, drafted: machine, read_by: un club, read_on: 2026-10-01}"
    desk.change("glossary/bias.es.yaml", "provenance: {status: draft, drafted: machine}", read)
    catalog = desk.export()
    say(catalog, "glossary/bias.yaml:name", "otro sesgo")
    desk.save(catalog)
    assert desk.take().taken == 1
    text = (desk.root / "glossary/bias.es.yaml").read_text("utf-8")
    assert text.endswith("provenance: {status: draft, drafted: machine}\n")


# -------------------- a new language


def test_a_language_that_the_pack_lacks_is_told_how_to_come_in(desk: Desk) -> None:
    with pytest.raises(SettingsError, match=r"under 'languages:' in pack\.yaml:\n  uk: Українська"):
        desk.work("uk")
    with pytest.raises(SettingsError, match="'en' is the original; it is translated into: es"):
        desk.work("en")
    with pytest.raises(SettingsError, match="No language is called 'xyzzy'"):
        desk.work("xyzzy")


def test_in_a_new_language_everything_is_missing_and_nothing_breaks(fresh: Desk) -> None:
    assert load_content(fresh.root).library.pack.languages.keys() == {"en", "es", "uk", "ar"}
    told = fresh.listed("uk")
    assert "content/rumours/work/jobs.uk.yaml: has no translation (13 texts)" in told
    assert re.fullmatch(r"uk: 0 of \d+ texts are translated, 0 changed since\.", told[-1])


def letters(catalog: Catalog) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield for each text a translation that fits it: what must stay, and the letter that Ukrainian ends with."""
    for number, message in enumerate(catalog):
        ids = (message.id,) if isinstance(message.id, str) else tuple(message.id)
        if message.context:
            kept = " ".join(re.findall(r"\{+ ?\w+ ?\}+", ids[-1]))
            word = "я" * (number % 20 + 1)
            listed = "\n".join(f"{word} {place}" for place in "абвгґде"[: ids[0].count("\n") + 1])
            said = "them: я" if ids[0].startswith("them: ") else listed if "\n" in ids[0] else f"{word} {kept}".strip()
            yield message.context, (said,) * (1 if isinstance(message.id, str) else len(tuple(message.string or ())))


@pytest.mark.parametrize("language", ["uk", "ar"])
def test_a_whole_language_comes_in_by_one_file(fresh: Desk, language: str) -> None:
    catalog = fresh.export(language)
    for name, words in list(letters(catalog)):
        say(catalog, name, *words)
    fresh.save(catalog)
    outcome = fresh.take(language)
    assert outcome.problems == []
    content = load_content(fresh.root)
    assert not [path for code, path, _ in content.missing if code == language]
    assert fresh.listed(language)[-1].endswith("0 changed since.")
    rumour = (fresh.root / f"rumours/work/jobs.{language}.yaml").read_text("utf-8")
    assert rumour.startswith("name: я")
    assert rumour.endswith("provenance: {status: draft, drafted: people}\n")
    files = fresh.files()
    assert fresh.take(language).taken == 0
    assert fresh.files() == files


def test_a_new_file_begins_as_its_original_does(fresh: Desk) -> None:
    path = fresh.root / "themes/work.yaml"
    path.write_text(
        f"# yaml-language-server: $schema=../schema/theme.json\n{path.read_text('utf-8')}", encoding="utf-8"
    )
    catalog = fresh.export("uk")
    say(catalog, "themes/work.yaml:name", "Праця")
    fresh.save(catalog)
    fresh.take("uk")
    text = (fresh.root / "themes/work.uk.yaml").read_text("utf-8")
    assert text == "# yaml-language-server: $schema=../schema/theme.words.json\nname: Праця\n"
    assert (fresh.root / "themes/work.uk.yaml").stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize(
    ("language", "forms"),
    [
        ("es", ["one", "other"]),
        ("fr", ["one", "other"]),
        ("uk", ["one", "few", "many"]),
        ("ar", ["zero", "one", "two", "few", "many", "other"]),
        ("ja", ["other"]),
    ],
)
def test_plurals_are_those_of_whole_numbers_by_cldr(language: str, forms: list[str]) -> None:
    assert list(counted(language)) == forms
    assert po.plural_header(language)[0] == len(forms)


def test_a_form_for_fractions_is_said_as_the_last(fresh: Desk) -> None:
    catalog = fresh.export("uk")
    say(catalog, "phrases/en.yaml:talk.left", "{{ count }} слово", "{{ count }} слова", "{{ count }} слів")
    fresh.save(catalog)
    assert fresh.take("uk").problems == []
    say_in = load_content(fresh.root).phrases.say_in("uk")
    assert [say_in("talk.left", count=count) for count in (1, 3, 5, 21)] == ["1 слово", "3 слова", "5 слів", "21 слово"]
    assert "other:" in (fresh.root / "phrases/uk.yaml").read_text("utf-8")


# -------------------- what changed since


def test_a_translation_whose_original_changed_is_listed_and_fuzzy(desk: Desk) -> None:
    assert desk.listed()[-1].endswith("hearsay translate es --mark")
    translating.mark(desk.work(), [])
    assert desk.listed()[-1].endswith("0 changed since.")
    desk.change("glossary/bias.yaml", "name: ", "name: New ")
    assert desk.listed()[:2] == ["content/glossary/bias.es.yaml", "  changed  name"]
    catalog = desk.export()
    assert named(catalog, "glossary/bias.yaml:name") == ["fuzzy"]
    assert desk.take().taken == 0
    assert "  changed  name" in desk.listed()


def test_a_fuzzy_mark_taken_away_says_that_the_translation_is_right_still(desk: Desk) -> None:
    translating.mark(desk.work(), [])
    desk.change("glossary/bias.yaml", "name: ", "name: New ")
    catalog = desk.export()
    for message in catalog:
        message.flags.discard("fuzzy")
    desk.save(catalog)
    desk.take()
    assert "  changed  name" not in desk.listed()


def test_what_changed_while_a_translator_worked_is_listed_after_it_comes_back(desk: Desk) -> None:
    catalog = desk.export()
    desk.change("glossary/bias.yaml", "name: ", "name: New ")
    say(catalog, "glossary/bias.yaml:name", "otro")
    desk.save(catalog)
    assert desk.take().taken == 1
    assert "  changed  name" in desk.listed()


def test_a_translation_that_was_changed_by_hand_follows_its_original_again(desk: Desk) -> None:
    translating.mark(desk.work(), [])
    desk.change("glossary/bias.yaml", "name: ", "name: New ")
    desk.change("glossary/bias.es.yaml", "name: ", "name: Nuevo ")
    assert "  changed  name" not in desk.listed()


def test_a_file_may_be_marked_whose_translation_stays_as_it_is(desk: Desk) -> None:
    translating.mark(desk.work(), [])
    desk.change("glossary/bias.yaml", "name: ", "name: New ")
    assert translating.mark(desk.work(), []).endswith(" 0 noted.")
    assert "  changed  name" in desk.listed()
    assert translating.mark(desk.work(), ["content/glossary/bias.es.yaml"]).endswith(" 1 noted.")
    assert "  changed  name" not in desk.listed()
    with pytest.raises(SettingsError, match="no original is called 'glossary/bais'"):
        translating.mark(desk.work(), ["glossary/bais"])


def test_ways_of_saying_a_rumour_are_each_languages_own(desk: Desk) -> None:
    translating.mark(desk.work(), [])
    desk.change("rumours/work/jobs.yaml", "no jobs left for us", "not one job left")
    assert desk.listed()[-1].endswith("0 changed since.")


def test_marks_that_cannot_be_read_are_named(desk: Desk) -> None:
    translating.mark(desk.work(), [])
    marks.load(desk.root, "es").path.write_text("<<<<<<< here\n\tno: [", encoding="utf-8")
    with pytest.raises(ContentError) as found:
        desk.work()
    assert found.value.problems[0].path == "content/translated/es.yaml"
    assert found.value.problems[0].fix == "remove the file, then run: hearsay translate es --mark"
    marks.load(desk.root, "fr").path.write_text("- a\n", encoding="utf-8")
    assert marks.load(desk.root, "fr").by_file == {}


# -------------------- half-finished and wrong


@pytest.mark.parametrize(
    ("name", "words", "what"),
    [
        ("phrases/en.yaml:talk.code", ["Se ha roto."], "does not name 'code'"),
        ("phrases/en.yaml:talk.code", ["{{ code }} {{"], "is not a sound template: unexpected 'end of template'"),
        ("rumours/work/jobs.yaml:facts.wages.say", ["Poco."], "the figure 'estimates' is not used"),
        ("rumours/work/jobs.yaml:facts.wages.say", ["{estimates} y {mas}."], "no figure is called 'mas'"),
        (
            "rumours/work/jobs.yaml:name",
            ["Un título de más de treinta y cuatro letras"],
            "'name' is 43 characters long",
        ),
        ("rumours/work/jobs.yaml:truth", ["Mira [esto](/term nada)."], "no term is called 'nada'"),
        ("rumours/work/jobs.yaml:heard_as", ["uno\ndos"], "'heard_as' has 2"),
        ("techniques/ask.yaml:example", ["Hola."], "'Hola.' does not say who speaks"),
        ("phrases/en.yaml:talk.left", ["{{ count }} palabra", ""], "some of its plural forms are empty"),
    ],
)
def test_what_is_wrong_is_named_where_it_stands_in_the_po_file_and_all_else_is_taken(
    desk: Desk, name: str, words: list[str], what: str
) -> None:
    catalog = desk.export()
    say(catalog, "glossary/rumour.yaml:name", "rumorcillo")
    say(catalog, name, *words)
    desk.save(catalog)
    before = desk.files()
    outcome = desk.take()
    (problem,) = outcome.problems
    assert what in problem.what
    assert (problem.path, problem.line) == (str(desk.po), desk.line(name))
    assert problem.fix
    assert outcome.files == ["content/glossary/rumour.es.yaml"]
    changed = {path for path, data in desk.files().items() if before.get(path) != data}
    assert changed == {"glossary/rumour.es.yaml", "translated/es.yaml"}


def test_what_is_empty_or_fuzzy_stays_as_it_was(fresh: Desk) -> None:
    catalog = fresh.export("uk")
    say(catalog, "themes/work.yaml:name", "Праця")
    for message in catalog:
        if message.context == "themes/work.yaml:name":
            message.flags.add("fuzzy")
    fresh.save(catalog)
    before = fresh.files()
    assert fresh.take("uk") == Outcome(0, [], [])
    assert fresh.files() == before


def test_a_text_that_is_there_no_more_is_named(desk: Desk) -> None:
    catalog = desk.export()
    catalog.add("Hello", "Hola", context="glossary/bias.yaml:mane")
    desk.save(catalog)
    (problem,) = desk.take().problems
    assert problem.what == "no text is called 'glossary/bias.yaml:mane'"
    assert "did you mean 'glossary/bias.yaml:name'" in problem.fix


@pytest.mark.parametrize(
    ("data", "line", "what"),
    [
        (b"\xff", 1, "is not UTF-8 text"),
        (b'msgid "a"\nhello "b"\n', 2, "is not a PO file"),
        (b"hello\n", 1, "is not a PO file"),
        (b'msgid ""\nmsgstr ""\n"Language: fr\\n"\n', 1, "is for 'fr', not for 'es'"),
        (b'msgid ""\nmsgstr "Plural-Forms: nplurals=3; plural=0;\\n"\n', 1, "has 3 plural forms; es has 2"),
    ],
)
def test_a_file_that_is_no_po_file_is_named(desk: Desk, data: bytes, line: int, what: str) -> None:
    desk.po.write_bytes(data)
    (problem,) = desk.take().problems
    assert problem.what.startswith(what)
    assert problem.line == line
    assert problem.fix


def test_a_po_file_that_is_not_there_is_named(desk: Desk) -> None:
    (problem,) = desk.take().problems
    assert problem.what.startswith("cannot be read: ")


# -------------------- what a translator is told


def test_translators_are_told_what_a_text_is_and_what_must_stay(desk: Desk) -> None:
    desk.export()
    text = desk.po.read_text("utf-8")

    def told(name: str) -> list[str]:
        above = text.partition(f'msgctxt "{name}"')[0].rpartition("\n\n")[2]
        return above.rstrip("\n").split("\n")

    assert told("rumours/work/jobs.yaml:name")[:2] == [
        "#. A neutral title: what it is about, never what is claimed",
        "#. At most 34 characters",
    ]
    assert "#. Must stay: {estimates}" in told("rumours/work/jobs.yaml:facts.wages.say")
    assert "#, python-brace-format" in told("rumours/work/jobs.yaml:facts.wages.say")
    assert "#. Must stay: {{ code }}" in told("phrases/en.yaml:talk.code")
    assert "#. msgstr[0] is for 1" in told("phrases/en.yaml:talk.left")
    assert "#. A list, an item a line" in told("techniques/ask.yaml:steps")
    assert any("Not a translation" in line for line in told("rumours/work/jobs.yaml:heard_as"))
    assert "#: content/rumours/work/jobs.yaml:1" in told("rumours/work/jobs.yaml:name")


def test_the_command_lists_exports_marks_and_takes(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("content", "quizzes", "campaigns"):
        monkeypatch.setenv(f"HEARSAY_{name.upper()}", str(getattr(desk.settings, name)))
    assert main(["translate", "es", "--export", str(desk.po)]) == 0
    assert main(["translate", "es", "--take", str(desk.po)]) == 0
    assert main(["translate", "es", "--mark"]) == 0
    assert main(["translate", "es"]) == 0
    assert main(["translate", "uk"]) == 2
    told = capsys.readouterr()
    assert "0 texts taken into 0 files." in told.out
    assert "0 changed since." in told.out
    assert "uk: Українська" in told.err
    desk.po.write_text("hello", encoding="utf-8")
    assert main(["translate", "es", "--take", str(desk.po)]) == 1
    assert f"{desk.po}:1:1: is not a PO file" in capsys.readouterr().out

"""Cities: what a town's pack changes, adds and fills in, and that a broken one stops nobody else."""

from collections.abc import Callable
from pathlib import Path
from shutil import copytree

import pytest

from bot.app import Content, load_content, repertoires
from bot.core.message import Address, Message
from bot.features.glossary.entry import TERMS
from bot.features.rumours.entry import RUMOURS
from bot.library.city import NO_CITY, laid
from bot.library.problem import ContentError
from bot.serve import sound
from bot.settings import SettingsError
from tests.play import Stage, with_cities

CONTENT = Path(__file__).parent.parent.parent / "content"
TOWN = "puertaluna"
DRAFT = "provenance: {status: draft, drafted: machine}"


@pytest.fixture
def cities(tmp_path: Path) -> Path:
    copytree(CONTENT / "cities", tmp_path / "cities")
    return tmp_path / "cities"


def problems(cities: Path, town: str = TOWN) -> list[str]:
    return [str(problem) for problem in load_content(CONTENT, cities=cities).broken.get(town, ())]


def test_a_town_changes_only_what_it_says() -> None:
    content = with_cities()
    town = content.cities[TOWN].library
    for language in ("en", "es"):
        own, shared = town.all(RUMOURS, language), content.library.all(RUMOURS, language)
        assert own.keys() - shared.keys() == {"port-flats"}
        assert [name for name in shared if own[name] is not shared[name]] == ["jobs"]
        assert own["jobs"].local.fact is not None
        assert own["jobs"].model_copy(update={"local": shared["jobs"].local}) == shared["jobs"]
        assert "mesa-de-barrio" in town.all(TERMS, language)
    assert not content.broken
    assert town.pack.city == "Puertaluna"
    assert list(town.pack.languages) == ["es", "en"]


def test_the_example_town_says_everything_in_its_languages() -> None:
    assert with_cities().cities[TOWN].missing == []


def test_words_of_another_language_fill_gaps_only() -> None:
    base = {"name": "Jobs", "local": {"need": "vacancies"}}
    over = {"name": "Trabajo", "techniques": ["a"], "local": {"need": "vacantes", "who": "el paro"}}
    model = RUMOURS.model
    assert laid(base, over, model, words=True)["name"] == "Trabajo"  # type: ignore[call-overload,index]
    assert laid(base, over, model, words=False) == {
        "name": "Jobs",
        "techniques": ["a"],
        "local": {"need": "vacancies", "who": "el paro"},
    }


def test_a_towns_card_claims_no_more_than_the_shared_text_below_it(cities: Path, tmp_path: Path) -> None:
    shared = Path(copytree(CONTENT, tmp_path / "content"))
    read = "provenance: {status: read, drafted: people, read_by: an editor, read_on: 2026-05-03}"
    files = [cities / TOWN / "rumours/work/jobs.yaml", shared / "rumours/work/jobs.yaml"]
    statuses = []
    for file in files:
        text = file.read_text("utf-8")
        assert DRAFT in text
        file.write_text(text.replace(DRAFT, read), encoding="utf-8")
        town = load_content(shared, cities=cities).cities[TOWN].library
        statuses.append([town.all(RUMOURS, language)["jobs"].provenance.status for language in ("es", "en")])
    assert statuses == [["draft", "draft"], ["draft", "draft"]]  # no Spanish text below was read by anybody
    for file in (shared / "rumours/work/jobs.es.yaml", cities / TOWN / "rumours/work/jobs.en.yaml"):
        file.write_text(file.read_text("utf-8").replace(DRAFT, read), encoding="utf-8")
    town = load_content(shared, cities=cities).cities[TOWN].library
    assert [town.all(RUMOURS, language)["jobs"].provenance.status for language in ("es", "en")] == ["read", "read"]


def write(path: str, text: str) -> Callable[[Path], None]:
    def breaking(town: Path) -> None:
        (town / path).parent.mkdir(parents=True, exist_ok=True)
        (town / path).write_text(text, encoding="utf-8")

    return breaking


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (write("pack.yaml", "name: X\nlanguages: [es, de]\n"), "pack.yaml:2:17: the shared pack has no 'de'"),
        (write("pack.yaml", "name: X\nzone: Mars/Base\n"), "pack.yaml:2:7: no time zone is called 'Mars/Base'"),
        (write("pack.yaml", "zone: Europe/Madrid\n"), "'name' is missing"),
        (write("pack.yaml", "name: X\nmayor: Y\n"), "'mayor' is not known here"),
        (
            write("support.yaml", "routes:\n  victims:\n    phone: ask Ana\n"),
            "support.yaml:3:12: 'ask Ana' is no telephone",
        ),
        (write("support.yaml", "routes:\n  new:\n    phone: '900'\n"), "'name' is missing"),
        (
            write("phrases/es.yaml", "talk:\n  nonsense: Hola\n"),
            "phrases/es.yaml:2:3: the original has no 'talk.nonsense'",
        ),
        (write("phrases/de.yaml", "talk:\n  thanks: Bitte\n"), "'de' is not a language of the pack"),
        (write("phrases/es.yaml", "rumours:\n  ask: Pregunta algo\n"), "does not name 'question'"),
        (write("rumours/work/jobs.yaml", "truth: Hay 5.\n"), "jobs.yaml:1:8: a number stands in the sentence"),
        (write("rumours/work/jobs.yaml", "techniques: [magic]\n"), "no technique is called 'magic'"),
        (write("rumours/nowhere/new.yaml", "name: X\n"), "its folder 'nowhere' is not a theme"),
        (write("rumours/work/jobs.fr.yaml", "truth: Oui.\n"), "'fr' is not a language of the pack"),
        (write("rumours.yaml", "name: X\n"), "cities/puertaluna/rumours.yaml:1:1: nothing here is read from this file"),
        (write("rumours/work/jobs.yaml", "truth: Que sí.\n"), "jobs.yaml:1:1: 'provenance' is missing"),
        (
            write("rumours/work/jobs.en.yaml", "provenance: {status: read, drafted: people}\n"),
            "jobs.en.yaml:1:13: who read it and when is missing",
        ),
        (write("glossary/mesa-de-barrio.yaml", "- x\n"), "mesa-de-barrio.yaml:1:1"),
        (write("glossary/mesa-de-barrio.yaml", "name: [\n"), "is not YAML"),
    ],
)
def test_a_mistake_in_a_towns_pack_is_named_where_it_stands(
    cities: Path, broken: Callable[[Path], None], said: str
) -> None:
    broken(cities / TOWN)
    found = problems(cities)
    assert any(said in problem for problem in found), found


@pytest.mark.parametrize("name", ["Town", "a town", "a" * 25, NO_CITY, "città"])
def test_a_folder_that_is_no_id_is_named(cities: Path, name: str) -> None:
    (cities / TOWN).rename(cities / name)
    assert "the folder's name is not an id" in problems(cities, name)[0]


def test_a_file_where_a_folder_should_be_is_named_and_the_others_go_on(cities: Path) -> None:
    (cities / "granada").write_text("x", encoding="utf-8")
    (cities / "README.md").write_text("notes", encoding="utf-8")
    content = load_content(CONTENT, cities=cities)
    assert list(content.cities) == [TOWN]
    assert "is a file, and not a city's folder" in str(content.broken["granada"][0])


def test_two_towns_of_one_name_are_told_apart(cities: Path) -> None:
    copytree(cities / TOWN, cities / "zweite")
    content = load_content(CONTENT, cities=cities)
    assert list(content.cities) == [TOWN]
    assert "the city 'puertaluna' has the same name" in str(content.broken["zweite"][0])


def test_without_its_folder_of_cities_hearsay_does_not_start(tmp_path: Path) -> None:
    with pytest.raises(ContentError) as refused:
        load_content(CONTENT, cities=tmp_path / "nowhere")
    assert "there is no such folder" in str(refused.value.problems[0])


def test_a_town_that_breaks_keeps_its_last_sound_pack(cities: Path) -> None:
    last = load_content(CONTENT, cities=cities)
    copytree(cities / TOWN, cities / "other")
    (cities / "other" / "pack.yaml").write_text("name: Other\nlanguages: [es, en]\n", encoding="utf-8")
    (cities / TOWN / "pack.yaml").write_text("name: [\n", encoding="utf-8")
    now = sound(load_content(CONTENT, cities=cities), last)
    assert list(now.cities) == ["other", TOWN]
    assert now.cities[TOWN] is last.cities[TOWN]


def test_the_only_town_is_everybodys_and_a_default_must_be_one(content: Content) -> None:
    whole = with_cities()
    assert repertoires(whole).default == TOWN
    assert repertoires(whole, NO_CITY).of("").languages == {"en": "English", "es": "Español"}
    assert repertoires(content).default == ""
    with pytest.raises(SettingsError, match=r"HEARSAY_CITY=atlantis is no city\. The cities are: puertaluna"):
        repertoires(whole, "atlantis")


async def test_a_link_decides_for_newcomers_only(stage: Stage) -> None:
    stage.content = with_cities()
    stage.restart()
    where = Address("web", "w" * 32)
    for number, linked in enumerate((TOWN, "", "atlantis")):
        message = Message(where, "/rumour jobs town", f"k{number}", city=linked, language="en")
        (bubble,) = (await stage.app.assistant.handle(message)).bubbles[-1:]
        assert "64 posts" in bubble.reply.text


async def test_what_one_town_hears_another_does_not_find(stage: Stage, cities: Path) -> None:
    copytree(cities / TOWN, cities / "other")
    (cities / "other" / "pack.yaml").write_text("name: Other\nlanguages: [es, en]\n", encoding="utf-8")
    (cities / "other" / "rumours/homes/port-flats.yaml").unlink()
    (cities / "other" / "rumours/homes/port-flats.en.yaml").unlink()
    content = load_content(CONTENT, cities=cities)
    assert not content.broken
    for city, is_found in ((TOWN, True), ("other", False), (NO_CITY, False)):
        stage.content = content
        stage.restart()
        where = Address("terminal", city)
        await stage.app.assistant.handle(Message(where, f"/city {city}", "a", language="en"))
        said = Message(where, "they built flats at the port and not one is for locals", "b", language="en")
        links = [bubble.reply.link for bubble in (await stage.app.assistant.handle(said)).bubbles]
        assert ("/rumour port-flats" in links) is is_found

"""Holds to account what is shipped: every file sound, all of it in both languages, every reply fit to be shown."""

import ast
import asyncio
import json
import re
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import NamedTuple, get_args

import pytest

from bot import desk, figures
from bot.app import KINDS, Content, load_content, load_pairs, old_sources, repertoire, slips_of
from bot.core import markup
from bot.core.message import Address, Message, Reply
from bot.features import basics, care, feedback, reports
from bot.features.campaigns import acts, wording, writing
from bot.features.campaigns.campaign import VARIANTS
from bot.features.campaigns.subscribing import SORTS
from bot.features.campaigns.typed import Misread
from bot.features.glossary.entry import TERMS
from bot.features.quizzes.hosting import BUTTONS
from bot.features.quizzes.play import Score
from bot.features.quizzes.replies import FEEL_SURE
from bot.features.quizzes.votes import Mode
from bot.features.reports import words
from bot.features.rumours import replies as rumour_replies
from bot.features.rumours.entry import RUMOURS, Rumour
from bot.features.techniques import PARTS
from bot.features.techniques.entry import SITUATIONS, TECHNIQUES
from bot.library.common import THEMES, Citation, Provenance
from bot.library.load import Kind
from bot.library.schema import schemas
from bot.library.shape import Entry
from bot.storage.games import State
from bot.storage.store import Store
from bot.storage.tables import METADATA
from bot.talk.assistant import Assistant
from bot.talk.repertoire import Repertoire, Repertoires
from bot.talk.words import call, folded

ROOT = Path(__file__).parent.parent
BOT = ROOT / "bot"
LANGUAGES = ("en", "es")
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
MOST_BYTES = 48
LONG_ENOUGH = 20
WITHOUT_FACTS = {"grants-nurseries", "hotels", "remittances"}

_ASIDE_FROM_WORDS = re.compile(r"[^\w\s]")


# -------------------- what lies in the files


def test_the_shipped_content_loads_without_problems() -> None:
    assert load_content(ROOT / "content", {name: ROOT / name for name in ("quizzes", "campaigns")}).files > 0


def test_every_yaml_file_of_the_content_is_read(content: Content) -> None:
    schemas = ROOT / "content/schema"
    apart = {schemas, ROOT / "content/cities", ROOT / "content/translated"}
    files = [path for path in (ROOT / "content").rglob("*.y*ml") if not apart & set(path.parents)]
    folders = [*(ROOT / "quizzes").rglob("quiz*.y*ml"), *(ROOT / "campaigns").rglob("*.y*ml")]
    assert content.files == len(files) + len(folders)


def test_nothing_is_missing_in_spanish(content: Content) -> None:
    assert list(content.library.pack.languages) == list(LANGUAGES)
    assert content.missing == []


def test_no_translation_has_a_slip() -> None:
    assert slips_of(*load_pairs(ROOT / "content", {name: ROOT / name for name in ("quizzes", "campaigns")})) == []


@pytest.mark.parametrize(
    ("kind", "count"), [(RUMOURS, 38), (TECHNIQUES, 22), (TERMS, 80)], ids=lambda v: str(getattr(v, "name", v))
)
def test_as_many_are_shipped_as_we_say_each_in_both_languages(content: Content, kind: Kind[Entry], count: int) -> None:
    entries, spanish = content.library.all(kind, "en"), content.library.all(kind, "es")
    assert len(entries) == count
    assert spanish.keys() == entries.keys()
    assert [name for name in entries if spanish[name] is entries[name]] == []  # filled from the original


def test_every_term_is_named_in_french_portuguese_and_italian(content: Content) -> None:
    for name, term in content.library.all(TERMS, "en").items():
        assert {"fr", "pt", "it"} <= {code for code, word in term.names.items() if word.strip()}, name


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_rumour_is_heard_in_eight_ways_at_least(content: Content, language: str) -> None:
    heard = {name: rumour.heard_as for name, rumour in content.library.all(RUMOURS, language).items()}
    assert {name: len(set(map(folded, ways))) for name, ways in heard.items() if len(set(map(folded, ways))) < 8} == {}


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_two_rumours_are_said_alike(content: Content, language: str) -> None:
    said = Counter(
        folded(way) for rumour in content.library.all(RUMOURS, language).values() for way in phrasings(rumour)
    )
    assert [way for way, times in said.items() if times > 1] == []


def phrasings(rumour: Rumour) -> list[str]:
    """Return every way in which a rumour is said, which people must never be shown."""
    return [rumour.claim, *rumour.heard_as, *rumour.blocked]


def test_only_three_rumours_have_no_checked_figure(content: Content) -> None:
    assert {name for name, rumour in content.library.all(RUMOURS, "en").items() if not rumour.facts} == WITHOUT_FACTS


def test_every_theme_has_rumours(content: Content) -> None:
    used = {folder for (kind, _), folder in content.library.folders.items() if kind == RUMOURS.name}
    assert used == content.library.all(THEMES, "en").keys()


def test_where_dignity_is_attacked_a_safe_technique_remains(content: Content) -> None:
    techniques = content.library.all(TECHNIQUES, "en")
    high = {name: r.techniques for name, r in content.library.all(RUMOURS, "en").items() if r.sensitivity == "high"}
    assert high
    assert {name: ways for name, ways in high.items() if not any(techniques[way].safe for way in ways)} == {}


def test_one_technique_alone_is_the_first(content: Content) -> None:
    assert len([name for name, entry in content.library.all(TECHNIQUES, "en").items() if entry.first]) == 1


def test_every_technique_names_situations_that_there_are(content: Content) -> None:
    situations = content.library.only(SITUATIONS, "en")
    for name, entry in content.library.all(TECHNIQUES, "en").items():
        for part in PARTS:
            assert set(getattr(entry.suits, part)) <= getattr(situations, part).keys(), (name, part)


def test_every_source_was_opened_within_the_year(content: Content) -> None:
    assert old_sources(content.library, NOON) == []


# -------------------- every reply to every command


class Said(NamedTuple):
    """A reply, with what was said for it, and in which language."""

    language: str
    text: str
    reply: Reply


@pytest.fixture(scope="module")
def whole() -> Repertoire:
    return repertoire(load_content(ROOT / "content", cities=ROOT / "content" / "cities"))  # games are played elsewhere


@pytest.fixture(scope="module")
def walk(content: Content, whole: Repertoire) -> list[Said]:
    """Say every command, then whatever their choices say, in both languages, each in a new conversation."""

    async def walk_all() -> list[Said]:
        async with assistant_of(whole) as assistant:
            return [said for language in LANGUAGES for said in await walked(assistant, content, language)]

    return asyncio.run(walk_all())


@asynccontextmanager
async def assistant_of(whole: Repertoire) -> AsyncIterator[Assistant]:
    """Lend an assistant with a store in memory, a fixed clock and seeded chance."""
    store = Store(":memory:")
    await store.run(METADATA.create_all)
    yield Assistant(store, Repertoires({"": whole}), lambda: NOON, Random(7), made=lambda _: None)
    store.close()


async def walked(assistant: Assistant, content: Content, language: str) -> list[Said]:
    """Return every reply to every command, and to every choice and link of those replies."""
    waiting = list(dict.fromkeys(commands(content, assistant.repertoire, language)))
    met = set(waiting)
    said: list[Said] = []
    while waiting:
        text = waiting.pop()
        where = Address("walk", f"{language}-{len(said)}")
        turn = await assistant.handle(Message(where, text, "key", language=language, introduced=True))
        shown = [*(bubble.reply for bubble in turn.bubbles), *turn.farewell]
        assert shown, f"nothing is said to {text!r}"
        said += [Said(language, text, reply) for reply in shown]
        found = {target for reply in shown for target in targets(reply)} - met
        met |= found
        waiting += sorted(found)
    return said


def targets(reply: Reply) -> set[str]:
    """Return the commands that a reply leads to."""
    linked = {link for link in markup.links(reply.text) if link.startswith("/")}
    return {choice.say for choice in reply.choices} | linked | ({reply.link} if reply.link else set())


def commands(content: Content, whole: Repertoire, language: str) -> Iterator[str]:
    """Yield every command with every argument that leads somewhere, and some that do not."""
    library = content.library
    for name in whole.commands:
        yield f"/{name}"
        yield f"/{name} zzzz"
    for name in library.all(RUMOURS, language):
        yield from (f"/rumour {name}", f"/not {name}", *(f"/rumour {name} {part}" for part in rumour_replies.SECTIONS))
    yield from (f"/rumours {name}" for name in library.all(THEMES, language))
    yield from (f"/technique {name}" for name in library.all(TECHNIQUES, language))
    yield from (f"/term {name}" for name in library.all(TERMS, language))
    yield from (f"/terms {folded(term.name)[0]}" for term in library.all(TERMS, language).values())
    yield from (f"/language {code}" for code in library.pack.languages)
    yield from (f"/start {role}" for role in basics.ROLES)


def test_the_walk_meets_every_command_and_every_entry(walk: list[Said], content: Content, whole: Repertoire) -> None:
    for language in LANGUAGES:
        said = {text for spoken, text, _ in walk if spoken == language}
        assert {called.name for text in said if (called := call(text))} == whole.commands.keys()
        situations = content.library.only(SITUATIONS, language)
        tips = {
            f"/tip {who} {where} {feeling}"
            for who in situations.who
            for where in situations.where
            for feeling in situations.feeling
        }
        assert tips <= said


def test_nothing_breaks(walk: list[Said], content: Content) -> None:
    broken = {folded(content.phrases.text(language, "talk.broken", code="")[:20]) for language in LANGUAGES}
    assert [(s.language, s.text) for s in walk if any(start in folded(s.reply.text) for start in broken)] == []


def test_every_command_said_by_a_choice_or_a_link_is_one(walk: list[Said], whole: Repertoire) -> None:
    wanted = {(said.text, target) for said in walk for target in targets(said.reply)}
    assert {pair for pair in wanted if (c := call(pair[1])) is None or c.name not in whole.commands} == set()


def test_every_link_leads_to_what_it_names(walk: list[Said], content: Content) -> None:
    ids = {kind: content.library.entries[kind]["en"].keys() for kind in ("rumour", "technique", "term")}
    links = {(said.text, call(target)) for said in walk for target in targets(said.reply)}
    lost = {
        (text, c.name, c.argument)
        for text, c in links
        if c and c.argument and c.name in ids and c.argument.split()[0] not in ids[c.name]
    }
    assert lost == set()


def test_where_dignity_is_attacked_only_safe_techniques_are_offered(walk: list[Said], content: Content) -> None:
    safe = {name for name, entry in content.library.all(TECHNIQUES, "en").items() if entry.safe}
    high = {name for name, rumour in content.library.all(RUMOURS, "en").items() if rumour.sensitivity == "high"}
    talks = [said for said in walk if said.text in {f"/rumour {name} talk" for name in high}]
    assert len(talks) == len(LANGUAGES) * len(high)
    for said in talks:
        offered = {c.argument for choice in said.reply.choices if (c := call(choice.say)) and c.name == "technique"}
        assert offered, said.text
        assert offered <= safe, said.text


def test_whatever_a_choice_says_fits_a_button(walk: list[Said]) -> None:
    said = {choice.say for one in walk for choice in one.reply.choices}
    assert len(said) > 500
    assert {text: len(text.encode()) for text in said if len(text.encode()) > MOST_BYTES} == {}


def test_no_two_choices_of_a_reply_are_called_or_say_the_same(walk: list[Said]) -> None:
    twice = [
        (said.language, said.text, shown)
        for said in walk
        for shown in (Counter(folded(c.label) for c in said.reply.choices), Counter(c.say for c in said.reply.choices))
        if shown and max(shown.values()) > 1
    ]
    assert twice == []


def test_no_reply_shows_a_place_that_was_not_filled(walk: list[Said]) -> None:
    assert [
        (s.language, s.text) for s in walk if re.search(r"\{\w*\}|\{\{|\{%|TODO|\bNone\b(?! of these)", shown(s.reply))
    ] == []


def shown(reply: Reply) -> str:
    """Return all that people see of a reply."""
    alt = [reply.image.alt] if reply.image else []
    return "\n".join([reply.text, *(choice.label for choice in reply.choices), reply.prompt or "", *alt])


def bare(text: str) -> str:
    """Return `text` folded and without punctuation, so that a mark more or less hides nothing."""
    return " ".join(_ASIDE_FROM_WORDS.sub(" ", folded(text)).split())


def forbidden(content: Content) -> dict[str, str]:
    """Return every sentence that is for matching only, with whose it is."""
    return {
        bare(way): f"{language} {name}"
        for language in LANGUAGES
        for name, rumour in content.library.all(RUMOURS, language).items()
        for way in phrasings(rumour)
        if len(folded(way)) > LONG_ENOUGH
    }


def test_no_reply_to_any_command_ever_shows_the_rumour(walk: list[Said], content: Content) -> None:
    never = forbidden(content)
    assert len(never) > 800
    texts = {bare(shown(said.reply)) for said in walk}
    assert {(owner, way) for text in texts for way, owner in never.items() if way in text} == set()


@pytest.mark.parametrize("language", LANGUAGES)
async def test_no_reply_to_the_rumour_itself_shows_it(content: Content, whole: Repertoire, language: str) -> None:
    rumours = content.library.all(RUMOURS, language).values()
    said = [way for rumour in rumours for way in (rumour.claim, *rumour.heard_as[:3], *rumour.blocked)]
    assert len(said) > 150
    never, echoed = forbidden(content), []
    async with assistant_of(whole) as assistant:
        for number, text in enumerate(said):
            message = Message(Address("walk", str(number)), text, "key", language=language, introduced=True)
            turn = await assistant.handle(message)
            answer = bare(" ".join(shown(bubble.reply) for bubble in turn.bubbles))
            echoed += [(text, way) for way in never if way in answer]
    assert echoed == []


async def test_a_preview_is_what_the_conversation_shows(content: Content, whole: Repertoire, walk: list[Said]) -> None:
    linked = {(said.language, said.reply.link): said.reply for said in walk if said.reply.link}
    assert len(linked) == len(LANGUAGES) * (38 + 22 + 80 + 2)  # cards, techniques, words, two lists of days
    async with assistant_of(whole) as assistant:
        seen = {(language, link): await assistant.preview(link or "", language) for language, link in linked}
    assert {pair for pair, reply in linked.items() if seen[pair] != (reply,)} == set()


# -------------------- phrases asked for, phrases written


def phrases_asked() -> tuple[set[str], set[str]]:
    """Return the names of phrases that code and page templates ask for: whole ones, and patterns with {} gaps."""
    whole: set[str] = set()
    patterns: set[str] = set()
    for path in sorted(BOT.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            for part in asked_in(node):
                if isinstance(part, ast.JoinedStr):
                    patterns.add("".join(str(v.value) if isinstance(v, ast.Constant) else "{}" for v in part.values))
                elif isinstance(part, ast.Constant) and isinstance(part.value, str):
                    whole.add(part.value)
    for path in sorted(BOT.rglob("*.html")):
        whole.update(re.findall(r"\bsay\(\s*['\"]([\w.]+)['\"]", path.read_text("utf-8")))
    return whole, patterns


def asked_in(node: ast.AST) -> Iterator[ast.expr]:
    """Yield the names of phrases that a call asks for: by `say`, or for a page or a refusal."""
    if not isinstance(node, ast.Call):
        return
    if says(node.func) and node.args:
        yield from either(node.args[0])
    elif name_of(node.func) == "_page":
        yield from (word.value for word in node.keywords if word.arg in ("title", "text"))
    elif name_of(node.func) == "_refuse":
        yield node.args[2]


def says(function: ast.expr) -> bool:
    """Say whether `function` words a phrase: `say`, `say_in(language)`, `_say(language)`."""
    if isinstance(function, ast.Call):
        return name_of(function.func) in ("say_in", "_say")
    return name_of(function) == "say"


def name_of(function: ast.expr) -> str:
    """Return the last name of what is called."""
    return (
        function.attr if isinstance(function, ast.Attribute) else function.id if isinstance(function, ast.Name) else ""
    )


def either(asked: ast.expr) -> Iterator[ast.expr]:
    """Yield both sides of a choice between two phrases."""
    if isinstance(asked, ast.IfExp):
        yield from (*either(asked.body), *either(asked.orelse))
    else:
        yield asked


def gaps(whole: Repertoire) -> Mapping[str, set[str]]:
    """Return what may stand in the gap of each pattern."""
    visible = {command.name for command in whole.menu(shared=True)}
    return {
        "start.{}": set(basics.ROLES),
        "start.{}_text": set(basics.ROLES),
        "menu.{}": {"rumours", "tip", "terms", "help"},
        "provenance.{}": {
            f"{status}_{drafted}".replace("-", "_")
            for status in get_args(Provenance.model_fields["status"].annotation)
            for drafted in get_args(Provenance.model_fields["drafted"].annotation)
        },
        "rumours.via_{}": set(get_args(Citation.model_fields["via"].annotation)),
        "techniques.ask_{}": set(PARTS),
        "describe.{}": visible,
        "name.{}": visible,
        "quiet.{}": {"on", "off"},
        "safe.{}": set(care.STEPS),
        "safe.{}_text": set(care.STEPS),
        "quiet.turn_{}": {"on", "off"},
        "report.not_{}": {*get_args(words.Why), "hurtful"},
        "report.at_{}": set(reports.PLACES),
        "report.declined_{}": set(reports.REASONS),
        "report.{}": {"keep", "change", "drop"},
        "useful.{}": {*feedback.VERDICTS, *feedback.REASONS},
        "figures.{}": {*figures.GROUPS, *desk.SEARCHES, *SORTS},
        "subscribe.now_{}": set(VARIANTS),
        "subscribe.in_{}": set(VARIANTS),
        "quiz.score_{}": set(Score._fields),
        "quiz.mode_{}": set(get_args(Mode)),
        "quiz.mode_{}_now": set(get_args(Mode)),
        "host.state_{}": set(get_args(State)),
        "coordinate.{}": {*get_args(acts.Moved), *get_args(acts.Approved), *get_args(Misread)},
        "coordinate.state_{}": set(get_args(acts.State)),
        "coordinate.done_{}": set(get_args(acts.Verb)),
        "coordinate.act_{}": set(wording.ACTS),
        "coordinate.do_{}": {
            *get_args(acts.Verb),
            *(verb for state in get_args(acts.State) for verb in wording.ways(state, begun=True, approved=False)),
            *("results", *wording.PAGES, *wording.TYPED),
            *(f"{flag}_{turn}" for flag in wording.FLAGS for turn in ("on", "off")),
        },
        "coordinate.plan_{}": {*wording.TYPED, *wording.FLAGS.values(), "languages", "join"},
        "coordinate.ask_{}": set(wording.TYPED),
        "coordinate.not_{}": set(wording.TYPED),
        "coordinate.message_{}": set(wording.USUAL),
        "coordinate.variant_{}": set(VARIANTS),
        "coordinate.mistake_{}": set(get_args(writing.Why)),
        "coordinate.went_{}": set(wording.WENT),
        "coordinate.skipped_{}": set(wording.SKIPPED),
        "host.word_{}": set(FEEL_SURE),
        "host.do_{}": {verb for verbs in BUTTONS.values() for verb in verbs},
    }


def test_phrases_with_a_gap_are_those_whose_fillings_are_known(whole: Repertoire) -> None:
    _, patterns = phrases_asked()
    assert patterns == gaps(whole).keys()


def test_phrases_asked_for_and_phrases_written_are_the_same(content: Content, whole: Repertoire) -> None:
    asked, _ = phrases_asked()
    asked |= {pattern.replace("{}", filling) for pattern, fillings in gaps(whole).items() for filling in fillings}
    assert {
        "asked for, not written": asked - content.phrases.keys,
        "written, never asked for": content.phrases.keys - asked,
    } == {
        "asked for, not written": set(),
        "written, never asked for": set(),
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_link_in_a_phrase_is_to_a_command(content: Content, whole: Repertoire, language: str) -> None:
    text = (ROOT / f"content/phrases/{language}.yaml").read_text("utf-8")
    links = re.findall(r"\]\((/[^)]*)\)", text)
    assert len(links) > 10
    for link in links:
        called = call(link)
        assert called
        assert called.name in whole.commands
        assert not called.argument or called.argument in content.library.entries[called.name][language]


def test_the_shipped_schemas_are_those_of_the_models() -> None:
    shipped = {path.stem: json.loads(path.read_text("utf-8")) for path in (ROOT / "content" / "schema").glob("*.json")}
    assert shipped == dict(schemas(KINDS)), "run: hearsay schema"

"""The coordinator's desk: what was left for the city, and the figures of its days, as lines and files."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection

from bot import figures
from bot.app import Content, content_of, tongues
from bot.features.campaigns import CAMPAIGNS
from bot.features.campaigns.subscribing import SORTS
from bot.features.glossary.entry import TERMS
from bot.features.reports import PLACES
from bot.features.reports.near import grouped
from bot.features.rumours.entry import RUMOURS
from bot.features.techniques.entry import TECHNIQUES
from bot.library.load import Library
from bot.library.problem import did_you_mean
from bot.serve import in_database
from bot.settings import Settings, SettingsError
from bot.storage import counts, reports, unmatched
from bot.storage.reports import Report
from bot.storage.unmatched import Unmatched
from bot.talk.feature import Say
from bot.whole import write

T = TypeVar("T")

CARDS = ("card", "not-it", "none-of-these")
SEARCHES = ("found", "offered", "none", "service", "opposite")
DAYS = 30  # of figures, where nobody says from when
_HEAD = ("group", "id", "day", "city", "district", "place", "language", "state", "card", "reason", "words")


@dataclass(frozen=True, slots=True)
class Asked:
    """Which figures are asked for, and where they are to be written."""

    city: str | None = None
    first: str | None = None
    last: str | None = None
    language: str | None = None
    csv: Path | None = None
    svg: Path | None = None


def list_reports(settings: Settings, city: str | None, state: str | None, file: Path | None) -> list[str]:
    """Return what was left for the city, near ones together, as lines; write it to the CSV `file`, where one is named.

    Raises `SettingsError`.
    """

    def look(tx: Connection) -> list[Report]:
        _check_city(city, reports.cities(tx) | counts.cities(tx) | _packs(settings))
        return reports.listed(tx, city, state)

    found = in_database(settings, look)
    groups = grouped(found, _telling(content_of(settings))) if found else []
    if file:
        _write(file, "\ufeff" + figures.written(_rows(groups)))
        return [str(file)]
    return list(_lines(groups))


def _telling(content: Content) -> Callable[[Report | Unmatched], str]:
    spoken = tongues(content.library)

    def telling(found: Report | Unmatched) -> str:
        tongue = spoken.get(found.language) or next(iter(spoken.values()))
        return " ".join(tongue.telling(tongue.words(tongue.bare(found.words))))

    return telling


def _lines(groups: Sequence[Sequence[Report]]) -> Iterable[str]:
    for group in groups:
        if len(group) > 1:
            yield f"{len(group)} alike:"
        for one in group:
            where = " · ".join(filter(None, (one.city, one.district, one.place)))
            became = " ".join(filter(None, (one.state, one.card, one.reason)))
            yield f"{one.id:6}  {one.day}  {one.language}  {where}  [{became}]  {one.words}"


def _rows(groups: Sequence[Sequence[Report]]) -> Iterable[Sequence[object]]:
    yield _HEAD
    for number, group in enumerate(groups, 1):
        for one in group:
            became = (one.state, one.card, one.reason, one.words)
            yield (number, one.id, one.day, one.city, one.district, one.place, one.language, *became)


def list_unmatched(settings: Settings, city: str | None, language: str | None, file: Path | None) -> list[str]:
    """Return what people asked and nobody knew, near ones together, the most wanted first, as lines.

    Writes it to the CSV `file`, where one is named. Raises `SettingsError`.
    """
    content = content_of(settings)
    if language is not None and language not in content.library.pack.languages:
        raise SettingsError(f"--language {language}: the pack speaks {', '.join(content.library.pack.languages)}.")

    def look(tx: Connection) -> list[Unmatched]:
        _check_city(city, unmatched.cities(tx) | counts.cities(tx) | _packs(settings))
        return unmatched.listed(tx, city, language)

    groups = grouped(in_database(settings, look), _telling(content))
    groups.sort(key=lambda group: -_times(group))
    if file:
        _write(file, "\ufeff" + figures.written(_unmatched_rows(groups)))
        return [str(file)]
    if not groups:
        return [_nothing(content)]
    return list(_unmatched_lines(groups))


def _times(group: Iterable[Unmatched]) -> int:
    return sum(one.n for one in group)


def _nothing(content: Content) -> str:
    if content.keeps:
        return "Nothing is kept that nobody knew."
    return "Nothing is kept: no pack.yaml says 'keep_unmatched: true'."


def _unmatched_lines(groups: Sequence[Sequence[Unmatched]]) -> Iterable[str]:
    for group in groups:
        if len(group) > 1:
            yield f"{_times(group)} alike:"
        for one in group:
            where = " · ".join(filter(None, (one.language, one.city)))
            yield f"{one.n:6}  {one.day}  {where}  {one.words}"


def _unmatched_rows(groups: Sequence[Sequence[Unmatched]]) -> Iterable[Sequence[object]]:
    yield ("group", "times", "day", "city", "language", "words")
    for number, group in enumerate(groups, 1):
        for one in group:
            yield (number, one.n, one.day, one.city, one.language, one.words)


def answer(settings: Settings, number: int, card: str) -> str:
    """Mark a report as answered by `card`; whoever asked is told, once. Raises `SettingsError`."""
    content = content_of(settings)
    known = {name for part in (content, *content.cities.values()) for name in _rumours(part.library)}
    if card not in known:
        raise SettingsError(f"No rumour is called '{card}'; {did_you_mean(card, known) or 'see content/rumours/'}.")
    return _settle(settings, number, lambda tx: reports.answer(tx, number, card, datetime.now(UTC)))


def _rumours(library: Library) -> Iterable[str]:
    return library.all(RUMOURS, next(iter(library.pack.languages)))


def decline(settings: Settings, number: int, reason: str) -> str:
    """Mark a report as one that gets no card; whoever asked is told, once. Raises `SettingsError`."""
    return _settle(settings, number, lambda tx: reports.decline(tx, number, reason, datetime.now(UTC)))


def _settle(settings: Settings, number: int, work: Callable[[Connection], bool]) -> str:
    if not (0 < number < 2**63 and in_database(settings, work)):
        raise SettingsError(f"No report has the number {number}; 'hearsay reports' lists them.")
    return f"{number} is settled; whoever asked will hear of it once."


def show_figures(settings: Settings, asked: Asked, now: datetime) -> list[str]:
    """Return a city's figures as lines; write them to the files that are named. Raises `SettingsError`."""
    first, last = span(asked.first, asked.last, now.date())

    def look(tx: Connection) -> list[counts.Sum]:
        _check_city(asked.city, reports.cities(tx) | counts.cities(tx) | _packs(settings))
        return counts.sums(tx, asked.city, first, last)

    found = figures.groups(in_database(settings, look))
    content = _content(settings, asked.city)
    language = asked.language or next(iter(content.library.pack.languages))
    if language not in content.library.pack.languages:
        raise SettingsError(f"--in {language}: the pack speaks {', '.join(content.library.pack.languages)}.")
    say = content.phrases.say_in(language)
    named, note = labels(say, content, language), say("figures.small", least=figures.LEAST)
    title = say("figures.title", city=_called(say, asked.city), first=first, last=last)
    if asked.csv:
        _write(asked.csv, "\ufeff" + figures.as_csv(found, named))
    if asked.svg:
        _write(asked.svg, figures.as_svg(found, named, title, note))
    if not found:
        return [title, "", say("figures.nothing")]
    return [title, "", *figures.as_lines(found, named), note]


def _content(settings: Settings, city: str | None) -> Content:
    """Return the content as a city has it, for its own cards have names too; the shared where it has no sound pack."""
    content = content_of(settings)
    return content.cities.get(city or "", content)


def labels(say: Say, content: Content, language: str) -> Mapping[str, str]:
    """Return how groups are called, and those of their parts that are no names already (`search found`)."""
    parts = {f"search {part}": say(f"figures.{part}") for part in SEARCHES}
    words = {"word near": say("figures.near"), "word none": say("figures.none")}
    languages = {f"begun {code}": name for code, name in content.library.pack.languages.items()}
    places = {f"report {place}": say(f"report.at_{place}") for place in PLACES}
    whose = {f"{what} {sort}": say(f"figures.{sort}") for what in ("subscribed", "unsubscribed") for sort in SORTS}
    groups = {what: say(f"figures.{what}") for what in figures.GROUPS}
    return {
        **parts,
        **words,
        **languages,
        **places,
        **whose,
        **_names(content.library, language),
        **groups,
        "total": say("figures.total"),
    }


def _names(library: Library, language: str) -> dict[str, str]:
    rumours, terms = library.all(RUMOURS, language), library.all(TERMS, language)
    ways = library.all(TECHNIQUES, language)
    return {
        **{f"{what} {name}": entry.name for what in CARDS for name, entry in rumours.items()},
        **{f"day {name}": entry.name for name, entry in library.all(CAMPAIGNS, language).items()},
        **{f"term {name}": entry.name for name, entry in terms.items()},
        **{f"{what} {name}": entry.name for what in ("tip", "technique") for name, entry in ways.items()},
    }


def _called(say: Say, city: str | None) -> str:
    return say("figures.every_city") if city is None else city or say("figures.shared_city")


def span(first: str | None, last: str | None, today: date) -> tuple[date, date]:
    """Return the first and the last day that are meant; without any, the last thirty. Raises `SettingsError`."""
    end = _day("--to", last, today) if last else today
    begin = _day("--from", first, today) if first else end - timedelta(days=DAYS - 1)
    if begin > end:
        raise SettingsError(f"--from {begin} is after --to {end}; exchange them.")
    return begin, end


def _day(option: str, text: str, today: date) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise SettingsError(f"{option} {text} is no day; write one such as {today}.") from None
    if day > today:
        raise SettingsError(f"{option} {day} is in the future; today is {today} (UTC).")
    return day


def _packs(settings: Settings) -> set[str]:
    """Return the cities that have a pack, though nothing may be kept of them yet."""
    return {path.name for path in settings.cities.iterdir() if path.is_dir()} if settings.cities else set()


def _check_city(city: str | None, known: set[str]) -> None:
    if city is None or city in known or not city:
        return
    named = sorted(known - {""})
    has = f"there is something of {', '.join(named)}" if named else "there is nothing of any city by its name"
    raise SettingsError(f"Nothing is kept of a city called '{city}'; {has}.")


def _write(file: Path, text: str) -> None:
    """Write `text` to `file`, whole or not at all. Raises `SettingsError`."""
    try:
        write(file, text.encode())
    except OSError as error:
        raise SettingsError(f"{file} cannot be written: {error.strerror}.") from error

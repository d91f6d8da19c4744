"""`hearsay show`, `hearsay withdraw`, `hearsay audit`: what was live, what is hidden, what editors did."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from bot.app import KINDS, content_of, utc_now
from bot.library.load import Loader
from bot.library.problem import ContentError, did_you_mean
from bot.serve import in_database
from bot.settings import Settings, SettingsError
from bot.storage import audit, versions, withdrawn
from bot.storage.audit import Act
from bot.storage.versions import Version
from bot.storage.withdrawn import Entry, Span

T = TypeVar("T")

CARDS = ("rumour", "technique", "term")
"""The kinds that can be withdrawn; the first is meant where an id is of several."""

LONGEST_REASON = 300


@dataclass(frozen=True)
class Wanted:
    """Which text is asked for, and as it was on which day."""

    entry: str
    day: date
    kind: str | None = None
    language: str | None = None
    city: str | None = None


def show(settings: Settings, wanted: Wanted) -> tuple[int, str]:
    """Return an exit status, and what was live on a day. Raises `SettingsError` for a day that is still to come."""
    zone = _zone(settings)
    if wanted.day > (today := utc_now().astimezone(zone).date()):
        raise SettingsError(f"{wanted.day} is still to come: nobody knows what will be live then. Today is {today}.")
    begin = datetime.combine(wanted.day, time(), zone)
    end = datetime.combine(wanted.day + timedelta(days=1), time(), zone)

    def look(tx: Connection) -> tuple[list[Version], list[Span], set[tuple[str, str]], datetime | None]:
        found = [version for version in versions.between(tx, wanted.entry, begin, end) if _is_wanted(version, wanted)]
        return found, withdrawn.between(tx, wanted.entry, begin, end), versions.entries(tx), versions.first(tx)

    found, spans, known, first = in_database(settings, look)
    if wanted.entry not in {entry for kind, entry in known if wanted.kind in (None, kind)}:
        return 1, _unknown(wanted.entry, known, wanted.kind)
    if not found:
        since = f" The record begins on {first.astimezone(zone).date()}." if first else ""
        return 1, f"Of '{wanted.entry}', nothing was live on that day.{since}"
    return 0, "\n".join(_told(version, spans, zone) for version in found)


def _is_wanted(version: Version, wanted: Wanted) -> bool:
    name = version.name
    asked = ((wanted.kind, name.kind), (wanted.language, name.language))
    return all(one in (None, other) for one, other in asked) and name.city in ("", wanted.city or "")


def _told(version: Version, spans: Iterable[Span], zone: ZoneInfo) -> str:
    """Return a text as its file stood, below comments that say of when it is."""
    name = version.name
    language = f", {name.language}" if name.language else ""
    span = _span(version.since, version.until, zone)
    lines = [f"# {name.kind} {name.entry}{language}, {name.city or 'shared pack'}: live {span}"]
    lines.append(f"# SHA-256 {version.digest}")
    for hidden in spans:
        if hidden.of.kind == name.kind and hidden.of.city in ("", name.city):
            where = f" in {hidden.of.city}" if hidden.of.city else ""
            lines.append(f"# withdrawn{where} {_span(hidden.since, hidden.back, zone)}: {hidden.reason}")
    return "\n".join([*lines, version.text])


def _span(since: datetime, until: datetime | None, zone: ZoneInfo) -> str:
    return f"since {_moment(since, zone)}, {f'until {_moment(until, zone)}' if until else 'and still'}"


def _moment(moment: datetime, zone: ZoneInfo) -> str:
    return moment.astimezone(zone).isoformat(" ", "seconds")


def _unknown(entry: str, known: Iterable[tuple[str, str]], kind: str | None) -> str:
    names = {name for of, name in known if kind in (None, of)}
    near = did_you_mean(entry, names) or "nothing is recorded yet: hearsay run does that"
    return f"No {kind or 'entry'} is called '{entry}'; {near}"


def withdraw(settings: Settings, wanted: Entry, reason: str) -> tuple[int, str]:
    """Hide an entry in every process; return an exit status, and what to tell. Raises `SettingsError`."""
    reason = " ".join(reason.split())
    if not reason or len(reason) > LONGEST_REASON:
        raise SettingsError(f"--reason: say why in a sentence of at most {LONGEST_REASON} characters; people read it.")
    entry = _found(settings, wanted)
    if not in_database(settings, lambda tx: withdrawn.withdraw(tx, entry, reason, utc_now())):
        return 1, f"The {entry} is withdrawn already."
    return 0, f"The {entry} is withdrawn. People who ask for it read: {reason}"


def bring_back(settings: Settings, wanted: Entry, reason: str) -> tuple[int, str]:
    """Show an entry again; return an exit status, and what to tell."""
    kinds = (wanted.kind,) if wanted.kind else CARDS
    entries = [Entry(wanted.city, kind, wanted.entry) for kind in kinds]

    def back(tx: Connection) -> list[Entry]:
        return [entry for entry in entries if withdrawn.bring_back(tx, entry, " ".join(reason.split()), utc_now())]

    done = in_database(settings, back)
    if not done:
        where = f" in {wanted.city}" if wanted.city else ""
        return 1, f"'{wanted.entry}' is not withdrawn{where}."
    return 0, "\n".join(f"The {entry} is back." for entry in done)


def acts(settings: Settings) -> str:
    """Return all that editors and coordinators did, a line each: when, in which town and who, where there is such."""
    zone = _zone(settings)
    return "\n".join(_line(act, zone) for act in in_database(settings, audit.everything))


def _line(act: Act, zone: ZoneInfo) -> str:
    by = ", ".join(filter(None, (act.city, f"coordinator {act.who}" if act.who else "")))
    what = f"{act.what}{f': {act.reason}' if act.reason else ''}{f'  [{by}]' if by else ''}"
    return f"{_moment(act.at, zone)}  {act.act}  {what}"


def _found(settings: Settings, wanted: Entry) -> Entry:
    """Return the entry meant, with its kind. Raises `SettingsError` where there is none, or several."""
    known = _known(settings, wanted.city)
    kinds = [kind for kind in CARDS if (kind, wanted.entry) in known and wanted.kind in ("", kind)]
    if not kinds:
        names = {name for kind, name in known if kind in (CARDS if not wanted.kind else (wanted.kind,))}
        what = wanted.kind or "rumour, technique or term"
        raise SettingsError(f"No {what} is called '{wanted.entry}'; {did_you_mean(wanted.entry, names)}")
    if len(kinds) > 1:
        raise SettingsError(f"'{wanted.entry}' is a {' and a '.join(kinds)}; say which: --kind {' | '.join(kinds)}")
    return Entry(wanted.city, kinds[0], wanted.entry)


def _known(settings: Settings, city: str) -> set[tuple[str, str]]:
    """Return the kind and id of every entry; broken files must not keep anybody from withdrawing one."""
    try:
        content = content_of(settings)
    except ContentError:
        return in_database(settings, versions.entries)
    if city and city not in {*content.cities, *content.broken}:
        near = did_you_mean(city, {*content.cities, *content.broken}) or "HEARSAY_CITIES holds none"
        raise SettingsError(f"--city: no city is called '{city}'; {near}")
    parts = (content, *([content.cities[city]] if city in content.cities else content.cities.values()))
    by_kind = [(kind, ids) for part in parts for kind, by in part.library.entries.items() for ids in by.values()]
    return {(kind, entry) for kind, ids in by_kind for entry in ids}


def _zone(settings: Settings) -> ZoneInfo:
    """Return the pack's time zone, UTC where its file is broken: what was live can still be proved."""
    try:
        return ZoneInfo(Loader(settings.content, KINDS).load_pack().zone)
    except ContentError:
        return ZoneInfo("UTC")

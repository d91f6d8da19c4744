"""`hearsay invite`, `campaigns`, `hold` and `resume`: what coordinators do in the chat, at the command line."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from random import SystemRandom
from typing import get_args

from sqlalchemy import Connection

from bot.app import Content, content_of, towns
from bot.core import markup
from bot.core.fit import fit
from bot.core.platform import RefusedError
from bot.features.campaigns import acts, typed, wording
from bot.features.campaigns.acts import By, Spot, Standing, Verb
from bot.features.campaigns.campaign import VARIANTS, Variant
from bot.features.campaigns.planned import at_present
from bot.features.campaigns.town import Town
from bot.features.campaigns.wording import Desk
from bot.features.campaigns.writing import mistake
from bot.library.city import NO_CITY
from bot.library.problem import did_you_mean
from bot.platforms import limits
from bot.serve import in_database
from bot.settings import Settings, SettingsError
from bot.storage import runs, subscriptions, tellings
from bot.storage.runs import COMMAND_LINE
from bot.talk.assistant import lifted
from bot.talk.transcript import bubbles, lines

VERBS: tuple[Verb, ...] = get_args(Verb)
BACK = "back"


@dataclass(frozen=True, slots=True)
class Asked:
    """What `hearsay campaigns` is to do, with which day of which town, and the rest of what was typed."""

    what: str = "list"
    day: str | None = None
    city: str | None = None
    language: str | None = None
    on: str = "terminal"
    message: str | None = None
    variant: Variant | None = None
    to: str | None = None
    text: str | None = None
    file: Path | None = None
    back: bool = False
    yes: bool = False


@dataclass(frozen=True)
class Work:
    """A transaction's worth of work: the database, the town's words, what was asked, who does it and when."""

    tx: Connection
    desk: Desk
    asked: Asked
    by: By

    @property
    def town(self) -> Town:
        """The town as it plans now."""
        return self.desk.town


Told = tuple[int, str]
"""An exit status, and what to print."""


def campaigns(settings: Settings, asked: Asked, now: datetime | None = None) -> Told:
    """Do what was asked with a town's days. Raises `SettingsError`."""
    content = content_of(settings)
    town = _town(settings, content, asked.city)
    language = asked.language or town.first
    if language not in town.languages:
        raise SettingsError(f"--in {language}: the town speaks {', '.join(town.languages)}.")
    by = By(COMMAND_LINE, now or datetime.now(UTC))

    def work(tx: Connection) -> Told:
        own = at_present(tx, town)
        return _do(Work(tx, Desk(own.say_in(language), language, own), asked, by))

    return in_database(settings, work)


def _town(settings: Settings, content: Content, city: str | None) -> Town:
    """Return the town that is meant; without a name, that of whoever chose none. Raises `SettingsError`."""
    known = towns(content)
    only = next(iter(content.cities)) if len(content.cities) == 1 and not content.broken else ""
    wanted = (settings.city or only) if city is None else city
    wanted = "" if wanted == NO_CITY else wanted
    if wanted not in known:
        near = did_you_mean(wanted, content.cities) or "HEARSAY_CITIES holds none"
        raise SettingsError(f"--city: no sound city is called '{wanted}'; {near}")
    return known[wanted]


def _do(work: Work) -> Told:
    asked = work.asked
    if asked.what == "list":
        days = acts.calendar(work.tx, work.town, work.by.now)
        whole = replace(wording.calendar(work.desk, days, 1, held=work.town.id in runs.held(work.tx)), choices=())
        shown = [wording.line(work.desk, one) + f" ({one.id})" for one in days]
        head = whole.text.split("\n\n- ")[0]
        return 0, _plain("\n\n".join([head, "\n".join(shown)] if shown else [whole.text]))
    if not asked.day:
        raise SettingsError(f"Which day? Write its id: hearsay campaigns {asked.what} refugee-day; 'list' shows all.")
    one = acts.standing(work.tx, work.town, asked.day, work.by.now)
    if one is None:
        near = did_you_mean(asked.day, work.town.campaigns[work.town.first])
        raise SettingsError(f"No day called '{asked.day}' is in the calendar, or its next date is not known; {near}")
    if asked.what in VERBS:
        return _verb(work, one, next(verb for verb in VERBS if verb == asked.what))
    return _WAYS[asked.what](work, one)


def _plain(text: str) -> str:
    return markup.plain(markup.parse(text))


def _card(work: Work, one: Standing) -> str:
    again = acts.standing(work.tx, work.town, one.id, work.by.now) or one
    return _plain(wording.card(work.desk, again, subscriptions.count(work.tx, work.town.id), results=False).text)


def _verb(work: Work, one: Standing, verb: Verb) -> Told:
    done = acts.do(work.tx, work.town, one, verb, work.by)
    values = {"name": work.desk.called(one.id), "date": work.desk.day(one.day)}
    text = work.desk.say(f"coordinate.done_{verb}", **values) if done else work.desk.say("coordinate.not_now")
    return 0 if done else 1, f"{_plain(text)}\n\n{_card(work, one)}"


def _show(work: Work, one: Standing) -> Told:
    return 0, _card(work, one)


def _results(work: Work, one: Standing) -> Told:
    year, found = acts.results(work.tx, work.town, one.id, work.by.now)
    return 0, _plain(wording.results(work.desk, one.id, year, found).text)


def _preview(work: Work, one: Standing) -> Told:
    """Draw every text, or those of a language and a variant, as a platform shows them."""
    languages = [work.asked.language] if work.asked.language else list(work.town.languages)
    variants = (work.asked.variant,) if work.asked.variant else VARIANTS
    found = wording.seen(work.desk, one, languages, variants, limits.BY_NAME)
    shape = limits.BY_NAME[work.asked.on]
    return 0, bubbles([lines(part) for reply in found for part in fit(lifted(reply), shape)]).rstrip("\n")


def _approve(work: Work, one: Standing) -> Told:
    """Show what a day will say; with --yes, approve it."""
    name = work.desk.called(one.id)
    if not work.asked.yes:
        shown = wording.to_approve(work.desk, one, subscriptions.count(work.tx, work.town.id))
        return 1, f"{_plain(shown.text)}\n\nTo approve it, write the same with --yes."
    done, tell = acts.approve(work.tx, work.town, one, "", work.by)
    tellings.add(work.tx, tell)
    return int(done == "not_on"), _plain(work.desk.say(f"coordinate.{done}", name=name))


def _move(work: Work, one: Standing) -> Told:
    """Move a day to another date, or back."""
    if not work.asked.to:
        raise SettingsError("--to: say the date, such as 2027-06-18, or 'back' for the day's own.")
    day = one.own_day if work.asked.to == BACK else _read(work, one, work.asked.to)
    done = acts.move(work.tx, work.town, one, day, work.by)
    text = work.desk.say(f"coordinate.{done}", name=work.desk.called(one.id), date=work.desk.day(day))
    return int(not done.startswith("moved")), _plain(text)


def _read(work: Work, one: Standing, text: str) -> date:
    found = typed.read_day(text, {"en", *work.town.languages}, one.own_day)
    if isinstance(found, str):
        raise SettingsError("--to: " + _plain(work.desk.say(f"coordinate.{found}", example=one.own_day.isoformat())))
    return found


def _edit(work: Work, one: Standing) -> Told:
    """Say something else this year in place of a text, or what its file says."""
    asked = work.asked
    if asked.message not in one.campaign.messages:
        raise SettingsError(f"--message: which one? There are {', '.join(one.campaign.messages)}.")
    spot: Spot = (asked.message, work.desk.language, asked.variant or "text")
    if asked.back:
        done = acts.unedit(work.tx, one, spot, work.by)
        return 0, work.desk.say("coordinate.files" if done else "coordinate.files_already")
    text = _text(asked).strip()
    if wrong := mistake(text, spot[2], sober=one.campaign.sober):
        return 1, _plain(wording.told(work.desk, wrong))
    if not acts.edit(work.tx, one, spot, text, work.by):
        return 1, _plain(work.desk.say("coordinate.not_on", name=work.desk.called(one.id)))
    shown = wording.drawn(work.desk, one, spot[0], spot[1], text)
    drawn = bubbles([lines(part) for part in fit(lifted(shown), limits.BY_NAME[asked.on])])
    return 0, f"{drawn}\n{work.desk.say('coordinate.kept')}"


def _text(asked: Asked) -> str:
    if asked.file:
        try:
            return asked.file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"--file: {asked.file} cannot be read") from error
    if asked.text is None:
        raise SettingsError(
            "--text: write what is to be said, or name a file with --file, or go --back to what the day's says."
        )
    return asked.text


_WAYS: Mapping[str, Callable[[Work, Standing], Told]] = {
    "show": _show,
    "preview": _preview,
    "approve": _approve,
    "edit": _edit,
    "move": _move,
    "results": _results,
}


def hold(settings: Settings, city: str | None, *, held: bool) -> Told:
    """Hold all that a town sends of itself, or let it go on. Raises `SettingsError`."""
    town = _town(settings, content_of(settings), city)
    by = By(COMMAND_LINE, datetime.now(UTC))
    done = in_database(settings, lambda tx: (acts.hold if held else acts.release)(tx, town, by))
    say = town.say_in(town.first)
    if held:
        text = say("coordinate.held_now" if done else "coordinate.held_before", city=markup.escape(town.name))
    else:
        text = say("coordinate.released" if done else "coordinate.not_held")
    return int(not done), _plain(text)


def invite(settings: Settings, city: str | None) -> Iterator[str]:
    """Yield a code that makes whoever uses it a coordinator, the links that hold it, and what to type.

    Raises `SettingsError`.
    """
    town = _town(settings, content_of(settings), city)
    by = By(COMMAND_LINE, datetime.now(UTC))
    code = in_database(settings, lambda tx: acts.invite(tx, town.id, SystemRandom(), by))
    where = f" of {town.name}" if town.name else ""
    yield f"{code} makes one person a coordinator{where}, within ten minutes. They open one of these, or type the last:"
    if settings.url and settings.web:
        yield f"{settings.url.rstrip('/')}/coordinator/{code}"
    if settings.telegram_token:
        yield _on_telegram(settings, settings.telegram_token.get_secret_value(), code)
    yield f"/coordinator {code}"


def _on_telegram(settings: Settings, token: str, code: str) -> str:
    from bot.platforms.telegram.service import link

    try:
        return asyncio.run(link(token, settings.telegram_api, f"coordinator_{code}"))
    except RefusedError as error:
        return f"(no link for Telegram: {error})"

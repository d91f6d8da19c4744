"""A town's days as an iCalendar feed (RFC 5545), for the calendars that people have already. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from icalendar import Calendar, Event, vDuration

from bot.core import markup
from bot.features.campaigns.coming import Coming, coming
from bot.features.campaigns.due import Run
from bot.features.campaigns.showing import replaced
from bot.features.campaigns.town import Town, values

SINCE = datetime(2026, 1, 1, tzinfo=UTC)  # the stamp of content that no database has recorded
BACK, AHEAD = timedelta(days=30), timedelta(days=400)
ANEW = timedelta(hours=12)  # after which calendars should look again
_MAKER = "-//Hearsay//International days//EN"

Page = Callable[[str], str]  # command → the address of its page, "" where the installation has no public one


def no_page(_: str) -> str:
    """Return no address."""
    return ""


@dataclass(frozen=True)
class Look:
    """How a feed is made: in which language ("" the town's own), with `everything` or what the town takes part in.

    `stamp` is since when the content is as it is, so that the same days give the same bytes; `page` knows their pages.
    """

    language: str = ""
    everything: bool = False
    stamp: datetime = SINCE
    page: Page = no_page


PLAIN = Look()


def calendar(town: Town, runs: Sequence[Run], first: date, last: date, look: Look = PLAIN) -> bytes:
    """Return a town's days between two dates as an iCalendar file; `town` is as its coordinators planned it."""
    language = look.language or town.first
    feed = Calendar()
    feed.add("prodid", _MAKER)
    feed.add("version", "2.0")
    feed.add("method", "PUBLISH")
    title = town.say_in(language)("year.feed_title", city=town.name)
    for name in ("name", "x-wr-calname"):  # RFC 7986, and what calendars read before it
        feed.add(name, title)
    feed.add("x-wr-timezone", town.zone)
    feed.add("refresh-interval", ANEW, parameters={"value": "DURATION"})
    feed.add("x-published-ttl", vDuration(ANEW))
    for one in coming(town, runs, first, last):
        if look.everything or one.joined:
            feed.add_component(_event(town, one, language, look))
    return bytes(feed.to_ical())


def _event(town: Town, one: Coming, language: str, look: Look) -> Event:
    campaign = replaced(town.campaigns[language][one.campaign], values(town, one.campaign, language, one.first))
    event = Event()
    event.add("uid", f"{one.campaign}.{one.year}.{one.number}@{town.id or 'shared'}.hearsay")
    event.add("dtstamp", look.stamp.astimezone(UTC).replace(microsecond=0))
    event.add("dtstart", one.first)
    event.add("dtend", one.last + timedelta(days=1))  # the first day after it
    event.add("summary", campaign.name)
    full = campaign.full if campaign.full != campaign.name else None
    said = [text for text in (full, campaign.why, campaign.slogan) if text]
    event.add("description", "\n\n".join(markup.plain(markup.parse(text)) for text in said))
    event.add("transp", "TRANSPARENT")  # nobody is busy because of it
    if address := look.page(f"/day {one.campaign}"):
        event.add("url", address)
    return event

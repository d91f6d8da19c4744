"""Who wishes to hear prompts, and how: /subscribe and /unsubscribe, for a person, a group or a channel."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Literal, get_args

from bot.core.markup import escape
from bot.core.message import Address, Choice, Reply
from bot.features.campaigns.campaign import VARIANTS, Topic
from bot.features.campaigns.coming import coming
from bot.features.campaigns.showing import at_present
from bot.features.campaigns.town import Town
from bot.library.figures import draw_days
from bot.storage import subscriptions
from bot.storage.subscriptions import Subscription
from bot.talk.feature import Answer, Command, Context, Count, Feature, Outcome, Say
from bot.talk.words import begins, folded

NAME = "subscribing"
MONTHLY = (2, 4, 8, 0)  # how many prompts at most; 0 is as they come
SORTS = ("person", "group", "channel")  # of those who subscribe, as they are counted
PAGES = ("web",)  # where nobody hears anything who does not come and look
MARK = "✓ "
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"

Verb = Literal["", "card", "all", "some", "topic", "only", "month", "manner", "school", "here"]
VERBS: tuple[Verb, ...] = get_args(Verb)
Change = Callable[[Subscription], Subscription]


@dataclass(frozen=True, slots=True)
class Wish:
    """What an argument asks for: perhaps for another chat, a verb with its value, and the card that it stands on."""

    chat: str = ""
    verb: Verb = ""
    value: str = ""
    card: str = ""

    @classmethod
    def read(cls, argument: str) -> "Wish | None":
        """Read `-1001 topic racism .k3f`; None where these are words of somebody's own."""
        words = argument.split()
        chat = words.pop(0) if words and _is_chat(words[0]) else ""
        card = words.pop()[1:] if words and words[-1].startswith(".") else ""
        if not words:
            return cls(chat, card=card)
        if len(words) > 2 or words[0] not in VERBS:
            return None
        return cls(chat, words[0], words[1] if len(words) > 1 else "", card)


def _is_chat(word: str) -> bool:
    return word.startswith("@") or (word.startswith("-") and word[1:].isdecimal())


def feature(town: Town) -> Feature:
    """Return the feature for `town`, as its pack says."""
    return _Subscribing(town).feature()


class _Subscribing:
    def __init__(self, town: Town) -> None:
        self._town = town
        self._topics = town.topics[town.first].keys()

    def feature(self) -> Feature:
        return Feature(
            NAME,
            (
                Command(
                    "subscribe",
                    self.subscribe,
                    self.suggest,
                    argument=True,
                    admin=True,
                    elsewhere=True,
                    linkable=lambda argument: argument == "" or argument in self._topics,
                ),
                Command("unsubscribe", self.unsubscribe, argument=True, admin=True, elsewhere=True),
            ),
        )

    def suggest(self, typed: str, language: str) -> list[Choice]:
        """Complete a topic's name."""
        named = self._town.topics[language].items()
        return [Choice(topic.name, name) for name, topic in named if begins(typed, name, topic.name)]

    def subscribe(self, argument: str) -> Answer:
        """`/subscribe`: what would come, or what is chosen; `/subscribe racism`: that topic; or a change."""
        wish = Wish.read(argument)
        if wish is None:
            topic = self._topic(argument)
            return lambda context: self._open(context, Wish(), topic, strange="" if topic else argument)
        return lambda context: self._answer(context, wish)

    def unsubscribe(self, argument: str) -> Answer:
        """`/unsubscribe`: no prompts any more, here or in the channel that is named."""
        chat = next(iter(argument.split()), "")

        def answer(context: Context) -> Outcome:
            if (where := _where(context, chat)) is None:
                return context.show(context.say("subscribe.not_yours"))
            return ended(context, where)

        return answer

    def _topic(self, words: str) -> str:
        """Return the topic that is called so, in any language; "" where there is none."""
        wanted = folded(words)
        if wanted in self._topics:
            return wanted
        named = (item for by_id in self._town.topics.values() for item in by_id.items())
        return next((name for name, topic in named if folded(topic.name) == wanted), "")

    def _answer(self, context: Context, wish: Wish) -> Outcome:
        if (where := _where(context, wish.chat)) is None:
            return context.show(context.say("subscribe.not_yours"))
        if where.person:  # what only one person sees cannot be written to later
            return context.show(context.say("subscribe.corner"))
        known = subscriptions.of(context.tx, where)
        if wish.verb == "some" or (wish.verb == "topic" and not wish.value):
            return self._shown(context, wish, self._picker(context, wish, known))
        if change := self._begins(wish, known):
            return self._begun(context, wish, where, known, change)
        if known is None or wish.verb in ("", "card"):
            return self._open(context, wish)
        return self._changed(context, wish, known)

    def _begins(self, wish: Wish, known: Subscription | None) -> Change | None:
        """Return what a wish that subscribes changes; None for any other."""
        if wish.verb == "all":
            return lambda one: replace(one, topics=())
        if wish.value not in self._topics:
            return None
        if wish.verb == "only":
            return lambda one: replace(one, topics=(wish.value,))
        if wish.verb == "topic":
            return lambda one: replace(one, topics=_toggled(known.topics if known else (), wish.value, self._topics))
        return None

    def _begun(
        self, context: Context, wish: Wish, where: Address, known: Subscription | None, change: Change
    ) -> Outcome:
        """Subscribe, or hear of other topics."""
        new = change(known or Subscription(where, context.city, context.language, context.now))
        subscriptions.put(context.tx, new)
        text = self._picker(context, wish, new) if wish.verb == "topic" else self._state(context, wish, new)
        shown = self._shown(context, wish, text)
        return shown if known else shown.counted(Count("subscribed", _sort(context, wish)))

    def _changed(self, context: Context, wish: Wish, known: Subscription) -> Outcome:
        """Change one thing of a subscription, or ask which."""
        asks: dict[str, Callable[[Context, Wish, Subscription], Reply]] = {
            "month": self._ask_month,
            "manner": self._ask_manner,
            "school": self._ask_school,
        }
        new = _with(known, wish, context)
        if new is None:
            ask = asks.get(wish.verb, self._state)
            return self._shown(context, wish, ask(context, wish, known))
        subscriptions.put(context.tx, new)
        return self._shown(context, wish, self._state(context, wish, new))

    def _open(self, context: Context, wish: Wish, topic: str = "", strange: str = "") -> Outcome:
        """Show what is chosen, or what would come; `topic` is one to hear of alone, `strange` is no topic."""
        where = _where(context, wish.chat) or context.session.where
        known = subscriptions.of(context.tx, where)
        shown = self._state(context, wish, known) if known and not topic else self._offer(context, wish, topic)
        if strange:
            words = context.say("subscribe.no_topic", word=escape(strange[:60]))
            shown = replace(shown, text=f"{words}\n\n{shown.text}")
        return self._shown(context, wish, shown)

    def _shown(self, context: Context, wish: Wish, reply: Reply) -> Outcome:
        """Show a card: in the place of the one that was pressed, else a new one."""
        return Outcome((replace(reply, slot=f"subscribe-{wish.card or _stamp(context)}"),))

    def _offer(self, context: Context, wish: Wish, topic: str) -> Reply:
        say = context.say
        text = say(
            "subscribe.offer",
            city=escape(self._town.name),
            spoken=self._town.languages[context.language],
            channel=bool(wish.chat),
        )
        text = "\n\n".join(filter(None, (text, say("subscribe.page") if _is_page(context, wish) else "")))
        button = _Buttons(context, wish)
        if topic:
            name = self._named(context)[topic].name
            one = button(say("subscribe.only", topic=name), "only", topic)
            return Reply(text, (one, button(say("subscribe.all"), "all"), button(say("subscribe.some"), "some")))
        return Reply(text, (button(say("subscribe.all"), "all"), button(say("subscribe.some"), "some")))

    def _state(self, context: Context, wish: Wish, one: Subscription) -> Reply:
        """Say what is chosen, and offer to change it."""
        say, button = context.say, _Buttons(context, wish)
        language = self._town.languages.get(one.language, one.language)
        heading = say("subscribe.state", spoken=language, city=escape(self._town_of(one)), channel=bool(wish.chat))
        named = self._named(context)
        topics = ", ".join(named[name].name for name in one.topics if name in named)
        lines = [
            say("subscribe.topics_now", topics=topics),
            _monthly(say, one.monthly),
            say(f"subscribe.now_{one.manner}"),
            say("subscribe.school_now" if one.school else "subscribe.no_school_now"),
        ]
        more = [self._next(context, one), say("subscribe.page") if _is_page(context, wish) else ""]
        text = "\n\n".join(filter(None, (heading, "\n".join(f"- {line}" for line in lines), *more)))
        choices = [
            button(say("subscribe.topics"), "some"),
            button(say("subscribe.monthly"), "month"),
            button(say("subscribe.manner"), "manner"),
            button(say("subscribe.school"), "school"),
        ]
        if (one.language, one.city) != (context.language, context.city):
            own = self._town.languages[context.language]
            choices.append(button(say("subscribe.as_here", spoken=own, city=self._town.name), "here"))
        end = Choice(say("subscribe.end"), " ".join(filter(None, ("/unsubscribe", _token(context, wish)))))
        return Reply(text, (*choices, end))

    def _town_of(self, one: Subscription) -> str:
        """Return the name of a subscription's town; of another than this one only its id is known here."""
        return self._town.name if one.city == self._town.id else one.city

    def _next(self, context: Context, one: Subscription) -> str:
        """Say which day comes next of which prompts come; "" where the town plans none."""
        if one.city != self._town.id:
            return ""
        town, taken = at_present(context.tx, self._town)
        today = town.today(context.now)
        named = town.campaigns[context.language]
        for day in coming(town, taken, today, today.replace(year=today.year + 1, day=1)):
            campaign = named[day.campaign]
            if day.joined and day.first >= today and (not one.topics or {*one.topics} & {*campaign.topics}):
                date = draw_days(day.first, day.last, context.language)
                return context.say("subscribe.next", name=campaign.name, date=date)
        return context.say("subscribe.nothing_planned")

    def _picker(self, context: Context, wish: Wish, known: Subscription | None) -> Reply:
        """Ask which topics; those that are picked are marked."""
        say, button = context.say, _Buttons(context, wish)
        picked = known.topics if known else ()
        named = sorted(self._named(context).items(), key=lambda item: folded(item[1].name))
        topics = [button(_marked(topic.name, name in picked), "topic", name) for name, topic in named]
        last = (button(say("subscribe.all"), "all"), button(say("subscribe.done"), "card"))
        text = say("subscribe.picked" if picked else "subscribe.pick", count=len(picked))
        return Reply(text, (*topics, *(last if picked else last[:1])))

    def _ask_month(self, context: Context, wish: Wish, one: Subscription) -> Reply:
        say, button = context.say, _Buttons(context, wish)
        choices = [button(_marked(_times(say, n), one.monthly == n), "month", str(n)) for n in MONTHLY]
        return Reply(say("subscribe.ask_month"), (*choices, button(say("subscribe.back"), "card")))

    def _ask_manner(self, context: Context, wish: Wish, one: Subscription) -> Reply:
        say, button = context.say, _Buttons(context, wish)
        choices = [button(_marked(say(f"subscribe.in_{m}"), one.manner == m), "manner", m) for m in VARIANTS]
        return Reply(say("subscribe.ask_manner"), (*choices, button(say("subscribe.back"), "card")))

    def _ask_school(self, context: Context, wish: Wish, one: Subscription) -> Reply:
        say, button = context.say, _Buttons(context, wish)
        yes = button(_marked(say("subscribe.school_yes"), one.school), "school", "on")
        no = button(_marked(say("subscribe.school_no"), not one.school), "school", "off")
        return Reply(say("subscribe.ask_school"), (yes, no, button(say("subscribe.back"), "card")))

    def _named(self, context: Context) -> dict[str, Topic]:
        return dict(self._town.topics[context.language])


class _Buttons:
    """Makes the buttons of a card: each says for which chat it is, and on which card it stands."""

    def __init__(self, context: Context, wish: Wish) -> None:
        self._chat = _token(context, wish)
        self._card = "." + (wish.card or _stamp(context))

    def __call__(self, label: str, verb: Verb, value: str = "") -> Choice:
        return Choice(label, " ".join(filter(None, ("/subscribe", self._chat, verb, value, self._card))))


def ended(context: Context, where: Address) -> Outcome:
    """End the subscription of a conversation, and count it for the prompt that it heard last, if that was today."""
    say = context.say
    again = [Choice(say("subscribe.again"), "/subscribe")] if where == context.session.where else []
    if not subscriptions.leave(context.tx, where, context.now):
        return context.show(say("subscribe.none" if again else "subscribe.none_there"), *again)
    shown = context.show(say("subscribe.ended" if again else "subscribe.ended_there"), *again)
    return shown.counted(Count("unsubscribed", _kind(context, where)))


def _where(context: Context, chat: str) -> Address | None:
    """Return whose subscription is meant: this conversation's, or that of the chat named; None if that may not be."""
    return context.runs if chat else context.session.where


def _kind(context: Context, where: Address) -> str:
    if where != context.session.where:
        return "channel"
    return "group" if context.shared else "person"


def _sort(context: Context, wish: Wish) -> str:
    return _kind(context, _where(context, wish.chat) or context.session.where)


def _token(context: Context, wish: Wish) -> str:
    """Return what names the other chat in a button: its number, which is shorter than many names and stays."""
    return context.runs.chat.partition("/")[0] if wish.chat and context.runs else ""


def _stamp(context: Context) -> str:
    """Return what tells a new card from older ones: the second, as three or four characters."""
    left, text = int(context.now.timestamp()) % 36**4, ""
    while left:
        left, digit = divmod(left, 36)
        text = _DIGITS[digit] + text
    return text


def _toggled(topics: Iterable[str], one: str, known: Iterable[str]) -> tuple[str, ...]:
    """Return topics with one more or one less; the last one stays, for none would mean all."""
    picked = {*topics} ^ {one} or {one}
    return tuple(name for name in known if name in picked)


def _with(one: Subscription, wish: Wish, context: Context) -> Subscription | None:
    """Return a subscription as wished; None where the wish leaves open what."""
    if wish.verb == "month" and wish.value in map(str, MONTHLY):
        return replace(one, monthly=int(wish.value))
    if wish.verb == "manner" and wish.value in VARIANTS:
        return replace(one, manner=wish.value)
    if wish.verb == "school" and wish.value in ("on", "off"):
        return replace(one, school=wish.value == "on")
    if wish.verb == "here":
        return replace(one, language=context.language, city=context.city)
    return None


def _marked(label: str, picked: bool) -> str:  # noqa: FBT001  # what is marked reads better in its place
    return f"{MARK}{label}" if picked else label


def _times(say: Say, monthly: int) -> str:
    return say("subscribe.times", count=monthly) if monthly else say("subscribe.as_they_come")


def _monthly(say: Say, monthly: int) -> str:
    return say("subscribe.monthly_now", count=monthly) if monthly else say("subscribe.as_they_come_now")


def _is_page(context: Context, wish: Wish) -> bool:
    return not wish.chat and context.session.where.platform in PAGES

"""One message in, replies out; one telling in, replies out."""

import asyncio
import logging
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from random import Random

from sqlalchemy import Connection

from bot.core import markup
from bot.core.message import Address, Choice, Message, Reply
from bot.core.session import Question, Session
from bot.storage import counts, outbox, sessions, tellings, withdrawn
from bot.storage.outbox import Bubble
from bot.storage.store import Store, StoreError
from bot.storage.withdrawn import Hidden
from bot.talk.feature import Answer, Context, Count, Heard, Outcome, Telling
from bot.talk.repertoire import Repertoire, Repertoires, surest
from bot.talk.words import Call, call, clean, folded

log = logging.getLogger(__name__)

MOST_TELLINGS = 500
_CODE_LETTERS = "abcdefghkmnpqrstuvwxyz23456789"


@dataclass(frozen=True, slots=True)
class Turn:
    """What a turn led to: bubbles that are rows by now, and, after `/forget`, last words that are not.

    `repeat` says that the message was heard before and changed nothing; `language` is that of the last words.
    """

    bubbles: tuple[Bubble, ...] = ()
    farewell: tuple[Reply, ...] = ()
    tell: tuple[Telling, ...] = ()
    repeat: bool = False
    forgotten: bool = False
    leave: bool = False
    language: str = ""


class Assistant:
    """Runs turns.

    `made` hears of every bubble after its commit, `part` of the last words after `/forget`; `keeps` names the platforms
    that read their bubbles themselves.
    """

    def __init__(
        self,
        store: Store,
        repertoires: Repertoires,
        clock: Callable[[], datetime],
        chance: Random,
        *,
        made: Callable[[Sequence[Bubble]], None],
        part: Callable[[Message, Turn], None] | None = None,
        keeps: frozenset[str] = frozenset({"web"}),
    ) -> None:
        self.store = store
        self.repertoires = repertoires
        self._clock = clock
        self._chance = chance
        self._made = made
        self._part = part
        self._keeps = keeps

    @property
    def repertoire(self) -> Repertoire:
        """What menus show, which are the same for everybody."""
        return self.repertoires.of("")

    async def repertoire_for(self, where: Address, linked: str = "") -> Repertoire:
        """Return what is said in the city of a conversation; where it has none, in that of the link that led to it."""
        if self.repertoires.is_single:
            return self.repertoire
        city = await self.store.read(lambda tx: sessions.take(tx, where).city)
        return self.repertoires.of(city or linked)

    async def handle(self, message: Message) -> Turn:
        """Answer `message`; when this returns, the answer is durable. Raises `StoreError` where nothing can be kept."""
        if message.shared and not message.addressed:
            return Turn()
        plan = Plan(await self.repertoire_for(message.where, message.city), message)
        try:
            turn = await self.store.run(lambda tx: self._turn(tx, plan))
        except StoreError:
            raise
        except Exception as error:  # one of the two broad catches: whatever broke, the person gets an answer
            code = self._note(error)
            turn = await self.store.run(lambda tx: self._sorry(tx, plan, code))
        if turn.forgotten and self._part:
            self._part(message, turn)
        return await self._after(turn)

    async def hear(self, telling: Telling) -> Turn:
        """Let a conversation hear `telling`, once, whatever the number of processes."""
        repertoire = await self.repertoire_for(telling.to)
        wake = repertoire.by_name[telling.feature].wake
        if wake is None:
            raise LookupError(f"{telling.feature} hears no tellings")
        answer = wake(telling.what)
        return await self._after(await self.store.run(lambda tx: self._wake(tx, telling, answer, repertoire)))

    async def hear_due(self) -> int:
        """Let every conversation hear what is due; return how many did."""
        now = self._clock()
        due = await self.store.read(lambda tx: tellings.due(tx, now, MOST_TELLINGS))
        await self._hear_all(due)
        return len(due)

    async def preview(self, text: str, language: str, city: str = "") -> tuple[Reply, ...]:
        """Return what a linkable command shows to anybody, outside of any conversation; () where it leads nowhere."""
        repertoire, called = self.repertoires.of(city), call(clean(text))
        command = repertoire.command(called.name) if called else None
        if not called or not command or not command.linkable or not command.linkable(called.argument):
            return ()
        answer = command.read(called.argument)
        nowhere = Session(Address("preview", ""), language, met=True)

        def look(tx: Connection) -> tuple[Reply, ...]:
            context = self._context(tx, nowhere, repertoire, language)
            return tuple(offering(reply, repertoire, context.hidden) for reply in answer(context).replies)

        return await self.store.read(look)

    async def hidden(self, repertoire: Repertoire) -> Hidden:
        """Return what editors have withdrawn where `repertoire` is said: nothing may complete or offer it."""
        try:
            return await self.store.read(lambda tx: withdrawn.hidden(tx, repertoire.city))
        except StoreError:  # then nothing that is completed can be opened either
            return {}

    async def forget(self, where: Address) -> None:
        """Delete what belongs to a conversation that has ended on its platform."""
        await self.store.run(lambda tx: sessions.forget(tx, where))

    async def move(self, old: Address, new: Address) -> None:
        """Follow a conversation to its new address."""
        await self.store.run(lambda tx: sessions.move(tx, old, new))

    async def _after(self, turn: Turn) -> Turn:
        if turn.bubbles:
            self._made(turn.bubbles)
        now = self._clock()
        by_address: dict[Address, list[Telling]] = {}
        for telling in turn.tell:
            if telling.when <= now:
                by_address.setdefault(telling.to, []).append(telling)
        await asyncio.gather(*map(self._hear_all, by_address.values()))  # one commit takes many
        return turn

    async def _hear_all(self, told: Sequence[Telling]) -> None:
        """Let a conversation hear what it is told, in order; one broken telling must not stop the rest."""
        for telling in told:
            try:
                await self.hear(telling)
            except Exception as error:  # the other broad catch
                log.error("telling failed feature=%s code=%s", telling.feature, self._note(error))

    def _turn(self, tx: Connection, plan: "Plan") -> Turn:
        message, now = plan.message, self._clock()
        if not sessions.first_time(tx, message.where, message.key, now):
            return Turn(repeat=True)
        session = sessions.take(tx, message.where)
        if message.city in self.repertoires.by_city and not session.city:
            session = replace(session, city=message.city)
        language = plan.repertoire.spoken(session.language, message.language)
        context = self._context(tx, session, plan.repertoire, language, message)
        if session.quiet and plan.is_free:
            return Turn()
        outcome = plan.outcome(context)
        if outcome.forget:
            sessions.forget(tx, message.where)
            return Turn(farewell=outcome.replies, forgotten=True, leave=outcome.leave, language=language)
        outcome = shown_of(outcome, plan.repertoire, context.hidden)
        return self._keep(tx, context, outcome, cause=message.key, introduced=message.introduced)

    def _wake(self, tx: Connection, telling: Telling, answer: Answer, repertoire: Repertoire) -> Turn:
        now = self._clock()
        session = sessions.take(tx, telling.to)  # first, or it and a turn that takes the telling back meet half-way
        if not tellings.take(tx, telling.key, now):
            return Turn(repeat=True)
        language = repertoire.spoken(session.language)
        context = self._context(tx, session, repertoire, language)
        outcome = shown_of(answer(context), repertoire, context.hidden)
        return self._keep(tx, context, outcome, introduced=True)

    def _sorry(self, tx: Connection, plan: "Plan", code: str) -> Turn:
        message, now = plan.message, self._clock()
        if not sessions.first_time(tx, message.where, message.key, now):
            return Turn(repeat=True)
        session = sessions.take(tx, message.where)
        language = plan.repertoire.spoken(session.language, message.language)
        sorry = Reply(plan.repertoire.say_in(language)("talk.broken", code=code))
        return Turn((self._write(tx, Bubble(0, message.where, sorry, language, cause=message.key), now),))

    def _keep(
        self, tx: Connection, context: Context, outcome: Outcome, *, introduced: bool, cause: str | None = None
    ) -> Turn:
        """Number the questions and write session, bubbles, tellings and counts."""
        session = outcome.session or context.session
        replies = outcome.replies
        if not session.met and replies and not outcome.leads_away:
            replies = replies if introduced else (Reply(context.say("talk.introduction")), *replies)
            session = replace(session, met=True)
        if session.met and not context.session.met:
            outcome = outcome.counted(Count("begun"))
        session, numbered = number(session, replies)
        if session != context.session or replies:
            sessions.put(tx, session, context.now)
        tellings.add(tx, outcome.tell)
        spoken = session.language or context.language
        bubbles = [Bubble(0, session.where, reply, spoken, turn, cause=cause) for reply, turn in numbered]
        written = tuple(self._write(tx, bubble, context.now) for bubble in bubbles)
        city = self.repertoires.city(session.city)
        # Last, for on PostgreSQL whoever counts the same waits until this turn is kept.
        counts.add(tx, outcome.counts, city=city, language=context.language, now=context.now)
        return Turn(written, tell=outcome.tell)

    def _write(self, tx: Connection, bubble: Bubble, now: datetime) -> Bubble:
        state = "read" if bubble.where.platform in self._keeps else "waiting"
        return outbox.add(tx, bubble, now, state=state)

    def _context(
        self, tx: Connection, session: Session, repertoire: Repertoire, language: str, message: Message | None = None
    ) -> Context:
        return Context(
            session,
            language,
            repertoire.say_in(language),
            repertoire.say_in,
            self._clock(),
            self._chance,
            tx,
            shared=bool(message and message.shared),
            admin=bool(message and message.admin),
            city=repertoire.city,
            hidden=withdrawn.hidden(tx, repertoire.city),
            sender=message.sender if message else "",
            runs=message.runs if message else None,
        )

    def _note(self, error: Exception) -> str:
        """Log where it broke, without its message, which may hold a person's words; return the code to quote."""
        code = "".join(self._chance.choices(_CODE_LETTERS, k=4))
        frames = traceback.extract_tb(error.__traceback__)[-6:]
        path = " < ".join(f"{frame.name}:{frame.lineno}" for frame in reversed(frames))
        log.error("broken code=%s error=%s at=%s", code, type(error).__name__, path)
        return code


class Plan:
    """What is known of a message before its transaction: the call it makes, or what each feature would answer."""

    def __init__(self, repertoire: Repertoire, message: Message) -> None:
        self.repertoire = repertoire
        self.message = message
        self._text = clean(message.text)
        self._heard: Heard | None = None
        self._call = call(self._text)
        heeded = repertoire.heed(self._typed())
        self._heed = heeded.answer if heeded and self._leads(heeded) else None
        self._answer = self._first()
        if self.is_free and not self._text.isdecimal():
            self._heard = surest((repertoire.listen(self._text), heeded))

    @property
    def is_free(self) -> bool:
        """Whether these are words rather than a command or a button."""
        return not self._call and self.message.turn is None

    def outcome(self, context: Context) -> Outcome:
        """Route the message: first to whoever heeds somebody in danger, then to the first that claims it."""
        if self._heed and not _offered(context.session, self._text):
            return self._heed(context)
        if self._answer:
            return self._answer(context)
        text, asked = self._text, context.session.asked
        if self.message.turn is not None and (asked is None or asked.turn != self.message.turn):
            return self._passed(context)
        picked = _picked(context.session, text) if self.message.turn is None else []
        if len(picked) > 1:
            return context.show(context.say("talk.which_one"), *picked)
        if picked and (called := call(picked[0].say)):
            return self._read(called)(context)
        return self._resume(context, picked[0].say if picked else text) or self._free(context)

    def _leads(self, heeded: Heard) -> bool:
        """Say whether what is heeded comes before whatever else the words may mean."""
        if heeded.score >= 1 or not heeded.anywhere:
            return heeded.score >= 1
        listened = self.repertoire.listen(self._typed())
        return listened is None or heeded.score > listened.score

    def _typed(self) -> str:
        """Return what was typed in free words: a known command is none of them, nor what it is known to open."""
        command = self.repertoire.command(self._call.name) if self._call else None
        if self._call is None or command is None:
            return self._text
        opens = command.linkable is not None and command.linkable(self._call.argument)
        return "" if opens else self._call.argument

    def _first(self) -> Answer | None:
        """Return the answer that needs no look at the conversation, None where there is none."""
        if self.message.unreachable:
            return self._lead_away
        if self.message.unseen:
            return lambda context: context.show(context.say("talk.unseen"))
        return self._read(self._call) if self._call else None

    def _lead_away(self, context: Context) -> Outcome:
        shown = context.show(context.say("talk.privately"), Choice(context.say("talk.open_private"), self._text))
        return replace(shown, leads_away=True)

    def _read(self, called: Call) -> Answer:
        command = self.repertoire.command(called.name)
        if command is None:
            return self._unknown_command(called.name)
        if command.admin and self.message.shared and not self.message.admin:
            return lambda context: context.show(context.say("talk.admins_only"), aside=True)
        return command.read(called.argument)

    def _unknown_command(self, name: str) -> Answer:
        near = self.repertoire.nearest_commands(name)

        def answer(context: Context) -> Outcome:
            choices = [Choice(f"/{command}", f"/{command}") for command in near or ["help"]]
            return context.show(context.say("talk.unknown_command"), *choices)

        return answer

    def _passed(self, context: Context) -> Outcome:
        """A press on a question that has passed: say so to whoever pressed, and show the open one again."""
        top = context.session.top
        feature = self.repertoire.by_name.get(top.feature) if top else None
        again = feature.ask(context) if feature and feature.ask else None
        aside = Reply(context.say("talk.passed"), aside=True)
        return Outcome((aside, again) if again else (aside,))

    def _resume(self, context: Context, text: str) -> Outcome | None:
        top = context.session.top
        feature = self.repertoire.by_name.get(top.feature) if top else None
        if not text or feature is None or feature.resume is None:
            return None
        return feature.resume(text)(context)

    def _free(self, context: Context) -> Outcome:
        if not self._text:
            return context.show(context.say("talk.empty"))
        if self._heard is None:
            return context.show(context.say("talk.no_such_choice"))
        return self._heard.answer(context)


def _offered(session: Session, text: str) -> bool:
    """Say whether `text` is what a button of ours says or is called; those words are our own."""
    asked = session.asked.reply.choices if session.asked else ()
    return any(text in (choice.say, choice.label) for choice in (*session.listed, *asked))


def _picked(session: Session, text: str) -> list[Choice]:
    """Return the choices of the last list that `text` names, by label or, unless a prompt is open, by number."""
    wanted = folded(text)
    same = [choice for choice in session.listed if folded(choice.label) == wanted]
    prompted = session.asked is not None and session.asked.reply.prompt is not None
    if same or prompted or not text.isdecimal():
        return same
    number = int(text[:6])
    return list(session.listed[number - 1 : number]) if number else []


def lifted(reply: Reply) -> Reply:
    """Return `reply` with each line that is only a link to a command made a choice."""
    text, links = markup.lift(reply.text)
    return replace(reply, text=text, choices=(*reply.choices, *(Choice(*link) for link in links))) if links else reply


def offering(reply: Reply, repertoire: Repertoire, hidden: Hidden) -> Reply:
    """Return `reply` without the choices that open what is `hidden`."""
    if not hidden:
        return reply
    return replace(reply, choices=tuple(choice for choice in reply.choices if repertoire.offers(choice.say, hidden)))


def shown_of(outcome: Outcome, repertoire: Repertoire, hidden: Hidden) -> Outcome:
    """Return `outcome` with its links lifted, and without what is `hidden`."""
    return replace(outcome, replies=tuple(offering(lifted(reply), repertoire, hidden) for reply in outcome.replies))


def number(session: Session, replies: Sequence[Reply]) -> tuple[Session, list[tuple[Reply, int | None]]]:
    """Give each question among `replies` a turn; return the session that remembers the last one, and the pairs."""
    numbered: list[tuple[Reply, int | None]] = []
    for reply in replies:
        turn = None
        if reply.is_question and not reply.aside:
            turn = session.turns + 1
            session = replace(session, turns=turn, asked=Question(turn, reply))
        if reply.choices and not reply.aside and reply.choices != session.listed:
            session = replace(session, listed=reply.choices)
        numbered.append((reply, turn))
    return session, numbered

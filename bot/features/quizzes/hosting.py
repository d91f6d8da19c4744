"""Hosting: a game of several teams, wherever they are, led from one conversation that nobody else sees."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from bot.core.markup import escape
from bot.core.message import Choice, Image, Reply
from bot.core.session import Session
from bot.features.quizzes import events as e
from bot.features.quizzes.joining import Joining, drawn
from bot.features.quizzes.quiz import Quiz
from bot.features.quizzes.replies import FEEL_SURE, SCALE
from bot.features.quizzes.results import chart, table
from bot.features.quizzes.teams import BOOSTERS, HOSTING, Team, Teams, cards, order
from bot.storage import games, plays
from bot.storage.games import Game
from bot.storage.plays import PlayRow
from bot.talk.feature import Answer, Command, Context, Feature, Outcome, Say
from bot.talk.words import folded

MODES = ("first", "majority", "captain")
NAMES = "names"
SHOWN = 30  # teams on a card; a panel shows all
MORE = 5  # minutes
LONGEST_MESSAGE = 400
MOST_HANDS = 500

BUTTONS: Mapping[str, tuple[str, ...]] = {
    "open": ("start", "invite", "notes", "end"),
    "running": ("pause", "hint", "skip", "say", "extend", "hurtful", "debrief"),
    "paused": ("go", "show", "say", "hurtful", "debrief"),
    "debrief": ("next", "say", "hurtful", "end"),
    "ended": (),
}

# By platform, the link that says a command; and the picture of a link's QR code.
Doors = Callable[[str], Mapping[str, str]]
Paint = Callable[[str], bytes]


@dataclass(frozen=True)
class _Hand:
    """What a host does: the game, and what stands behind the verb."""

    game: Game
    rest: str

    @property
    def number(self) -> int:
        """The team's number that is named first, 0 where none is."""
        word = self.rest.partition(" ")[0]
        return int(word[:6]) if word.isdecimal() else 0

    @property
    def words(self) -> str:
        """What stands behind the number."""
        return self.rest.partition(" ")[2].strip()


class Hosting:
    """The feature that hosts."""

    def __init__(self, teams: Teams, joining: Joining, doors: Doors, paint: Paint) -> None:
        self.teams = teams
        self.joining = joining
        self.doors = doors
        self.paint = paint
        self._verbs: Mapping[str, Callable[[Context, _Hand], Outcome]] = {
            "start": self.start,
            "pause": self.pause,
            "hurtful": self.hurtful,
            "go": self.go,
            "extend": self.extend,
            "hint": self.hint,
            "skip": self.skip,
            "say": self.tell_all,
            "rename": self.rename,
            "show": self.show,
            "hide": self.hide,
            "remove": self.remove,
            "release": self.release,
            "drop": self.drop,
            "debrief": self.debrief,
            "next": self.next,
            "end": self.end,
            "invite": self.invite,
            "notes": self.notes,
        }

    def feature(self) -> Feature:
        """Return the feature."""
        commands = (
            Command("host", self.host, self.suggest, argument=True, private=True),
            Command("game", self.game, private=True, hidden=True),
            Command("hands", self.hands, argument=True, private=True),
            Command("results", self.results, argument=True, private=True),
        )
        return Feature(HOSTING, commands, resume=self.typed, ask=self.ask, wake=self.wake)

    def suggest(self, typed: str, language: str) -> list[Choice]:
        """Complete the games that can be hosted."""
        quizzes = self.teams.editions.all(language)
        return [Choice(quiz.title, name) for name, quiz in quizzes.items() if name.startswith(typed.casefold())]

    # -------------------- beginning

    def host(self, argument: str) -> Answer:
        """`/host lido short majority names`: make a game; `/host CODE` with the host's code: take one over."""
        name, *options = argument.split() or [""]

        def answer(context: Context) -> Outcome:
            if name in self.teams.editions.ids:
                return self.make(context, name, options)
            if name and (game := games.by_secret(context.tx, argument)):
                return self.take_over(context, game)
            if game := games.hosted(context.tx, context.session.where):
                return Outcome((self.card(context, game),))
            quizzes = self.teams.editions.all(context.language)
            choices = [Choice(quiz.title, f"/host {name}") for name, quiz in quizzes.items()]
            return context.show(context.say("host.which" if not name else "host.unknown"), *choices)

        return answer

    def make(self, context: Context, name: str, options: list[str]) -> Outcome:
        """Make a game and say how to come in; nobody hosts two at once."""
        old = games.hosted(context.tx, context.session.where)
        if old and old.state != "ended":
            return self.shown(context, old, context.say("host.still_hosting", code=old.code))
        quiz = self.teams.editions.all(context.language)[name]
        game = games.add(
            context.tx,
            context.chance,
            context.now,
            quiz=name,
            edition=self.teams.editions.keep(context.tx, name, context.now),
            cut=next((cut for cut in options if cut in quiz.cuts), None),
            mode=next((mode for mode in options if mode in MODES), "first"),
            own_names=int(NAMES in options),
            language=context.language,
        )
        games.let_host(context.tx, game.code, context.session.where, context.now)
        secret = context.say("host.secret", secret=game.secret)
        return Outcome((*self.doors_of(context, game), Reply(secret), self.card(context, game)), _spoken(context))

    def doors_of(self, context: Context, game: Game) -> tuple[Reply, ...]:
        """Return the code, the links and a QR code by which teams come in."""
        say, links = context.say, self.doors(f"/join {game.code}")
        lines = [say("host.code", code=game.code)]
        lines += [say("host.door", platform=platform.capitalize(), link=link) for platform, link in links.items()]
        lines.append(say("host.door_typed", code=game.code))
        first = next(iter(links.values()), None)
        image = Image(say("host.qr", code=game.code), data=self.paint(first)) if first else None
        return (Reply("\n\n".join(lines), image=image),)

    def take_over(self, context: Context, game: Game) -> Outcome:
        """Let this conversation host a game too, whose host may have gone."""
        games.let_host(context.tx, game.code, context.session.where, context.now)
        return self.shown(context, game, context.say("host.taken_over")).then(_spoken(context))

    # -------------------- the card

    def shown(self, context: Context, game: Game, *texts: str) -> Outcome:
        """Show what was done and the card as it is now; every other host's card follows."""
        tell = tuple(telling for telling in cards(context, game.code) if telling.to != context.session.where)
        return Outcome((*map(Reply, texts), self.card(context, game)), tell=tell)

    def card(self, context: Context, game: Game) -> Reply:
        """Return the host's live card: the state, the clock, who is where, what to do."""
        say = context.say
        board = games.board(context.tx, game.code, context.now)
        teams = plays.of_game(context.tx, game.code)
        title = board.titles.get(context.language, game.quiz) if board else game.quiz
        parts = [say("host.card", title=title, code=game.code), say(f"host.state_{game.state}")]
        if board and board.seconds is not None:
            parts.append(say("host.minutes_left", count=round(board.seconds / 60)))
        lines = [self.line(context, game, row) for row in teams[:SHOWN]]
        lines += [say("host.more_teams", count=len(teams) - SHOWN)] if len(teams) > SHOWN else []
        lines = lines or [say("host.no_teams")]
        waiting = [say("host.waiting_word", n=n, word=escape(w)) for n, w in self.waiting(context, game)]
        text = "\n\n".join([" · ".join(parts), "\n".join(lines), *waiting])
        return Reply(text, tuple(self.buttons(context, game)), slot="host")

    def waiting(self, context: Context, game: Game) -> list[tuple[int, str]]:
        """Return the words that wait to be put on the wall."""
        return games.words(context.tx, game.code, shown=False) if game.state == "debrief" else []

    def line(self, context: Context, game: Game, row: PlayRow) -> str:
        """Return a team in one line."""
        say, quiz = context.say, self.quiz(context, game)
        name = f"{row.team}. **{escape(row.name)}**"
        if row.stage == "waiting" or quiz is None:
            return f"{name} – {say('host.team_waits')}"
        if row.stage != "playing" or row.room not in quiz.rooms:
            return f"{name} – {say('host.team_escaped' if row.ending == games.ESCAPED else 'host.team_done')}"
        room = quiz.rooms[row.room]
        place = f"{room.name}, {list(room.puzzles).index(row.puzzle) + 1}/{len(room.puzzles)}"
        since = round((context.now - row.asked).total_seconds() / 60) if row.asked else 0
        parts = [place]
        parts += [say("host.hints", count=row.hints)] if row.hints else []
        parts += [say("host.since", count=since)] if since >= 1 else []
        parts += [say("host.team_paused")] if row.paused and game.state == "running" else []
        return f"{name} – {' · '.join(parts)}"

    def quiz(self, context: Context, game: Game) -> Quiz | None:
        """Return the game's quiz as it stood when it was made."""
        return self.teams.editions.get(context.tx, game.edition, context.language)

    def buttons(self, context: Context, game: Game) -> list[Choice]:
        """Return what the host may do now."""
        verbs = ("go", "end") if game.hurt else BUTTONS[game.state]
        words = [Choice(context.say("host.release", n=n), f"/game release {n}") for n, _ in self.waiting(context, game)]
        after = [Choice(context.say("host.do_results"), "/results")] if game.state in ("debrief", "ended") else []
        return [*(Choice(context.say(f"host.do_{verb}"), f"/game {verb}") for verb in verbs), *words[:9], *after]

    # -------------------- what a host does

    def game(self, argument: str) -> Answer:
        """`/game start`: do something to the game that is hosted here; without a verb, show its card."""
        verb, _, rest = argument.partition(" ")

        def answer(context: Context) -> Outcome:
            game = games.hosted(context.tx, context.session.where)
            if game is None:
                return context.show(context.say("host.none"), Choice(context.say("host.make"), "/host"))
            act = self._verbs.get(verb.lower())
            if act is None or game.state == "ended":
                return Outcome((self.card(context, game),))
            return act(context, _Hand(game, rest.strip()))

        return answer

    def everybody(self, context: Context, game: Game, do: str, **more: Any) -> Outcome:
        """Give an order to every conversation of every team, and show the card."""
        shown = self.shown(context, game)
        found = [seat for row in plays.of_game(context.tx, game.code) for seat in plays.seats(context.tx, row.id)]
        return replace(shown, tell=(*order(context, game, do, found, **more), *shown.tell))

    def start(self, context: Context, hand: _Hand) -> Outcome:
        """Begin, for all teams at once."""
        if hand.game.state != "open":
            return Outcome((self.card(context, hand.game),))
        game = games.order(context.tx, hand.game, state="running")
        return self.everybody(context, game, "start")

    def pause(self, context: Context, hand: _Hand) -> Outcome:
        """Stop all clocks, for a talk."""
        if hand.game.state != "running":
            return Outcome((self.card(context, hand.game),))
        return self.everybody(context, games.order(context.tx, hand.game, state="paused"), "pause")

    def hurtful(self, context: Context, hand: _Hand) -> Outcome:
        """Pause every screen without a word of why, and show the host alone what to do."""
        state = "paused" if hand.game.state == "running" else hand.game.state
        game = games.order(context.tx, hand.game, state=state, hurt=1)
        outcome = self.everybody(context, replace(game, hurt=True), "pause")
        return replace(outcome, replies=(Reply(context.say("host.script")), *outcome.replies))

    def go(self, context: Context, hand: _Hand) -> Outcome:
        """Let all clocks go on."""
        state = "running" if hand.game.state == "paused" else hand.game.state
        game = replace(games.order(context.tx, hand.game, state=state, hurt=0, question=None), hurt=False)
        return self.everybody(context, game, "go")

    def extend(self, context: Context, hand: _Hand) -> Outcome:
        """Give all teams more minutes."""
        minutes = min(hand.number or MORE, 60)
        game = games.order(context.tx, hand.game)
        return self.everybody(context, game, "extend", seconds=minutes * 60)

    def tell_all(self, context: Context, hand: _Hand) -> Outcome:
        """Send all teams a message; without words, ask for them."""
        if not hand.rest:
            return Outcome((self.ask(context),), context.session.enter(HOSTING, "say"))
        game = games.order(context.tx, hand.game)
        outcome = self.everybody(context, game, "say", text=hand.rest[:LONGEST_MESSAGE])
        return replace(outcome, replies=(Reply(context.say("host.said")), *outcome.replies))

    def ask(self, context: Context) -> Reply:
        """Ask for the message to all teams."""
        return Reply(context.say("host.what_to_say"), prompt=context.say("host.your_message"))

    def typed(self, text: str) -> Answer:
        """Take the message that was asked for."""
        said = self.game(f"say {text}")

        def answer(context: Context) -> Outcome:
            left = context.session.leave(HOSTING)
            return said(replace(context, session=left)).then(left)

        return answer

    def picked(self, context: Context, hand: _Hand, verb: str) -> Team | Outcome:
        """Return the team that is meant, or ask which one."""
        row = plays.team(context.tx, hand.game.code, hand.number) if hand.number else None
        team = self.teams.team(context.tx, row, context.language) if row else None
        if team and (verb == "rename" or (team.play and team.play.stage == "playing")):
            return team
        rows = [row for row in plays.of_game(context.tx, hand.game.code) if row.stage == "playing"]
        if not rows:
            return context.show(context.say("host.nobody_plays"))
        choices = [Choice(f"{row.team}. {row.name}", f"/game {verb} {row.team}") for row in rows[:SHOWN]]
        return context.show(context.say("host.which_team"), *choices)

    def hint(self, context: Context, hand: _Hand) -> Outcome:
        """Give a team a hint."""
        return self.help(context, hand, "hint")

    def skip(self, context: Context, hand: _Hand) -> Outcome:
        """Let a team leave a puzzle."""
        return self.help(context, hand, "skip")

    def help(self, context: Context, hand: _Hand, verb: str) -> Outcome:
        """Do something to one team's play; all its conversations are told."""
        team = self.picked(context, hand, verb)
        if isinstance(team, Outcome):
            return team
        done = self.teams.act(context, team, f"/{verb}")
        if done is None or any(isinstance(event, e.NotNow) for event in done[1]):
            return self.shown(context, hand.game, context.say("host.not_now"))
        after, events = done
        tell = (*self.teams.tell_others(context, after, events, all_=True), *self.teams.deadlines(context, team, after))
        outcome = self.shown(context, hand.game)
        return replace(outcome, tell=(*tell, *outcome.tell))

    def rename(self, context: Context, hand: _Hand) -> Outcome:
        """Give a team the name that is said, or take its own away for one that is drawn."""
        team = self.picked(context, hand, "rename")
        if isinstance(team, Outcome):
            return team
        name = hand.words or drawn(context, hand.game, team.row.team)
        if hand.words and not self.joining.is_name(context, hand.game, name):
            return context.show(context.say("host.other_name"))
        kept = plays.put(context.tx, replace(team.row, name=name), context.now)
        if kept is None:
            return self.shown(context, hand.game, context.say("host.not_now"))
        game = games.order(context.tx, hand.game)
        seats = plays.seats(context.tx, kept.id)
        outcome = self.shown(context, game, context.say("host.renamed", name=escape(name)))
        return replace(outcome, tell=(*order(context, game, "name", seats, team=kept.team), *outcome.tell))

    def remove(self, context: Context, hand: _Hand) -> Outcome:
        """Take a name that offends away."""
        return self.rename(context, _Hand(hand.game, str(hand.number)))

    # -------------------- the wall

    def show(self, context: Context, hand: _Hand) -> Outcome:
        """Put a question up for discussion: `/game show lockers.whisper`; without one, that of the slowest team."""
        room, _, puzzle = (hand.rest or self.slowest(context, hand.game)).partition(".")
        texts: dict[str, str] = {}
        for language in self.teams.editions.languages:
            quiz = self.teams.editions.get(context.tx, hand.game.edition, language)
            if quiz and room in quiz.rooms and puzzle in quiz.rooms[room].puzzles:
                texts[language] = self.teams.filled(quiz, quiz.rooms[room].puzzles[puzzle].ask, language)
        if not texts:
            return self.shown(context, hand.game, context.say("host.no_question"))
        game = games.change(context.tx, hand.game, question=texts)
        return self.shown(context, game, context.say("host.on_the_wall", text=texts.get(context.language, "")))

    def slowest(self, context: Context, game: Game) -> str:
        """Return the puzzle that is open for longest."""
        rows = [row for row in plays.of_game(context.tx, game.code) if row.stage == "playing" and row.asked]
        row = min(rows, key=lambda row: row.asked or context.now, default=None)
        return f"{row.room}.{row.puzzle}" if row else ""

    def hide(self, context: Context, hand: _Hand) -> Outcome:
        """Take the question from the wall."""
        return self.shown(context, games.change(context.tx, hand.game, question=None))

    def release(self, context: Context, hand: _Hand) -> Outcome:
        """Put a word that a team gave on the wall."""
        done = games.release(context.tx, hand.game.code, hand.number)
        return self.shown(context, hand.game, *([] if done else [context.say("host.no_word")]))

    def drop(self, context: Context, hand: _Hand) -> Outcome:
        """Delete a word."""
        done = games.drop(context.tx, hand.game.code, hand.number)
        return self.shown(context, hand.game, *([] if done else [context.say("host.no_word")]))

    # -------------------- the end

    def debrief(self, context: Context, hand: _Hand) -> Outcome:
        """End all play and ask the first question of the debrief."""
        quiz = self.quiz(context, hand.game)
        if quiz is None or hand.game.state not in ("running", "paused"):
            return Outcome((self.card(context, hand.game),))
        step = next(iter(quiz.debrief.steps))
        game = games.order(context.tx, hand.game, state="debrief", step=step, question=None, hurt=0)
        return self.asked(context, replace(game, hurt=False), quiz, "debrief")

    def asked(self, context: Context, game: Game, quiz: Quiz, do: str) -> Outcome:
        """Show the host the question of the debrief that everybody is asked."""
        text = self.teams.filled(quiz, quiz.debrief.steps[str(game.step)], context.language)
        steps = list(quiz.debrief.steps)
        number = steps.index(str(game.step)) + 1
        head = context.say("host.debrief", number=number, of=len(steps), text=text)
        outcome = self.everybody(context, game, do)
        return replace(outcome, replies=(Reply(head), *outcome.replies))

    def next(self, context: Context, hand: _Hand) -> Outcome:
        """Go on to the next question of the debrief; after the last one the game is over."""
        quiz = self.quiz(context, hand.game)
        if quiz is None or hand.game.state != "debrief":
            return Outcome((self.card(context, hand.game),))
        steps = list(quiz.debrief.steps)
        place = steps.index(hand.game.step) + 1 if hand.game.step in steps else len(steps)
        if place == len(steps):
            return self.end(context, hand)
        return self.asked(context, games.order(context.tx, hand.game, step=steps[place]), quiz, "next")

    def end(self, context: Context, hand: _Hand) -> Outcome:
        """End the game; a day later only counts remain."""
        game = games.end(context.tx, hand.game, context.now)
        outcome = self.everybody(context, game, "end")
        return replace(outcome, replies=(Reply("\n\n".join(self.goodbye(context, game))), *outcome.replies))

    def goodbye(self, context: Context, game: Game) -> list[str]:
        """Return the last words to a host, with the links to pass on after a week and after two."""
        say, quiz = context.say, self.quiz(context, game)
        parts = [say("host.ended")]
        for booster in BOOSTERS if quiz and quiz.boosters else ():
            command = f"/quiz {game.quiz} {booster}"
            links = ", ".join(self.doors(command).values()) or f"`{command}`"
            parts.append(say("host.pass_on_week" if booster == "week" else "host.pass_on_fortnight", links=links))
        return parts

    def invite(self, context: Context, hand: _Hand) -> Outcome:
        """Say once more how to come in."""
        return Outcome(self.doors_of(context, hand.game))

    def notes(self, context: Context, hand: _Hand) -> Outcome:
        """Show the facilitator's notes."""
        quiz = self.quiz(context, hand.game)
        notes = quiz.facilitator if quiz else None
        if quiz is None or notes is None:
            return context.show(context.say("host.no_notes"))
        fill = self.teams.filled
        lists = (notes.before, notes.rules)
        before, rules_ = ("\n".join(f"- {fill(quiz, line, context.language)}" for line in part) for part in lists)
        parts = [
            fill(quiz, notes.aim, context.language),
            context.say("host.notes_before"),
            before,
            context.say("host.notes_rules"),
            rules_,
            context.say("host.notes_safe"),
            fill(quiz, notes.safeguarding, context.language),
        ]
        return context.show("\n\n".join(parts))

    # -------------------- counts

    def hands(self, argument: str) -> Answer:
        """`/hands before 1 4 6 9 3`: how many hands went up for each of one to five; a second count replaces it."""
        spoken, *counted = argument.split() or [""]
        many = [int(one[:4]) for one in counted if one.isdecimal()]
        counts = len(many) == len(counted) == len(SCALE) and sum(many) <= MOST_HANDS

        def answer(context: Context) -> Outcome:
            when = _when(context.say, spoken)
            game = games.hosted(context.tx, context.session.where)
            if game is None:
                return context.show(context.say("host.none"), Choice(context.say("host.make"), "/host"))
            if when is None or not counts:
                return context.show(context.say("host.how_hands"))
            games.reset(context.tx, game.quiz, game.code, when)
            found = [(when, str(n), count) for n, count in zip(SCALE, many, strict=True) if count]
            games.count(context.tx, game.quiz, game.code, found, context.now)
            return context.show(context.say("host.hands_counted", count=sum(many)))

        return answer

    def results(self, argument: str) -> Answer:
        """`/results`: how the puzzles went, over all teams; `/results csv`: the same as a table."""

        def answer(context: Context) -> Outcome:
            game = games.hosted(context.tx, context.session.where)
            quiz = self.quiz(context, game) if game else None
            if game is None or quiz is None:
                return context.show(context.say("host.none"), Choice(context.say("host.make"), "/host"))
            counts = games.counts(context.tx, game.quiz, game.code)
            if argument == "csv":
                return context.show(escape(table(quiz, counts)))
            csv = Choice(context.say("host.as_csv"), "/results csv")
            return context.show(chart(context.say, quiz, counts), csv)

        return answer

    # -------------------- what is heard

    def wake(self, what: Mapping[str, Any]) -> Answer:
        """Draw the card anew."""

        def answer(context: Context) -> Outcome:
            game = games.take(context.tx, what["card"])
            mine = games.hosted(context.tx, context.session.where)
            if game is None or mine is None or mine.code != game.code:
                return Outcome()
            return Outcome((self.card(context, game),))

        return answer


def _spoken(context: Context) -> Session:
    """Return the session in the language that is spoken, for it will be told things."""
    return replace(context.session, language=context.session.language or context.language)


def _when(say: Say, spoken: str) -> str | None:
    """Return `before` or `after`, typed so or in the language of the conversation; None for anything else."""
    words = {folded(say(f"host.word_{when}")): when for when in FEEL_SURE}
    return words.get(folded(spoken), spoken if spoken in FEEL_SURE else None)

"""Joining a host's game as a team: its name, its conversations, several teams in turn on one device."""

import re
from collections.abc import Callable
from dataclasses import replace

from bot.core.markup import escape
from bot.core.message import Choice, Reply
from bot.features.quizzes.teams import PLAYING, Team, Teams
from bot.storage import games, plays
from bot.storage.games import Game
from bot.storage.plays import PlayRow
from bot.talk.feature import Answer, Context, Outcome
from bot.talk.words import folded

LONGEST_NAME = 24
_CODE = re.compile(r"[A-HJ-NP-Za-hj-np-z2-9]{6}")
_NAME = re.compile(r"[^\W_]+(?:[ '’&-]{1,2}[^\W_]+)*")  # letters and digits: no emoji, no markup, no link
NEW = "new"
RENAME = "name"


class Joining:
    """Lets conversations join games; `unhurt` says whether words attack or insult nobody."""

    def __init__(self, teams: Teams, unhurt: Callable[[str], bool]) -> None:
        self.teams = teams
        self._unhurt = unhurt

    def leads(self, argument: str) -> bool:
        """Say whether a link with this argument may lead somewhere: whether there is such a game, a turn finds out."""
        code, _, number = argument.partition(" ")
        return bool(_CODE.fullmatch(code)) and (not number or number.isdecimal())

    def is_kind(self, text: str) -> bool:
        """Say whether words may be shown to others: letters and digits that attack nobody."""
        return bool(_NAME.fullmatch(text)) and self._unhurt(text)

    def join(self, argument: str) -> Answer:
        """`/join CODE`: a new team; `/join CODE 3`: one more device of team 3."""
        code, _, number = argument.partition(" ")

        def answer(context: Context) -> Outcome:
            if not code:
                return context.show(context.say("quiz.which_code"))
            if context.session.where.platform == "preview":
                return context.show(context.say("quiz.joining"), Choice(context.say("quiz.join"), f"/join {argument}"))
            game = games.take(context.tx, code)
            if game is None:
                return context.show(context.say("quiz.no_game"))
            if game.state in ("debrief", "ended"):
                return context.show(context.say("quiz.game_over"))
            return self.joined(context, game, int(number[:4]) if number.isdecimal() else 0)

        return answer

    def joined(self, context: Context, game: Game, number: int) -> Outcome:
        """Let a conversation be one of a team's, or make a team of it."""
        mine = [row for row in plays.plays_at(context.tx, context.session.where) if row.game == game.code]
        row = plays.team(context.tx, game.code, number) if number else mine[-1] if mine else None
        if number and row is None:
            return context.show(context.say("quiz.no_team", number=number))
        if row is None:
            return self.new(context, game, "")
        plays.sit(context.tx, row.id, context.session.where, context.now)
        return self.shown(context, row, (Reply(context.say("quiz.with_team", name=escape(row.name))),))

    def new(self, context: Context, game: Game, name: str) -> Outcome:
        """Make a team, under a name that is drawn where it has none of its own."""
        number = games.next_team(context.tx, game)
        row = plays.add(
            context.tx,
            context.now,
            quiz=game.quiz,
            edition=game.edition,
            cut=game.cut,
            game=game.code,
            team=number,
            name=name or drawn(context, game, number),
            mode=game.mode,
        )
        plays.sit(context.tx, row.id, context.session.where, context.now)
        parts = [context.say("quiz.joined", name=escape(row.name), code=game.code, number=number)]
        parts += [context.say("quiz.own_name")] if game.own_names else []
        return self.shown(context, row, (Reply("\n\n".join(parts)),))

    def shown(self, context: Context, row: PlayRow, first: tuple[Reply, ...]) -> Outcome:
        """Show where a team is; begin its play where the game has begun."""
        team = self.teams.team(context.tx, row, context.language)
        if team is None:
            return context.show(context.say("quiz.no_game"))
        words = self.teams.words
        if team.play is None and team.game and team.game.state == "running":
            done = self.teams.begin(context, team)
            if done:
                outcome = self.teams.outcome(context, team, *done)
                opening = words(context, done[0])
                more = (*first, opening.opening(row.cut), opening.ready("before"))
                return replace(outcome, replies=(*more, *outcome.replies))
        tell = self.teams.tell_hosts(context, team)
        return Outcome((*first, *self.open(context, team)), self.teams.at(context, team, fresh=True), tell)

    def open(self, context: Context, team: Team) -> tuple[Reply, ...]:
        """Return what a team has to do next."""
        if team.play and team.held:
            return (Reply(context.say("quiz.host_pause")),)
        return self.teams.shown(context, team)

    # -------------------- one device, several teams

    def team(self, argument: str) -> Answer:
        """`/team`: the teams of this device; `/team 2`: its turn; `/team new`: one more; `/team name …`: its name."""

        def answer(context: Context) -> Outcome:
            mine = [row for row in plays.plays_at(context.tx, context.session.where) if row.game]
            if not mine:
                return context.show(context.say("quiz.no_team_here"))
            game = games.take(context.tx, str(mine[-1].game))
            if game is None or game.state == "ended":
                return context.show(context.say("quiz.game_over"))
            mine = [row for row in mine if row.game == game.code]
            return self.handed(context, game, mine, argument)

        return answer

    def handed(self, context: Context, game: Game, mine: list[PlayRow], argument: str) -> Outcome:
        """Hand the device to a team, make a new one, or rename the one that has it."""
        verb, _, name = argument.partition(" ")
        if folded(verb) in (RENAME, folded(context.say("quiz.word_name"))) and name:
            return self.renamed(context, game, mine, name.strip())
        wanted = folded(argument)
        found = next((row for row in mine if wanted and wanted in (str(row.team), folded(row.name))), None)
        if found:
            return self.shown(context, found, (Reply(context.say("quiz.your_turn", name=escape(found.name))),))
        if not argument:
            choices = [Choice(row.name, f"/team {row.team}") for row in mine]
            more = Choice(context.say("quiz.another_team"), f"/team {NEW}")
            return context.show(context.say("quiz.which_team"), *choices, more)
        if game.state == "debrief":
            return context.show(context.say("quiz.game_over"))
        fresh = folded(verb) in (NEW, folded(context.say("quiz.word_new")))
        own = argument if game.own_names and not fresh else ""
        if own and not self.is_name(context, game, own):
            return context.show(context.say("quiz.other_name", most=LONGEST_NAME))
        return self.new(context, game, own)

    def renamed(self, context: Context, game: Game, mine: list[PlayRow], name: str) -> Outcome:
        """Give the team that has the device a name of its own, where the host lets teams."""
        scene = next((scene for scene in context.session.scenes if scene.feature == PLAYING), None)
        number = int(scene.state.partition(":")[0]) if scene else mine[-1].id
        row = next((row for row in mine if row.id == number), mine[-1])
        if not game.own_names:
            return context.show(context.say("quiz.names_drawn", name=escape(row.name)))
        if not self.is_name(context, game, name):
            return context.show(context.say("quiz.other_name", most=LONGEST_NAME))
        kept = plays.put(context.tx, replace(row, name=name), context.now)
        team = self.teams.team(context.tx, kept or row, context.language)
        shown = context.show(context.say("quiz.new_name", name=escape(name)))
        return replace(shown, tell=self.teams.tell_hosts(context, team)) if team else shown

    def is_name(self, context: Context, game: Game, name: str) -> bool:
        """Say whether a team may be called so: short, kind, and no other team's name."""
        taken = set(map(folded, plays.names(context.tx, game.code)))
        return len(name) <= LONGEST_NAME and self.is_kind(name) and folded(name) not in taken


def drawn(context: Context, game: Game, number: int) -> str:
    """Return a name that no team of the game has, from the list of the game's language."""
    names = [name.strip() for name in context.say_in(game.language)("quiz.team_names").split(",")]
    taken = plays.names(context.tx, game.code)
    free = [name for name in names if name not in taken]
    return context.chance.choice(free) if free else f"{names[number % len(names)]} {number}"

"""Playing in a conversation: alone, together in a group, or as a team of a host's game; on one phone or on several."""

from dataclasses import replace
from typing import Any

from bot.core.markup import escape
from bot.core.message import Choice, Reply
from bot.features.quizzes import events as e
from bot.features.quizzes import play as rules
from bot.features.quizzes.hearing import Hearing
from bot.features.quizzes.joining import Joining
from bot.features.quizzes.quiz import Quiz
from bot.features.quizzes.replies import FEEL_SURE, NEXT, ONE_PRESS, SCALE
from bot.features.quizzes.teams import BOOSTERS, PLAYING, Done, Team, Teams, voter
from bot.features.quizzes.votes import Mode, decision
from bot.storage import games, plays
from bot.talk.feature import Answer, Command, Context, Feature, Outcome, Telling
from bot.talk.words import begins

MODES = ("first", "majority", "captain")
LEAST = 2  # voters that a majority needs
LONGEST_WORD = 40


class Playing:
    """The feature that plays."""

    def __init__(self, teams: Teams, joining: Joining) -> None:
        self.teams = teams
        self.joining = joining

    def feature(self) -> Feature:
        """Return the feature."""
        joining = self.joining
        commands = (
            Command("quiz", self.quiz, self.suggest, argument=True, linkable=self.leads),
            Command("join", joining.join, argument=True, linkable=joining.leads),
            Command("hint", self.command("/hint")),
            Command("skip", self.command("/skip")),
            Command("pause", self.command("/pause")),
            Command("resume", lambda _: self.resume),
            Command("quit", lambda _: self.leave),
            Command("team", joining.team, argument=True),
            Command("votes", self.votes, argument=True, shared=True),
            Command("decide", lambda _: self.decide, shared=True),
            Command("ready", self.ready, hidden=True),
            Command("boosters", self.boosters, hidden=True),
        )
        return Feature(PLAYING, commands, resume=self.hear, ask=self.ask, wake=Hearing(self).wake)

    # -------------------- beginning

    def leads(self, argument: str) -> bool:
        """Say whether a link with this argument leads somewhere."""
        name, _, more = argument.partition(" ")
        return not argument or (name in self.teams.editions.ids and more in ("", *BOOSTERS))

    def suggest(self, typed: str, language: str) -> list[Choice]:
        """Complete titles and ids."""
        quizzes = self.teams.editions.all(language)
        return [Choice(quiz.title, name) for name, quiz in quizzes.items() if begins(typed, quiz.title, name)]

    def quiz(self, argument: str) -> Answer:
        """`/quiz` lists; `/quiz lido` begins, `/quiz lido short` in a shorter cut, `/quiz lido week` asks again."""
        name, _, more = argument.partition(" ")
        if name not in self.teams.editions.ids:
            return self.list
        return lambda context: self.start(context, name, more.strip())

    def list(self, context: Context) -> Outcome:
        """Show all games."""
        say, quizzes = context.say, self.teams.editions.all(context.language)
        lines = "\n".join(f"- {self.described(context, quiz)}" for quiz in quizzes.values())
        choices = [Choice(quiz.title, f"/quiz {name}") for name, quiz in quizzes.items()]
        if not quizzes:
            return context.show(say("quiz.none"))
        text = "\n\n".join([say("quiz.which"), lines, say("quiz.host_too")])
        return Outcome((Reply(text, (*self.going_on(context), *choices), link="/quiz"),))

    def going_on(self, context: Context) -> tuple[Choice, ...]:
        """Return the way back to a play that is not over."""
        found = self.open(context)
        return (Choice(context.say("quiz.go_on"), "/resume"),) if found else ()

    def described(self, context: Context, quiz: Quiz) -> str:
        """Return a game in one line."""
        say = context.say
        whom = {"team": say("quiz.for_team"), "pair": say("quiz.for_pair"), "solo": say("quiz.for_solo")}
        about = say("quiz.described", count=quiz.minutes, ages=quiz.ages, whom=whom[quiz.players])
        return f"**{quiz.title}** · {about}"

    def start(self, context: Context, name: str, more: str) -> Outcome:
        """Begin a play; where another is open here, ask first."""
        quiz = self.teams.editions.all(context.language)[name]
        if context.session.where.platform == "preview":
            text = f"{self.described(context, quiz)}\n\n{quiz.about}"
            return context.show(text, Choice(context.say("quiz.start"), f"/quiz {name}"))
        if more not in (*BOOSTERS, "new") and self.open(context):
            return context.show(
                context.say("quiz.still_open"),
                Choice(context.say("quiz.go_on"), "/resume"),
                Choice(context.say("quiz.start_anew"), f"/quiz {name} new"),
            )
        cut = more if more in quiz.cuts else None
        digest = self.teams.editions.keep(context.tx, name, context.now)
        row = plays.add(context.tx, context.now, quiz=name, edition=digest, cut=cut, mode="first")
        plays.sit(context.tx, row.id, context.session.where, context.now)
        team = Team(row, quiz, None)
        return self.begun(context, team, more if more in BOOSTERS and quiz.boosters else None)

    def begun(self, context: Context, team: Team, booster: str | None = None) -> Outcome:
        """Begin a play that waits, and show its first question."""
        done = self.teams.begin(context, team, booster)
        if done is None:
            return Outcome()
        after, events = done
        outcome = self.teams.outcome(context, team, after, events)
        words = self.teams.words(context, after)
        first = () if booster else (words.opening(team.row.cut), words.ready("before"))
        return replace(outcome, replies=(*first, *outcome.replies))

    # -------------------- where one is

    def here(self, context: Context) -> tuple[Team | None, int]:
        """Return the play of this conversation, and the question that it was shown last."""
        scene = next((scene for scene in context.session.scenes if scene.feature == PLAYING), None)
        if scene is None:
            return None, 0
        number, asked, _ = scene.state.split(":")
        return self.teams.load(context, int(number)), int(asked)

    def open(self, context: Context) -> Team | None:
        """Return the play that is not over and that one may come back to, else None."""
        team, _ = self.here(context)
        if team and team.row.stage != "closed":
            return team
        rows = plays.plays_at(context.tx, context.session.where)
        row = next((row for row in reversed(rows) if row.stage != "closed"), None)
        return self.teams.team(context.tx, row, context.language) if row else None

    def ask(self, context: Context) -> Reply | None:
        """Return the open question; in a group that just got it, nothing, or late presses would fill the room."""
        team, _ = self.here(context)
        if team is None or team.play is None:
            return None
        if context.shared and team.row.asked and abs((context.now - team.row.asked).total_seconds()) < 30:
            return None
        words = self.teams.words(context, team)
        return words.question() if team.play.stage == "playing" else None if team.hosted else words.step()

    def lost(self, context: Context) -> Outcome:
        """Say that there is nothing to go on with."""
        choice = Choice(context.say("quiz.list"), "/quiz")
        left = replace(context.session.leave(PLAYING), together=False)
        return context.show(context.say("quiz.nothing_open"), choice).then(left)

    # -------------------- what is said

    def hear(self, text: str) -> Answer:
        """Take what is pressed or typed in the middle of a play for an answer."""

        def answer(context: Context) -> Outcome:
            team, asked = self.here(context)
            if team is None:
                return self.lost(context)
            if team.row.number != asked and team.play is not None:
                aside = Reply(context.say("quiz.answered"), aside=True)
                return Outcome((aside, *self.teams.shown(context, team)), self.teams.at(context, team, fresh=True))
            if waits := self.waits(context, team):
                return context.show(waits, aside=True)
            if team.play and team.play.stage == "debrief":
                return self.talked(context, team, text)
            return self.judged(context, team, text)

        return answer

    def waits(self, context: Context, team: Team) -> str:
        """Return why a team cannot go on: its host has not begun, or pauses; "" where it can."""
        if team.play is None:
            return context.say("quiz.wait_for_start", name=escape(team.row.name))
        return context.say("quiz.host_pause") if team.held else ""

    def judged(self, context: Context, team: Team, text: str) -> Outcome:
        """Let a team answer in the way it decides."""
        if team.row.mode == "first" or team.play is None:
            return self.done(context, team, self.teams.act(context, team, text))
        asked = rules.question(team.quiz, team.play)
        if asked is None or not isinstance(asked[0], ONE_PRESS):
            return self.typed(context, team, text)
        verdict = asked[0].judge(asked[1], text, (), team.quiz.ground)
        if verdict.option is None:
            return self.done(context, team, self.teams.act(context, team, text))
        plays.vote(context.tx, team.row, voter(context, team.row.id), verdict.option, context.now)
        return self.decided(context, team, final=False)

    def typed(self, context: Context, team: Team, text: str) -> Outcome:
        """Let anybody hand in what takes several presses or is typed, or the captain alone."""
        captain = team.row.mode == "captain" and team.row.captain
        if captain and captain != voter(context, team.row.id):
            return context.show(context.say("quiz.captain_decides"), aside=True)
        return self.done(context, team, self.teams.act(context, team, text))

    def decided(self, context: Context, team: Team, *, final: bool) -> Outcome:
        """Answer with what the team decided; until then only say that the vote counts."""
        votes = plays.votes(context.tx, team.row)
        here = 0 if final else max(LEAST, plays.voters(context.tx, team.row.id))
        mode: Mode = "majority" if final or team.row.mode == "majority" else "captain"
        choice = decision(votes, mode, here, team.row.captain)
        if choice is None:
            return context.show(context.say("quiz.vote_noted", count=len(votes)), aside=True)
        return self.done(context, team, self.teams.act(context, team, choice))

    def decide(self, context: Context) -> Outcome:
        """`/decide`: close the vote."""
        team, _ = self.here(context)
        if team is None or team.play is None:
            return self.lost(context)
        if waits := self.waits(context, team):
            return context.show(waits, aside=True)
        if not plays.votes(context.tx, team.row):
            return context.show(context.say("quiz.no_votes"), aside=True)
        return self.decided(context, team, final=True)

    def done(self, context: Context, team: Team, done: Done) -> Outcome:
        """Show what happened, to whom it concerns."""
        if done is None:
            return context.show(context.say("quiz.answered"), aside=True)
        after, events = done
        if any(isinstance(event, e.NotUnderstood | e.NotNow) for event in events):
            return Outcome(tuple(replace(r, aside=True) for r in self.teams.words(context, after).told(events)))
        outcome = self.teams.outcome(context, team, after, events)
        if team.hosted and any(isinstance(event, e.EndingReached) for event in events):
            return replace(outcome, replies=(*outcome.replies, Reply(context.say("quiz.wait_for_all"))))
        return outcome

    def talked(self, context: Context, team: Team, text: str) -> Outcome:
        """Take what is said in the debrief: it stays in the room; a word to close may go to the host."""
        if team.hosted:
            return self.worded(context, team, text)
        alone = not context.shared and len(plays.seats(context.tx, team.row.id)) == 1
        if text != NEXT and not alone:
            return context.show(context.say("quiz.heard"), aside=True)
        outcome = self.done(context, team, self.teams.act(context, team, "/next"))
        heard = () if text == NEXT else (Reply(context.say("quiz.heard")),)
        return replace(outcome, replies=(*heard, *outcome.replies))

    def worded(self, context: Context, team: Team, text: str) -> Outcome:
        """Keep a team's last word for the host, who may put it on the wall; anything else stays in the room."""
        game = team.game
        if game is None or game.state != "debrief" or game.step != "word":
            return context.show(context.say("quiz.host_leads"), aside=True)
        if len(text) > LONGEST_WORD or not self.joining.is_kind(text):
            return context.show(context.say("quiz.one_word", most=LONGEST_WORD), aside=True)
        games.give_word(context.tx, game, text)
        shown = context.show(context.say("quiz.word_kept"))
        return replace(shown, tell=self.teams.tell_hosts(context, team))

    # -------------------- commands

    def command(self, said: str) -> Any:
        """Return what reads a command of the rules."""

        def answer(context: Context) -> Outcome:
            team, _ = self.here(context)
            if team is None or team.play is None:
                return context.show(self.waits(context, team)) if team else self.lost(context)
            if waits := self.waits(context, team):
                return context.show(waits, aside=True)
            if team.play.stage == "debrief" and said == "/skip":
                return self.talked(context, team, NEXT)
            return self.done(context, team, self.teams.act(context, team, said))

        return lambda _: answer

    def resume(self, context: Context) -> Outcome:
        """`/resume`: let the clock go on, or come back to where the team is."""
        team = self.open(context)
        if team is None:
            return self.lost(context)
        after = team
        if team.play and team.play.paused is not None and not team.held:
            done = self.teams.act(context, team, "/resume")
            after = done[0] if done else team
            shown = (Reply(context.say("quiz.resumed")), *self.teams.shown(context, after))
            outcome = self.done(context, team, done)
            return replace(outcome, replies=shown, session=self.teams.at(context, after, fresh=True))
        shown = (Reply(waits),) if (waits := self.waits(context, team)) else self.teams.shown(context, team)
        return Outcome(shown, self.teams.at(context, team, fresh=True))

    def leave(self, context: Context) -> Outcome:
        """`/quit`: leave the game as it is; whoever wants to comes back to where the team is."""
        team, _ = self.here(context)
        if team is None:
            return self.lost(context)
        left = replace(context.session.leave(PLAYING), together=False, listed=())
        return context.show(context.say("quiz.left"), Choice(context.say("quiz.go_on"), "/resume")).then(left)

    def votes(self, argument: str) -> Answer:
        """`/votes majority`: how the team decides; `captain` makes whoever says it the captain."""

        def answer(context: Context) -> Outcome:
            team, _ = self.here(context)
            if team is None:
                return self.lost(context)
            if argument not in MODES:
                choices = [Choice(context.say(f"quiz.mode_{mode}"), f"/votes {mode}") for mode in MODES]
                return context.show(context.say("quiz.which_mode"), *choices)
            captain = voter(context, team.row.id) if argument == "captain" else None
            row = plays.put(context.tx, replace(team.row, mode=argument, captain=captain), context.now)
            if row is None:
                return context.show(context.say("quiz.answered"), aside=True)
            return context.show(context.say(f"quiz.mode_{argument}_now"))

        return answer

    def ready(self, argument: str) -> Answer:
        """`/ready before 4`: count how ready somebody feels, once a conversation."""
        when, _, value = argument.partition(" ")

        def answer(context: Context) -> Outcome:
            rows = plays.plays_at(context.tx, context.session.where)
            if not rows or when not in FEEL_SURE or value not in map(str, SCALE):
                return context.show(context.say("quiz.ready_gone"), aside=True)
            row = rows[-1]
            if not plays.counted(context.tx, row.id, context.session.where, FEEL_SURE.index(when) + 1):
                return context.show(context.say("quiz.ready_twice"), aside=True)
            games.count(context.tx, row.quiz, row.game, [(when, value, 1)], context.now)
            return context.show(context.say("quiz.ready_noted"), aside=True)

        return answer

    def boosters(self, argument: str) -> Answer:
        """`/boosters yes`: ask the questions after a week and after two; `/boosters no` takes that back."""

        def answer(context: Context) -> Outcome:
            where = context.session.where
            if argument != "yes":
                plays.unbook(context.tx, where, "booster:")
                return context.show(context.say("quiz.boosters_no"))
            rows = plays.plays_at(context.tx, where)
            if not rows:
                return self.lost(context)
            name = rows[-1].quiz
            tell = tuple(
                Telling(where, PLAYING, {"booster": b, "quiz": name}, context.now + span, f"booster:{name}:{b}:{where}")
                for b, span in BOOSTERS.items()
            )
            no = Choice(context.say("quiz.boosters_stop"), "/boosters no")
            return replace(context.show(context.say("quiz.boosters_booked"), no), tell=tell)

        return answer

"""What a play's conversation hears from elsewhere: its other conversations, the clock, the host's orders."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from bot.core.markup import escape
from bot.core.message import Choice, Reply
from bot.features.quizzes import events as e
from bot.features.quizzes.events import Event, Events
from bot.features.quizzes.teams import Team, unpack
from bot.storage import plays
from bot.talk.feature import Answer, Context, Outcome

if TYPE_CHECKING:
    from bot.features.quizzes.playing import Playing


class Hearing:
    """Hears for the feature that plays."""

    def __init__(self, playing: "Playing") -> None:
        self.playing = playing
        self.teams = playing.teams

    def wake(self, what: Mapping[str, Any]) -> Answer:
        """Hear what the play's other conversations did, what the clock says, what the host orders."""
        if "order" in what:
            return lambda context: self.ordered(context, what)
        if "booster" in what:
            return lambda context: self.reminded(context, what)
        return lambda context: self.told(context, what)

    def told(self, context: Context, what: Mapping[str, Any]) -> Outcome:
        """Hear what happened in the play, or look at the clock."""
        active, _ = self.playing.here(context)
        team = active if active and active.row.id == what["play"] else self.teams.load(context, what["play"])
        if team is None:
            return Outcome()
        if what.get("due"):
            outcome = self.clock(context, team)
        else:
            events = unpack(what["events"])
            again = any(isinstance(event, e.Resumed) for event in events)  # what was asked before the pause is far up
            told = self.teams.words(context, team, fresh=again).told(events)
            outcome = Outcome(told, self.teams.at(context, team, fresh=again))
            if team.hosted and any(isinstance(event, e.EndingReached) for event in events):
                outcome = replace(outcome, replies=(*outcome.replies, Reply(context.say("quiz.wait_for_all"))))
        return outcome if team is active else Outcome(tell=outcome.tell)

    def clock(self, context: Context, team: Team) -> Outcome:
        """Do what the clock demands, unless the host pauses everything."""
        if team.held:
            return Outcome()
        done = self.teams.act(context, team, "/due")
        if done is None or not done[1]:
            return Outcome()
        return self.playing.done(context, team, done)

    def reminded(self, context: Context, what: Mapping[str, Any]) -> Outcome:
        """Offer the questions that were agreed to."""
        quiz = self.teams.editions.all(context.language).get(what["quiz"])
        if quiz is None:
            return Outcome()
        text = context.say("quiz.booster_now", title=escape(quiz.title))
        return context.show(
            text,
            Choice(context.say("quiz.start"), f"/quiz {what['quiz']} {what['booster']}"),
            Choice(context.say("quiz.boosters_stop"), "/boosters no"),
        )

    def ordered(self, context: Context, what: Mapping[str, Any]) -> Outcome:
        """Carry out what the host of a game said, once for each team; show it where the team is looked at."""
        active, _ = self.playing.here(context)
        shown = Outcome()
        for row in plays.plays_at(context.tx, context.session.where):
            if row.game != what["game"]:
                continue
            team = self.teams.team(context.tx, row, context.language)
            if team is None:
                continue
            outcome = self.obeyed(context, team, what)
            if active and active.row.id == row.id:
                shown = replace(outcome, tell=(*shown.tell, *outcome.tell))
            else:
                shown = replace(shown, tell=(*shown.tell, *outcome.tell))
        return shown

    def obeyed(self, context: Context, team: Team, what: Mapping[str, Any]) -> Outcome:
        """Carry out an order for one team, unless another of its conversations did."""
        after = team
        events: Events = ()
        if team.row.done_to < what["order"]:
            noted = replace(team, row=replace(team.row, done_to=what["order"]))
            after, events = self.carry_out(context, noted, what)
        replies = self.words(context, after, what, events)
        tell = self.teams.deadlines(context, team, after)
        if what["do"] in ("debrief", "next", "end"):
            tell += self.teams.tell_others(context, after, events)
        at = self.teams.at(context, after, fresh=what["do"] in ("start", "go"))
        return Outcome(replies, at, (*tell, *self.teams.tell_hosts(context, after)))

    def carry_out(self, context: Context, team: Team, what: Mapping[str, Any]) -> tuple[Team, Events]:
        """Do to a play what the host said."""
        at = datetime.fromtimestamp(what["at"], UTC)
        if what["do"] == "start" and team.play is None:
            return self.teams.begin(context, team) or (team, ())
        if what["do"] == "debrief" and team.play is None:
            team, _ = self.teams.begin(context, team) or (team, ())
        events, version = list[Event](), team.row.version
        for said in meant(team, what):
            done = self.teams.act(context, team, said, at)
            if done is None:
                break
            team, more = done
            events += [event for event in more if not isinstance(event, e.NotNow | e.Paused | e.Resumed)]
        if team.row.version == version:
            kept = plays.put(context.tx, team.row, context.now, over=team.over)
            team = replace(team, row=kept or team.row)
        return team, tuple(events)

    def words(self, context: Context, team: Team, what: Mapping[str, Any], events: Events) -> tuple[Reply, ...]:
        """Return what a team is shown of an order."""
        words = self.teams.words(context, team)
        match what["do"]:
            case "start":
                first = (words.opening(team.row.cut), words.ready("before"))
                return (*first, *words.told(events or _beginning(team)))
            case "go":
                return (Reply(context.say("quiz.host_go")), *self.teams.shown(context, team))
            case "debrief" | "next":
                step = words.step()
                return (*words.told(events), *([step] if step else []))
            case "end":
                return words.told([event for event in events if isinstance(event, e.EndingReached | e.Closed)])
            case _:
                return tuple(map(Reply, self.line(context, team, what)))

    def line(self, context: Context, team: Team, what: Mapping[str, Any]) -> Iterator[str]:
        """Yield the sentence that says what the host did."""
        say = context.say
        match what["do"]:
            case "pause":
                yield say("quiz.host_pause")
            case "extend":
                yield say("quiz.host_extends", count=round(what["seconds"] / 60))
            case "say":
                yield say("quiz.from_host", text=escape(what["text"]))
            case "name":
                if what["team"] == team.row.team:
                    yield say("quiz.new_name", name=escape(team.row.name))


def meant(team: Team, what: Mapping[str, Any]) -> Sequence[str]:
    """Return what an order means to the rules of a play."""
    if team.play is None:
        return ()
    steps = ["/next"] * (len(team.quiz.debrief.steps) + 1)
    commands = {
        "pause": ["/pause"],
        "go": ["/resume"],
        "extend": [f"/extend {what.get('seconds', 0)}"],
        "debrief": ["/resume", "/stop"],
        "next": ["/resume", "/next"],
        "end": ["/resume", "/stop", *steps],
    }
    return commands.get(what["do"], [])


def _beginning(team: Team) -> Events:
    """Return where a play stands as if it had just come there: another of its conversations began it."""
    play = team.play
    if play is None or play.stage != "playing":
        return ()
    return e.RoomEntered(play.room), e.PuzzleAsked(play.room, play.puzzle)

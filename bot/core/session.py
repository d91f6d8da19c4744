"""What one conversation is in the middle of."""

import json
from dataclasses import dataclass, replace
from typing import Any, Self

from bot.core.message import Address, Choice, Reply, pack, unpack

VERSION = 1
_ASKED = "asked"  # the last list mostly is that of the open question, and need not be kept twice


@dataclass(frozen=True, slots=True)
class Scene:
    """A feature that waits for the next words; `state` is small: a word, or the id of its row."""

    feature: str
    state: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """The open question, whole, under a turn number that is never used again."""

    turn: int
    reply: Reply


@dataclass(frozen=True, slots=True)
class Session:
    """A conversation: chosen language, the open question, the last numbered list, and the scenes on top of each other.

    `met` says that it was told that this is an automated assistant. `city` is the pack it belongs to, "" the shared
    one. `quiet` says that in a shared chat only commands and buttons are answered. Up to `calm_until`, in seconds since
    1970, insults are met with silence. `together` says that several people look at this conversation, as a team does at
    its one phone. `switched` says that another language was offered.
    """

    where: Address
    language: str | None = None
    city: str = ""
    met: bool = False
    turns: int = 0
    asked: Question | None = None
    listed: tuple[Choice, ...] = ()
    scenes: tuple[Scene, ...] = ()
    quiet: bool = False
    calm_until: int = 0
    together: bool = False
    switched: bool = False

    def enter(self, feature: str, state: str = "") -> Self:
        """Return the session with this scene on top, in place of an older one of the same feature."""
        return replace(self, scenes=(*self._without(feature), Scene(feature, state)))

    def leave(self, feature: str) -> Self:
        """Return the session without this feature's scene and its open question."""
        asked = None if self.top and self.top.feature == feature else self.asked
        return replace(self, scenes=self._without(feature), asked=asked)

    @property
    def top(self) -> Scene | None:
        """The scene that hears the next words."""
        return self.scenes[-1] if self.scenes else None

    def _without(self, feature: str) -> tuple[Scene, ...]:
        return tuple(scene for scene in self.scenes if scene.feature != feature)

    def to_json(self) -> str:
        """Return the session as text for its row."""
        asked = {"turn": self.asked.turn, "reply": pack(self.asked.reply)} if self.asked else None
        same = bool(self.asked and self.listed and self.listed == self.asked.reply.choices)
        state: dict[str, Any] = {
            "version": VERSION,
            "language": self.language,
            "city": self.city,
            "met": self.met,
            "quiet": self.quiet,
            "calm_until": self.calm_until,
            "together": self.together,
            "switched": self.switched,
            "turns": self.turns,
            "asked": asked,
            "listed": _ASKED if same else [[choice.label, choice.say] for choice in self.listed],
            "scenes": [[scene.feature, scene.state] for scene in self.scenes],
        }
        return json.dumps({key: value for key, value in state.items() if value}, ensure_ascii=False)

    @classmethod
    def from_json(cls, where: Address, text: str) -> Self:
        """Read what `to_json` wrote."""
        state = json.loads(text)
        asked, listed = state.get("asked"), state.get("listed", ())
        question = Question(asked["turn"], unpack(asked["reply"])) if asked else None
        same = question.reply.choices if question and listed == _ASKED else ()
        return cls(
            where,
            state.get("language"),
            state.get("city", ""),
            state.get("met", False),
            state.get("turns", 0),
            question,
            same or tuple(Choice(*pair) for pair in listed),
            tuple(Scene(*pair) for pair in state.get("scenes", ())),
            state.get("quiet", False),
            state.get("calm_until", 0),
            state.get("together", False),
            state.get("switched", False),
        )

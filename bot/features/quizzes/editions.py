"""Editions: a quiz as it stood when a play of it began; a file edited or deleted changes nothing in mid-game."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from bot.features.quizzes.puzzles.puzzle import Picture
from bot.features.quizzes.quiz import Quiz
from bot.library.figures import fill
from bot.library.load import Kind, Library
from bot.storage import plays

MOST_OLD = 16  # editions of files that changed since, held in memory


class Editions:
    """The quizzes of a library, and on demand those that are still played and no longer in it."""

    def __init__(self, library: Library, kind: Kind[Quiz]) -> None:
        self.languages = list(library.pack.languages)
        self._quizzes = {language: library.all(kind, language) for language in self.languages}
        self.ids = list(self._quizzes[self.languages[0]])
        self._trees = {name: self._tree(name) for name in self.ids}
        self.digests = {name: plays.edition(tree) for name, tree in self._trees.items()}
        self._known: dict[tuple[str, str], Quiz] = {
            (self.digests[name], language): quiz
            for language, quizzes in self._quizzes.items()
            for name, quiz in quizzes.items()
        }
        self._old: dict[str, Mapping[str, Quiz]] = {}
        self._folders = {name: Path(library.folders[kind.name, name]) for name in self.ids}

    def _tree(self, name: str) -> Mapping[str, Any]:
        return {
            language: quizzes[name].model_dump(mode="json", exclude_unset=True)
            for language, quizzes in self._quizzes.items()
        }

    def all(self, language: str) -> Mapping[str, Quiz]:
        """Return the quizzes that may be begun, by id."""
        return self._quizzes[language]

    def keep(self, tx: Connection, name: str, now: datetime) -> str:
        """Keep the quiz as it stands now; return its digest."""
        digest = self.digests[name]
        plays.keep_edition(tx, digest, name, self._trees[name], self._face(name), now)
        return digest

    def get(self, tx: Connection, digest: str, language: str) -> Quiz | None:
        """Return an edition in a language, in the pack's own where it lacks that one; None where it is no more."""
        if found := self._known.get((digest, language)):
            return found
        old = self._old.get(digest) or self._read(tx, digest)
        return old.get(language) or next(iter(old.values()), None)

    def _read(self, tx: Connection, digest: str) -> Mapping[str, Quiz]:
        trees = plays.edition_of(tx, digest)
        quizzes = {language: Quiz.model_validate(tree) for language, tree in (trees or {}).items()}
        if quizzes:
            if len(self._old) >= MOST_OLD:
                self._old.pop(next(iter(self._old)), None)  # another turn may have been quicker
            self._old[digest] = quizzes
        return quizzes

    def picture(self, name: str, picture: Picture) -> Path | None:
        """Return where a picture of a quiz lies; None where it is no more."""
        path = self._folders[name] / picture.file if name in self._folders else None
        return path if path and path.is_file() else None

    def _face(self, name: str) -> Mapping[str, Any]:
        """Return what a projector shows of a quiz, by language."""
        quizzes = {language: self._quizzes[language][name] for language in self.languages}
        first = quizzes[self.languages[0]]
        return {
            "titles": {language: quiz.title for language, quiz in quizzes.items()},
            "rooms": list(first.rooms),
            "names": {language: [room.name for room in quiz.rooms.values()] for language, quiz in quizzes.items()},
            "steps": {
                step: {
                    language: fill(quiz.debrief.steps[step], quiz.figures, language)
                    for language, quiz in quizzes.items()
                }
                for step in first.debrief.steps
            },
        }

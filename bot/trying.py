"""`hearsay chat --play quizzes/<id>`: a game is tried while it is written, and begins anew whenever it is saved."""

import sys
from pathlib import Path

from bot.app import content_of, repertoires
from bot.library.problem import ContentError
from bot.settings import Settings
from bot.talk.assistant import Assistant


class Trying:
    """Looks at the folder of a game before each line that is typed."""

    def __init__(self, assistant: Assistant, settings: Settings, folder: Path) -> None:
        self._assistant = assistant
        self._settings = settings
        self._folder = folder
        self._stamp: int | None = None

    def look(self) -> str | None:
        """Return what begins the game, the first time and whenever it was saved soundly; say what is wrong if not."""
        from bot.serve import fingerprint  # the web server, which a chat does without until then

        stamp = fingerprint(self._folder)
        if stamp == self._stamp:
            return None
        first, self._stamp = self._stamp is None, stamp
        if not first and not self._taken():
            return None
        return f"/quiz {self._folder.name} new"

    def _taken(self) -> bool:
        try:
            content = content_of(self._settings)
        except ContentError as error:
            sys.stderr.write("".join(f"{problem}\n" for problem in error.problems))
            return False
        self._assistant.repertoires = repertoires(content, self._settings.city)
        return True

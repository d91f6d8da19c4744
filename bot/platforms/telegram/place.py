"""Where in Telegram an address leads: a private chat, a group or one of its topics, a channel."""

from dataclasses import dataclass, replace

from bot.core.message import Address
from bot.core.platform import Hears, Limits
from bot.platforms.limits import TELEGRAM

NAME = "telegram"
_CHANNEL = "channel"
_GROUP = replace(TELEGRAM, hears=Hears.ADDRESSED)
_MUTE = replace(TELEGRAM, hears=Hears.NOTHING, forms=False)


@dataclass(frozen=True, slots=True)
class Place:
    """A chat's id, as Telegram counts them: people's above 0, groups' and channels' below; perhaps a topic of it."""

    chat: int
    topic: int | None = None
    channel: bool = False

    @classmethod
    def of(cls, address: Address) -> "Place":
        """Return where `address` leads."""
        chat, _, room = address.chat.partition("/")
        channel = room == _CHANNEL
        return cls(int(chat), int(room) if room and not channel else None, channel)

    @property
    def address(self) -> Address:
        """Return the address that leads here."""
        room = _CHANNEL if self.channel else self.topic
        return Address(NAME, f"{self.chat}/{room}" if room else str(self.chat))

    @property
    def shared(self) -> bool:
        """Whether more than one person reads here."""
        return self.chat < 0

    @property
    def limits(self) -> Limits:
        """What can be shown here, and heard."""
        if self.channel:
            return _MUTE
        return _GROUP if self.shared else TELEGRAM

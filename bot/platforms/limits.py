"""What each platform can show, as documented by it in 2026."""

from bot.core.platform import Hears, Limits

WEB = Limits(text=20_000, choices=60, label=80)
TERMINAL = Limits(text=20_000, choices=99, label=120, images=False)
# core.telegram.org/bots/api: 4,096 UTF-16 units, 1,024 under a picture; less here, because a command that no link may
# say stands beside its words, and the words for a picture above its text. Phones cut labels beyond about 30.
TELEGRAM = Limits(text=3900, caption=700, choices=24, label=34, choices_with_prompt=False, utf16=True)
# docs.discord.com: 2,000 characters, markup included, hence the margin; five rows of five buttons.
DISCORD = Limits(text=1800, choices=25, label=38, hears=Hears.ADDRESSED)

BY_NAME = {"web": WEB, "terminal": TERMINAL, "telegram": TELEGRAM, "discord": DISCORD}

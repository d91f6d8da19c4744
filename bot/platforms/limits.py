"""What each platform can show, as documented by it in 2026."""

from bot.core.platform import Hears, Limits

WEB = Limits(text=20_000, choices=60, label=80)
TERMINAL = Limits(text=20_000, choices=99, label=120, images=False)
# core.telegram.org/bots/api: 4,096 UTF-16 units; labels are cut on narrow phones beyond about 30.
TELEGRAM = Limits(text=4096, choices=24, label=34, choices_with_prompt=False, utf16=True)
# docs.discord.com: 2,000 characters, markup included, hence the margin; five rows of five buttons.
DISCORD = Limits(text=1800, choices=25, label=38, hears=Hears.ADDRESSED)

BY_NAME = {"web": WEB, "terminal": TERMINAL, "telegram": TELEGRAM, "discord": DISCORD}

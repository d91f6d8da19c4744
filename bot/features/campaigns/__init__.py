"""International days: what they are, what is said on them, to whom and when."""

from pathlib import Path

from bot.features.campaigns.campaign import LONGEST_ID, Campaign, Checklist, Step, Topic, check
from bot.library.load import Kind

TOPICS = Kind("topic", "topics", Topic)
STEPS = Kind("step", "steps", Step)
CHECKLISTS = Kind("checklist", "checklists", Checklist)
CAMPAIGNS = Kind(
    "campaign",
    "*/campaign.yaml",
    Campaign,
    check,
    command="day",
    root="campaigns",
    longest=LONGEST_ID,
    sample=Path(__file__).with_name("sample.yaml"),
)
KINDS = (TOPICS, STEPS, CHECKLISTS, CAMPAIGNS)

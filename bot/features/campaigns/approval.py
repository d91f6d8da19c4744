"""Whether what a campaign says in a town was approved: as it is now, by enough people. Pure."""

from collections.abc import Iterable, Sequence

from bot.storage.runs import Approval, Edit


def approvers(approvals: Iterable[Approval], digest: str) -> set[int]:
    """Return the numbers of those who approved the text with this digest."""
    return {one.number for one in approvals if one.digest == digest}


def is_approved(approvals: Iterable[Approval], edits: Sequence[Edit], digest: str, *, two: bool) -> bool:
    """Say whether the text with this digest may go out; with `two`, whoever edited it counts as one of two people."""
    found = approvers(approvals, digest)
    return bool(found) and (not two or len(found | {edit.number for edit in edits}) >= 2)

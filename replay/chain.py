"""The links and the receipts: is this the history that was written, and the one that was vouched for?

Links find what was changed and not recomputed. Only a receipt that was kept elsewhere finds a history that
was rewritten with valid links, cut off behind a page, or set back to an older copy.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from engine.links import FIRST_LINK, next_link
from engine.log.records import Record
from engine.receipts import Receipt, is_signed, key_id
from replay.problems import Problem, Problems


class Chain:
    """Follows the pages. matched: receipts that fit.   signed: how far the newest of them vouches."""

    def __init__(
        self, receipts: Iterable[Receipt], public_key: Ed25519PublicKey | None, problems: Problems
    ) -> None:
        self._problems = problems
        self._expected: dict[str, list[Receipt]] = {}
        self._at: dict[int, list[Receipt]] = {}
        self._blamed: dict[str, str] = {}
        self._link = FIRST_LINK
        self._last = -1
        self.matched = 0
        self.signed = -1
        for receipt in sorted(receipts, key=lambda one: (one.offset, one.signed_at_ms)):
            if public_key is not None and receipt.key != key_id(public_key):
                self._add(receipt, f"was signed by the key {receipt.key}, not by {key_id(public_key)}")
            elif public_key is not None and not is_signed(receipt, public_key):
                self._add(receipt, "is forged: its signature does not fit")
            else:
                self._expected.setdefault(receipt.link, []).append(receipt)
                self._at.setdefault(receipt.offset, []).append(receipt)

    def page(
        self,
        values: Sequence[bytes],
        first: int,
        last: Record,
        link: bytes,
        epoch_id: str,
        seqs: Mapping[str, int],
    ) -> None:
        """Take a page: its events' bytes, where it begins, its last event, the link which that carries, and
        the seq that each book has behind it.
        """
        if next_link(self._link, values) != link:
            self._problems.add(
                Problem(
                    f"the events from offset {first} to {last.offset} are not those that were written: "
                    "their link does not fit",
                    self._problems.book,
                    self._problems.seq,
                    last.offset,
                )
            )
        self._link = link  # go on from what stands there, so that what is whole behind it is not blamed
        self._last = last.offset
        # By its link, which a copy keeps. In the epoch that it was given in, its offset is this page's too.
        for receipt in self._expected.pop(link.hex(), ()):
            if receipt.epoch_id != epoch_id:
                self._add(receipt, f"is of another log ({receipt.epoch_id}, not {epoch_id})")
            elif receipt.books != seqs:
                self._add(receipt, self._rewritten(last.offset))
            else:
                self.matched += 1
                self.signed = last.offset
        for receipt in self._at.pop(last.offset, ()):
            if receipt.link in self._expected:
                another = f"is of another log ({receipt.epoch_id}, not {epoch_id})"
                what = another if receipt.epoch_id != epoch_id else self._rewritten(last.offset)
                self._blamed[receipt.link] = what

    def unlinked(self, first: int, last: int) -> None:
        """The log ends with events that no link closes."""
        self._problems.add(Problem(f"the events from offset {first} to {last} carry no link", offset=last))

    def finish(self) -> None:
        """After the last page: every receipt's link has been met, or history is not what it was."""
        left = [one for given in self._expected.values() for one in given]
        for receipt in sorted(left, key=lambda one: (one.offset, one.signed_at_ms)):
            offset = receipt.offset
            if receipt.link in self._blamed:
                self._add(receipt, self._blamed[receipt.link])
            elif offset > self._last:
                self._add(
                    receipt,
                    f"vouches for events up to offset {offset}, and the log ends at {self._last}: "
                    "it was cut off or set back to an older copy",
                )
            else:
                self._add(receipt, f"fits no page: something up to offset {offset} was rewritten")

    def _rewritten(self, offset: int) -> str:
        return f"was given for another history: {self._between(offset)} was rewritten"

    def _between(self, offset: int) -> str:
        """The narrowest part of history that the receipts so far leave open."""
        if self.signed < 0:
            return f"something up to offset {offset}"
        return f"something from offset {self.signed + 1} to {offset}"

    def _add(self, receipt: Receipt, what: str) -> None:
        self._problems.add(
            Problem(
                f"the receipt of {receipt.signed_at_ms} for offset {receipt.offset} {what}",
                offset=receipt.offset,
            )
        )

"""Which parameters are in force in a book: its documents of typologies, followed from their events."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from detection.facts import EffectFace, PublishedFace
from schemas.documents.typologies import Typologies
from schemas.documents.typology import Parameters

KIND: Final = "typologies"


class Version(msgspec.Struct):
    """A version of a document. body: as JSON."""

    version: int
    body: msgspec.Raw


class Documents(msgspec.Struct):
    """in_force: by the document's id.   pending: what takes effect later, by `id@version`."""

    in_force: dict[str, Version] = {}
    pending: dict[str, Version] = {}

    def published(self, fact: PublishedFace) -> bool:
        """A version was published; whether what is in force is another now."""
        if fact.kind != KIND:
            return False
        version = Version(fact.version, msgspec.Raw(bytes(fact.body)))
        if fact.effective_from_ms > fact.at:
            self.pending[f"{fact.document}@{fact.version}"] = version
            return False
        self.in_force[fact.document] = version
        return True

    def took_effect(self, fact: EffectFace) -> bool:
        """A version's time has come; whether what is in force is another now."""
        if fact.kind != KIND:
            return False
        self.in_force[fact.document] = self.pending.pop(f"{fact.document}@{fact.version}")
        return True

    def sets(self) -> dict[str, tuple[int, Parameters]]:
        """The parameters that are in force and not off, by typology, with the version of their document.

        Where two documents have the same typology, the first by id has a say.
        """
        found: dict[str, tuple[int, Parameters]] = {}
        for document in sorted(self.in_force):
            version = self.in_force[document]
            body: Any = _decode(version.body)
            for name, one in body.sets():
                if one.stage != "off":
                    found.setdefault(name, (version.version, one))
        return found


_decode = msgspec.json.Decoder(Typologies).decode

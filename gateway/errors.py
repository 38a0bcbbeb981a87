"""What can be wrong with what people bring, in one sentence each. All of it is found before anything is
sent.
"""

from __future__ import annotations

from engine.errors import WrongUse


class MappingWrong(WrongUse):
    """The mapping cannot be used. `problems` are all of them, each with the path of its setting."""

    advice = "Correct the mapping; examples/ has two that work, with comments."

    def __init__(self, what: str, problems: tuple[str, ...] = (), advice: str | None = None) -> None:
        super().__init__(what, advice)
        self.problems = problems


class ImportRefused(WrongUse):
    """The import does not begin: the file cannot be read, or the book is not where it should go."""

    advice = "Nothing was sent."


class ImportStopped(WrongUse):
    """The import ended before its last row: the file changed or broke under it, or the book was not
    opened.
    """

    advice = "Repair what is said, then run it again with --resume: it goes on behind the last row answered."


class DocumentsWrong(WrongUse):
    """A file of documents cannot be published as it is. `problems` are all of them, each with its place."""

    advice = "Nothing was sent. Correct the file; examples/ has a document of every kind."

    def __init__(self, what: str, problems: tuple[str, ...] = (), advice: str | None = None) -> None:
        super().__init__(what, advice)
        self.problems = problems

    def __str__(self) -> str:
        return "\n".join([self.what, *(f"  {one}" for one in self.problems), self.advice])

"""What is looked for among the words and questions, as a value that is exactly its link. No Streamlit here."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from gd_core.lessons.glossary import ENTRIES, LONGEST_SEARCH, found
from gd_core.settings.fields import ParameterError, quoted


@dataclass(frozen=True)
class Search:
    """Some words, or none.

    Raises:
        ParameterError: If they are too many.
    """

    q: str = ""

    def __post_init__(self) -> None:
        if len(self.q) > LONGEST_SEARCH:
            raise ParameterError(
                "q", f"q must be at most {LONGEST_SEARCH} characters long. Got {quoted(self.q)}."
            )

    def to_query(self) -> dict[str, str]:
        return {"q": self.q} if self.q else {}

    @classmethod
    def from_query(cls, query: Mapping[str, str], fallback: Self | None = None) -> tuple[Self, list[str]]:
        kept = fallback or cls()
        try:
            return cls(" ".join(query.get("q", kept.q).split())), []
        except ParameterError as error:
            return kept, [str(error)]

    @property
    def said(self) -> str:
        """How many answers there are, in a sentence."""
        count, of = len(found(self.q)), len(ENTRIES)
        if not self.q:
            return f"{of} short answers. Each link opens an experiment that shows it."
        if not count:
            return f"None of the {of} answers holds “{self.q}”. Try one short word, such as slope, noise or stop."
        return (
            f"{count} of {of} answers hold “{self.q}”."
            if count > 1
            else f"1 of {of} answers holds “{self.q}”."
        )

"""A value, the widgets that show it, and the address that holds it. No torch.

The value is what counts. A widget's callback takes over what was typed into it, or keeps the last good value and a
sentence about the bad one. The address follows the value; an address that it did not write (a link, Back,
a reload) sets it.

Widgets hold nothing: before each is drawn, its value is written into it. So Streamlit has nothing to keep for one that is
not drawn (`persist_state`), nor to bind to a parameter of the address (`bind="query-params"`): that takes each parameter
for itself and as it comes, and a link is read as a whole, with a sentence about what does not fit, or not at all.
"""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Generic, Protocol, Self, TypeVar

import streamlit as st

from gd_core.settings.experiment_fields import FIELDS, titled
from gd_core.settings.fields import Field, Number, shown
from pages.ui.look import navigation, projector, session, written
from pages.ui.look.look import plain


class Settings(Protocol):
    """A run as a value: an `Experiment`, or another frozen record of primitives that is exactly its link."""

    def to_query(self) -> dict[str, str]: ...
    @classmethod
    def from_query(cls, query: Mapping[str, str], fallback: Self | None = None) -> tuple[Self, list[str]]: ...


S = TypeVar("S", bound=Settings)


@dataclass
class Held(Generic[S]):
    """What a visitor's session keeps of a page.

    Attributes:
        settings: The run.
        typed: What stands in a field as it was typed, good or bad; the others show the value.
        sentences: What is wrong with what was typed, by the name of the field; "" for what belongs to none.
        address: What was last written.
        left: The addresses before it, and when each was left: a browser that has not heard of a newer one still sends them.
        followed: Whether this run of the page has taken over an address that someone else wrote.
        touched: Whether a widget or a button has made this run of the page.
    """

    settings: S
    typed: dict[str, Any] = field(default_factory=dict)
    sentences: dict[str, str] = field(default_factory=dict)
    address: dict[str, str] | None = None
    left: list[tuple[float, dict[str, str]]] = field(default_factory=list)
    followed: bool = False
    touched: bool = False


@dataclass
class EveryPage:
    """What a visitor's session keeps of all pages, by name."""

    held: dict[str, Held[Any]] = field(default_factory=dict)


H = TypeVar("H", bound=Held[Any])
Then = Callable[[Any], None]  # gets what a widget holds when that was changed


def on_page(sentence: str, fields: Mapping[str, Field]) -> str:
    """A sentence about a setting by the name that it has on the page, where links, flags and records have a shorter one."""
    return titled(sentence, {name: field.title for name, field in fields.items()})


class Form(ABC, Generic[S, H]):
    """One page's settings. A page opens it, and draws its widgets."""

    number = staticmethod(shown)  # as a field shows one

    def __init__(
        self, page: str, usual: S, first: Callable[[], H], fields: Mapping[str, Field] = FIELDS
    ) -> None:
        self.name = page
        self.usual = usual
        self.first = first  # what is held before the page was ever opened
        self.fields = fields
        self.prefix = f"{page}."  # of the widgets' keys

    @property
    def held(self) -> H:
        """The visitor's own."""
        pages: dict[str, Any] = session.held(EveryPage).held
        if self.name not in pages:
            pages[self.name] = self.first()
        return pages[self.name]

    @property
    def settings(self) -> S:
        """The run that the page is about."""
        return self.held.settings

    # ------------------------------------------------------------------------------------- what a kind of page adds

    @abstractmethod
    def _follow(self, address: Mapping[str, str], sentences: list[str], *, entered: bool) -> bool:
        """Take over an address that someone else wrote, or that the page was entered with; whether it is followed.

        What is wrong with it is told, beside these sentences.
        """

    @abstractmethod
    def _query(self) -> dict[str, str]:
        """The address of what is held."""

    def is_bare(self, address: Mapping[str, str]) -> bool:
        """Whether an address says nothing about a run."""
        return projector.bare(address)

    def _is_own(self, address: Mapping[str, str]) -> bool:
        """Whether an address says what this page wrote itself, so that nobody else's is to be followed."""
        return address == self.held.address or self._is_late(address)

    def _is_late(self, address: Mapping[str, str]) -> bool:
        """Whether the browser has sent an address from before it heard of the newest: followed, it would undo what was set."""
        held, now = self.held, time.monotonic()
        held.left = [one for one in held.left if now - one[0] < session.LATE]
        return not session.went_through_history() and any(address == before for _, before in held.left)

    def _look(self) -> dict[str, str]:
        """What the address says of how the page is looked at."""
        return projector.query()

    @abstractmethod
    def _keys(self) -> tuple[str | None, str]:
        """Do what a key of the projector mode asked for. Returns the rate that they may change, and what comes next."""

    def _may_teach(self) -> bool:
        """Whether the page has something to ask a class."""
        return False

    @abstractmethod
    def type(self, name: str, text: str) -> None:
        """Take over what was typed into a field, or say what is wrong with it. For callbacks."""

    @abstractmethod
    def set(self, **changes: Any) -> None:
        """Change fields together. For callbacks."""

    def pick(self, name: str, value: Any) -> None:
        """Take over what was chosen. For callbacks."""
        self.set(**{name: value})

    # --------------------------------------------------------------------------------------------------- the address

    def open(self) -> Self:
        """Take what the address says if someone else wrote it, and write what is held. First thing on the page."""
        navigation.enter()
        entered = navigation.come_to(self.name)
        address = st.query_params.to_dict()
        held = self.held
        held.touched |= projector.pressed()
        held.followed = False
        if entered:
            held.typed.clear()
            held.sentences.clear()
        if entered or not (held.touched or self._is_own(address)):
            sentences = projector.follow(address, entered=entered)
            held.followed = self._follow(address, sentences, entered=entered)
            # They stand in the side bar, which a phone and a projector have closed.
            if held.followed and held.sentences:
                st.toast(
                    "  \n".join(
                        plain(line) for said in held.sentences.values() for line in said.split("  \n")
                    )
                )
        rate, following = self._keys()
        held.touched = False
        query = self._query()
        if self.is_bare(address) and query == self.usual.to_query():
            query = {}  # a bare address opens just this; writing it down would cost a press of Back
        query |= self._look()
        # a link on a page to that same page does not change the browser's address; what is there already is no new entry
        there = held.address if not entered and self._is_late(address) else address
        if query != there or (held.followed and not entered):
            st.query_params.from_dict(query)
        if held.address is not None and query != held.address:
            held.left.append((time.monotonic(), held.address))
        held.address = query
        projector.show(rate=rate, following=following, may_teach=self._may_teach())
        return self

    # --------------------------------------------------------------------------------------------------- the widgets

    def text(self, name: str, *, label: str = "", help: str = "") -> None:
        """A field for a number, or several, with the sentence about a bad one under it."""
        title, hint = self._words(name)
        self.draw(st.text_input, name, label or title, then=partial(self.type, name), help=help or hint)
        self.complaint(name)

    def choose(
        self, name: str, titles: Mapping[Any, str], *, label: str, help: str = "", then: Then | None = None
    ) -> None:
        """A list to choose from."""
        self.draw(
            st.selectbox, name, label, then=then, options=list(titles), format_func=lambda one: titles[one],
            help=help or None,
        )  # fmt: skip
        self.complaint(name)

    def switch(self, name: str, *, label: str = "", help: str = "", disabled: bool = False) -> None:
        """A yes or no."""
        title, hint = self._words(name)
        self.draw(st.toggle, name, label or title, help=help or hint or None, disabled=disabled)

    def draw(
        self, widget: Callable[..., Any], name: str, label: str, *, then: Then | None = None, **arguments: Any
    ) -> Any:
        """Draw a field's widget with its value in it, and give what it gives; `then` is usually `pick`."""
        key = f"{self.prefix}{name}"
        written.write(key, self.field(name))
        return widget(
            label, key=key, on_change=written.changed,
            args=(key, self._changed, then or partial(self.pick, name)), **arguments,
        )  # fmt: skip

    def _changed(self, value: Any, then: Then) -> None:
        self.held.touched = True
        if value is not None:  # a segment that was pressed twice
            then(value)

    def field(self, name: str) -> Any:
        """What a field holds: as it was typed, or its value."""
        typed = self.held.typed
        return typed[name] if name in typed else self._shown(name)

    def _shown(self, name: str) -> Any:
        """A value as a widget holds it: the text of a number, a choice itself."""
        value = getattr(self.settings, name)
        if isinstance(value, tuple):  # columns, or a start in numbers
            return list(value) if name == "features" else ", ".join(map(self.number, value))
        return self.number(value) if isinstance(self.fields.get(name), Number) else value

    def _words(self, name: str) -> tuple[str, str]:
        """A field's title and help."""
        field = self.fields[name]
        if not isinstance(field, Number):
            return field.title, field.help
        low, high = self._range(name, field)
        return field.title, f"{field.help} Between {low:,.12g} and {high:,.12g}."

    def _range(self, name: str, field: Number) -> tuple[float, float]:
        return field.low, field.high

    # ------------------------------------------------------------------------------------------------ what is wrong

    def complaint(self, name: str = "") -> None:
        """The sentence about a bad value; without a name, about the link."""
        if sentence := self.held.sentences.get(name):
            lines = [self.words(line) for line in sentence.split("  \n")]
            lines = [f":orange[:material/error:] {plain(line)}" for line in lines]
            st.markdown("  \n".join(lines))

    def words(self, sentence: str) -> str:
        """What a page says of a bad value. See `on_page`."""
        return on_page(sentence, {**FIELDS, **self.fields})

    def touch(self) -> None:
        """Something on the page was changed: its next run is nobody else's address. For callbacks."""
        self.held.touched = True

    def refuse(self, name: str, sentence: str) -> None:
        """Say what is wrong with what was typed into a field that the page draws itself. For callbacks."""
        self.held.touched = True
        self.held.sentences[name] = sentence

    def refused(self, name: str) -> bool:
        """Whether the last value typed into a field was bad, and its sentence still stands."""
        return name in self.held.sentences

    def accept(self, name: str) -> None:
        """Take the sentence about a field back. For callbacks."""
        self.held.sentences.pop(name, None)

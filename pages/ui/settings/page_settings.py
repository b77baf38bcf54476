"""A page's settings as one value, the widgets that show them, and the address that holds them. No torch.

The value is what counts. A widget's callback reads what was typed into it, or keeps the last good value and a
sentence about the bad one. The address follows the value; an address that it did not write (a link, Back,
a reload) sets it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Generic, Protocol, Self, TypeVar

import streamlit as st

from gd_core.settings.experiment_fields import FIELDS
from gd_core.settings.fields import (
    Choice,
    Field,
    Flag,
    NamedOrNumbers,
    Number,
    ParameterError,
    Several,
    divided,
    quoted,
    shown,
    written,
)
from gd_core.settings.rules import OPTIMIZER_INFO
from gd_core.settings.table_fields import needs_its_file
from pages.ui.look import navigation, projector, session
from pages.ui.look.look import plain

STATE = st.session_state
ASK = Flag(
    default=True, title="Ask me first", help="A question before each run. Off: every run starts at once."
)
NUMBERS = ("numbers",)  # what `only` says of a start that must be given in numbers
UNSURE = "skip"  # the answer of someone who did not want to guess


class Settings(Protocol):
    """A run as a value: an `Experiment`, or another frozen record of primitives that is exactly its link."""

    def to_query(self) -> dict[str, str]: ...
    @classmethod
    def from_query(cls, query: Mapping[str, str], fallback: Self | None = None) -> tuple[Self, list[str]]: ...


S = TypeVar("S", bound=Settings)


@dataclass
class Held(Generic[S]):
    """What a visitor's session keeps of a lesson.

    Attributes:
        settings: The run.
        options: The lesson's own settings, by name.
        guess: The answer given before the run, `UNSURE`, or None while the question stands.
        sentences: What is wrong with what was typed, by the name of the field; "" for what was in the link.
        address: What was last written.
        touched: Whether a widget or a button has made this run of the page.
        shown: Counts the settings and answers seen, so that the player knows a new run from the same one.
    """

    settings: S
    options: dict[str, Any]
    guess: str | None = None
    sentences: dict[str, str] = field(default_factory=dict)
    address: dict[str, str] | None = None
    touched: bool = False
    shown: int = 0


@dataclass
class EveryPage:
    """What a visitor's session keeps of all lessons, by page."""

    held: dict[str, Held[Any]] = field(default_factory=dict)


class PageSettings(Generic[S]):
    """One lesson's settings. A page makes it, opens it, and draws its widgets."""

    def __init__(
        self,
        page: str,
        usual: S,
        *,
        others: Sequence[S] = (),
        options: Mapping[str, Field] | None = None,
        only: Mapping[str, Sequence[Any] | tuple[float, float] | Callable[[Any], str | None]] | None = None,
        guesses: Sequence[str] = (),
        views: Sequence[str] = (),
        resets: Mapping[str, Sequence[str]] | None = None,
        fields: Mapping[str, Field] = FIELDS,
    ) -> None:
        """Describe a lesson's settings.

        Args:
            page: The page's name, which is its address.
            usual: What the lesson opens with.
            others: What it opens with when another data set is chosen, one for each.
            options: Its own settings beside the run's.
            only: Fields of the run that this lesson narrows: two numbers are bounds, words are choices, a start
                that is `NUMBERS` has no name such as "published", and a function of the run says what is wrong with it.
            guesses: Keys of the answers to its question, if it asks one.
            views: Options, or fields, that change what is looked at, not the run: they neither ask again nor play anew.
            resets: Options that go back to their default when one of these fields changes: they were meant for another
                problem.
            fields: What is known of each field of the run.

        Raises:
            ParameterError: If the lesson would not open with its own settings.
        """
        self.name = page
        self.usual = usual
        self.others = others
        self.all_options: dict[str, Field] = {**(options or {}), **({"ask": ASK} if guesses else {})}
        self.only = only or {}
        self.guesses = (*guesses, UNSURE) if guesses else ()
        self.views = (*views, "ask")
        self.resets = resets or {}
        self.fields = fields
        for one in (usual, *others):
            self._narrowed(one)

    # ------------------------------------------------------------------------------------------- open and read

    def open(self) -> Self:
        """Take what the address says if someone else wrote it, and write what is held. First thing on the page."""
        navigation.enter()
        entered = navigation.come_to(self.name)
        address = st.query_params.to_dict()
        held: Held[S] | None = session.held(EveryPage).held.get(self.name)
        if held is None:
            held = Held(self.usual, {k: o.default for k, o in self.all_options.items()})
            session.held(EveryPage).held[self.name] = held
        if entered:
            held.sentences.clear()
            held.shown += 1
        if gone := needs_its_file(getattr(held.settings, "table", "")):  # it was removed on the Train page
            self._take_over(self.usual, held.options)
            self._redraw()
            held.sentences[""] = gone
        came_back = entered and held.address is not None and projector.bare(address)
        held.touched |= projector.pressed()
        followed = not held.touched and address != held.address and not came_back
        other_view = not held.touched and (entered or address != held.address)
        sentences = projector.follow(address, entered=entered) if other_view else []
        if followed:
            self._follow(address, sentences)
        self._keys_asked()
        held.touched = False
        query = self._query()
        if projector.bare(address) and query == self.usual.to_query():
            query = {}  # a bare address opens just this; writing it down would cost a press of Back
        query |= projector.query()
        # a link on a page to that same page does not change the browser's address; what is there already is no new entry
        if query != address or (followed and not entered):
            st.query_params.from_dict(query)
        held.address = query
        projector.show(
            rate=shown(self._rate) if self._rate is not None else None,
            following=navigation.LESSONS.get(self._following, "Train"),
        )
        return self

    @property
    def _rate(self) -> float | None:
        """The run's learning rate, if it has one."""
        return None if "learning_rate" in self.views else getattr(self.settings, "learning_rate", None)

    @property
    def _following(self) -> str:
        """The lesson after this one; after the last, Train."""
        pages = [*navigation.LESSONS, "train"]
        return pages[pages.index(self.name) + 1] if self.name in navigation.LESSONS else "train"

    def _keys_asked(self) -> None:
        """Do what a key of the projector mode asked for."""
        if (factor := projector.taken("factor")) and self._rate is not None:
            self.set(learning_rate=factor * self._rate)
            if sentence := self._held.sentences.pop("learning_rate", ""):
                st.toast(plain(sentence))
        if projector.taken("on"):
            st.switch_page(f"pages/{self._following}.py")

    @property
    def _held(self) -> Held[S]:
        return session.held(EveryPage).held[self.name]

    @property
    def settings(self) -> S:
        """The run that the lesson is about."""
        return self._held.settings

    def __getitem__(self, option: str) -> Any:
        """One of the lesson's own settings."""
        return self._held.options[option]

    @property
    def guess(self) -> str | None:
        """The answer that was given before the run, or None."""
        return self._held.guess

    @property
    def revealed(self) -> bool:
        """Whether the run may be shown: the question was answered or skipped, or there is none."""
        return not self.guesses or self._held.guess is not None or not self["ask"]

    @property
    def take(self) -> str:
        """Changes whenever there is another run to play."""
        return f"{self.name} {self._held.shown} {self.revealed}"

    # --------------------------------------------------------------------------------------------- for callbacks

    def set(self, **changes: Any) -> None:
        """Change fields of the run and options together; a bad value changes nothing and is said. For callbacks."""
        held = self._held
        held.touched = True
        theirs = {name: value for name, value in changes.items() if name not in self.all_options}
        try:
            ours = {name: value for name, value in changes.items() if name in self.all_options}
            for name, value in ours.items():
                if sentence := self.all_options[name].wrong(name, value):
                    raise ParameterError(name, sentence)
            settings = self._narrowed(replace(held.settings, **theirs)) if theirs else held.settings  # type: ignore[type-var]
        except ParameterError as error:
            held.sentences[error.parameter if error.parameter in changes else ""] = str(error)
            return
        self._take_over(settings, {**held.options, **ours})
        for name in changes:
            held.sentences.pop(name, None)
            STATE[self._key(name)] = self._shown(name)

    def load(self, settings: S, **options: Any) -> None:
        """Set everything at once, the options not named staying as they are. For callbacks."""
        held = self._held
        held.touched = True
        self._take_over(settings, {**held.options, **options})
        self._redraw()

    def answer(self, guess: str | None) -> None:
        """Answer the question, or with None ask it again. For callbacks."""
        held = self._held
        held.touched = True
        held.guess = guess
        held.shown += 1

    def refuse(self, name: str, sentence: str) -> None:
        """Say what is wrong with what was typed into a field that the page draws itself. For callbacks."""
        self._held.touched = True
        self._held.sentences[name] = sentence

    def refused(self, name: str) -> bool:
        """Whether the last value typed into a field was bad, and its sentence still stands."""
        return name in self._held.sentences

    def accept(self, name: str) -> None:
        """Take the sentence about a field back. For callbacks."""
        self._held.sentences.pop(name, None)

    def _take_over(self, settings: S, options: dict[str, Any]) -> None:
        held = self._held
        for name, causes in self.resets.items():
            untouched = options[name] == held.options[name]
            if untouched and any(getattr(settings, one) != getattr(held.settings, one) for one in causes):
                options = {**options, name: self.all_options[name].default}
        fields = [name for name in vars(settings) if name not in self.views]
        if any(getattr(settings, name) != getattr(held.settings, name) for name in fields) or any(
            options[name] != held.options[name] for name in options if name not in self.views
        ):
            held.guess = None
            held.shown += 1
        held.settings, held.options = settings, options

    # ----------------------------------------------------------------------------------------------- the address

    def _follow(self, address: Mapping[str, str], others: Sequence[str] = ()) -> None:
        """Take an address over, and tell what is wrong with it, after `others`."""
        held = self._held
        usual = self.usual.to_query()
        known = {name for name in address if name in vars(self.usual)}
        dataset = {"dataset": usual["dataset"]} if "dataset" in usual else {}
        settings, sentences = self.usual, [*others]
        if known:
            settings, own = type(self.usual).from_query({**dataset, **address})
            sentences += own
            settings = self._suited(settings, address, sentences)
        held.settings = settings
        for name, option in self.all_options.items():
            held.options[name] = option.default
            if name in address:
                try:
                    held.options[name] = option.read(name, address[name])
                except ParameterError as error:
                    sentences.append(str(error))
        guess = address.get("guess")
        held.guess = guess if guess in self.guesses else None
        held.sentences = {"": "  \n".join(sentences)} if sentences else {}
        held.shown += 1
        self._redraw()

    def _suited(self, settings: S, address: Mapping[str, str], sentences: list[str]) -> S:
        """A link's settings as this lesson can show them: what does not suit it takes the lesson's own value.

        Each value that stood in the link and is not used gets a sentence.
        """
        dataset = getattr(settings, "dataset", None)
        usual = next(
            (one for one in (self.usual, *self.others) if getattr(one, "dataset", None) == dataset), None
        )
        own = {}
        for name in self.only:
            try:
                self._narrowed(settings, name)
            except ParameterError as error:
                if name in address and not any(sentence.startswith(name) for sentence in sentences):
                    sentences.append(str(error))
                own[name] = getattr(usual or self.usual, name)
        if usual is None:
            sentences.append("The lesson opens with its own settings.")
            return self.usual
        try:
            return replace(settings, **own)  # type: ignore[type-var]
        except ParameterError as error:
            sentences.append(str(error))
            return usual

    def _query(self) -> dict[str, str]:
        held = self._held
        query = held.settings.to_query()
        for name, option in self.all_options.items():
            if held.options[name] != option.default:
                query[name] = option.typed(held.options[name])
        return query | ({"guess": held.guess} if held.guess else {})

    def _narrowed(self, settings: S, *names: str) -> S:
        """The settings, if they, or only those named, suit the lesson.

        Raises:
            ParameterError: If they do not.
        """
        for name, allowed in self.only.items():
            if names and name not in names:
                continue
            value = getattr(settings, name)
            if callable(allowed):
                if sentence := allowed(settings):
                    raise ParameterError(name, sentence)
                continue
            if allowed == NUMBERS:
                if not isinstance(value, tuple):
                    raise ParameterError(name, f"{name} must be in numbers in this lesson. Got {value}.")
            elif isinstance(allowed, tuple) and len(allowed) == 2 and not isinstance(allowed[0], str):
                low, high = allowed
                if not low <= value <= high:
                    rule = f"{name} must be between {low:,.12g} and {high:,.12g} in this lesson."
                    raise ParameterError(name, f"{rule} Got {written(value)}.")
            elif value not in allowed:
                choices = ", ".join(self.fields[name].write(one) or "nothing" for one in allowed)
                rule = f"must be one of {choices}" if len(allowed) > 1 else f"must be {choices}"
                raise ParameterError(
                    name, f"{name} {rule} in this lesson. Got {quoted(self.fields[name].write(value))}."
                )
        return settings

    # ----------------------------------------------------------------------------------------------- the widgets

    def text(
        self, name: str, *, label: str = "", help: str = "", on_change: Callable[[], None] | None = None
    ) -> None:
        """A field for a number, or several, with the sentence about a bad one under it."""
        title, hint = self._words(name)
        st.text_input(
            label or title,
            key=self._draw(name),
            help=help or hint,
            on_change=on_change or self._typed,
            args=None if on_change else (name,),
        )
        self.complaint(name)

    def choose(self, name: str, titles: Mapping[Any, str], *, label: str, help: str = "") -> None:
        """A list to choose from."""
        st.selectbox(
            label, list(titles), format_func=lambda one: titles[one], key=self._draw(name), help=help or None,
            on_change=self._picked, args=(name,),
        )  # fmt: skip
        self.complaint(name)

    def switch(self, name: str, *, label: str = "", help: str = "", disabled: bool = False) -> None:
        """A yes or no."""
        title, hint = self._words(name)
        st.toggle(
            label or title, key=self._draw(name), help=help or hint or None, disabled=disabled,
            on_change=self._picked, args=(name,),
        )  # fmt: skip

    def segments(
        self, name: str, titles: Mapping[Any, str] | None = None, *, label: str = "", hidden: bool = False
    ) -> None:
        """A row of choices, all in sight; several may be on where the option is `Several`."""
        option = self.all_options.get(name)
        titles = titles or (option.choices if isinstance(option, Choice | Several) else {})
        title, hint = self._words(name)
        draw: Any = st.pills if isinstance(option, Several) else st.segmented_control
        draw(
            label or title,
            list(titles),
            format_func=lambda one: titles[one],
            key=self._draw(name),
            selection_mode="multi" if isinstance(option, Several) else "single",
            label_visibility="collapsed" if hidden else "visible",
            help=None if hidden else hint or None,
            on_change=self._picked,
            args=(name,),
        )
        self.complaint(name)

    def complaint(self, name: str = "") -> None:
        """The sentence about a bad value; without a name, about the link, and about rows that it holds out."""
        if sentence := self._held.sentences.get(name):
            lines = [f":orange[:material/error:] {plain(line)}" for line in sentence.split("  \n")]
            st.markdown("  \n".join(lines))
        kept: int = getattr(self.settings, "held_out_rows", 0)
        if not name and kept:
            rows = f"{kept:,} rows of the data are" if kept > 1 else "1 row of the data is"
            st.caption(f"{rows} held out, as in the link: this lesson shows and trains the others.")
            st.button(
                "Use all rows",
                key="use_all_rows",
                type="tertiary",
                on_click=self.set,
                kwargs={"holdout": 0.0},
            )

    def _key(self, name: str) -> str:
        return f"{self.name}.{name}"

    def _draw(self, name: str) -> str:
        """The key of a widget that is about to be drawn, with its value under it."""
        key = self._key(name)
        # a write also where it is there already: Streamlit forgets what one run of the page did not draw
        STATE[key] = STATE[key] if key in STATE else self._shown(name)
        return key

    def _redraw(self) -> None:
        """Have every widget take its value from what is held."""
        for key in [str(key) for key in STATE if str(key).startswith(f"{self.name}.")]:
            STATE[key] = self._shown(key.removeprefix(f"{self.name}."))

    def _shown(self, name: str) -> Any:
        """What a widget holds: the text of a number, a choice itself."""
        held = self._held
        option = self.all_options.get(name)
        if option is None:
            value = getattr(held.settings, name)
            if isinstance(value, tuple):  # a start in numbers
                return ", ".join(map(shown, value))
            return shown(value) if isinstance(self.fields.get(name), Number) else value
        value = held.options[name]
        if isinstance(option, Several):
            return list(value)
        return value if isinstance(option, Choice | Flag) else option.typed(value)

    def _words(self, name: str) -> tuple[str, str]:
        if name in self.all_options:
            return self.all_options[name].title, self.all_options[name].help
        field = self.fields.get(name)
        if not isinstance(field, Number):
            return (field.title, field.help) if field else (name, "")
        narrowed: Any = self.only.get(name, (field.low, field.high))
        low, high = (field.low, field.high) if callable(narrowed) else narrowed
        return field.title, f"{field.help} Between {low:,.12g} and {high:,.12g}."

    def _typed(self, name: str) -> None:
        held, text = self._held, str(STATE[self._key(name)]).strip()
        held.touched = True
        try:
            if name in self.all_options:
                options = {**held.options, name: self.all_options[name].read(name, text)}
                self._take_over(held.settings, options)
            else:
                self._take_over(self._read(name, text), held.options)
        except ParameterError as error:
            kept = f" Using {self._shown(name)} instead."
            held.sentences[name] = str(error) + kept
        else:
            held.sentences.pop(name, None)

    def _read(self, name: str, text: str) -> S:
        """The settings with one field as typed."""
        text = divided(text) if isinstance(self.fields.get(name), Number | NamedOrNumbers) else text
        settings, sentences = type(self.usual).from_query({name: text}, fallback=self._held.settings)
        if sentences:
            raise ParameterError(name, sentences[0])
        return self._narrowed(settings)

    def _picked(self, name: str) -> None:
        held, value = self._held, STATE[self._key(name)]
        held.touched = True
        option = self.all_options.get(name)
        if isinstance(option, Several):
            if len(value) < option.at_least:
                held.sentences[name] = f"{name} must hold at least {option.at_least}. Got {len(value)}."
                STATE[self._key(name)] = self._shown(name)
            else:
                self.set(**{name: tuple(key for key in option.choices if key in value)})
        elif value is None:  # a segment that was pressed twice
            STATE[self._key(name)] = self._shown(name)
        elif name == "dataset":
            usual = (self.usual, *self.others)
            self.load(next(one for one in usual if getattr(one, "dataset", None) == value))
        elif name == "optimizer":
            own = OPTIMIZER_INFO[value].hyperparameters  # where the settings have them as fields
            self.set(optimizer=value, **{k: v for k, v in own.items() if hasattr(self.settings, k)})
        else:
            self.set(**{name: value})

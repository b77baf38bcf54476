"""A lesson's settings: a form with options of its own, a question before the run, and fields that it narrows. No torch."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Generic

import streamlit as st

from gd_core.settings.experiment_fields import FIELDS
from gd_core.settings.fields import (
    Choice,
    Field,
    Flag,
    Number,
    ParameterError,
    Several,
    quoted,
    short_enough,
    shown,
    written,
)
from gd_core.settings.rules import OPTIMIZER_INFO
from gd_core.settings.table_fields import needs_its_file
from gd_core.words import counted
from pages.ui.classroom import teaching
from pages.ui.look import navigation, projector
from pages.ui.look.look import plain
from pages.ui.settings.form import Form, Held, S, on_page

ASK = Flag(
    default=True, title="Ask me first", help="A question before each run. Off: every run starts at once."
)
NUMBERS = ("numbers",)  # what `only` says of a start that must be given in numbers
OF_A_CLASS = ("guess", "ask", projector.VIEW)  # in an address: what a room or a key decides during a class
UNSURE = "skip"  # the answer of someone who did not want to guess


@dataclass
class LessonHeld(Held[S], Generic[S]):
    """What a visitor's session keeps of a lesson.

    Attributes:
        options: The lesson's own settings, by name.
        guess: The answer given before the run, `UNSURE`, or None while the question stands.
        shown: Counts the settings and answers seen, so that the player knows a new run from the same one.
    """

    options: dict[str, Any] = field(default_factory=dict)
    guess: str | None = None
    shown: int = 0


class PageSettings(Form[S, LessonHeld[S]], Generic[S]):
    """One lesson's settings. A page makes it, opens it, and draws its widgets."""

    def __init__(
        self,
        page: str,
        usual: S,
        *,
        varies: Sequence[str],
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
            varies: Fields of the run that may be anything. What is neither here nor in `only`, such as a setting that is
                new to the lesson, must be as the lesson opens with it.
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
        self.all_options: dict[str, Field] = {**(options or {}), **({"ask": ASK} if guesses else {})}
        opening = {name: one.default for name, one in self.all_options.items()}
        super().__init__(page, usual, lambda: LessonHeld(usual, options=opening), fields)
        self.others = others
        self.only = only or {}
        self.fixed = [name for name in vars(usual) if name not in (*varies, *self.only)]
        self.guesses = (*guesses, UNSURE) if guesses else ()
        self.views = (*views, "ask")
        self.resets = resets or {}
        for one in (usual, *others):
            self._narrowed(one)

    # ------------------------------------------------------------------------------------------- open and read

    @property
    def _rate(self) -> float | None:
        """The run's learning rate, if it has one."""
        return None if "learning_rate" in self.views else getattr(self.settings, "learning_rate", None)

    @property
    def rate(self) -> str | None:
        """The run's learning rate as the page writes it, if it has one."""
        return None if self._rate is None else shown(self._rate)

    def _is_own(self, address: Mapping[str, str]) -> bool:
        """While a class is taught its room says whether the run is shown, its keys how large, and no address.

        Streamlit has a page run with the address that the browser last told of, which under load is that of before a step: to
        follow it would hide the run again, and play it a second time.
        """

        def run(query: Mapping[str, str]) -> dict[str, str]:
            of_all = {**self.usual.to_query(), **query}
            return {name: text for name, text in of_all.items() if name not in OF_A_CLASS}

        if super()._is_own(address):
            return True
        return teaching.is_open() and run(address) == run(self.held.address or {})

    def _may_teach(self) -> bool:
        return bool(self.guesses) and not teaching.is_open()

    def _keys(self) -> tuple[str | None, str]:
        following = navigation.following(self.name)
        if (rate := projector.taken_rate()) and self._rate is not None:
            self.set(learning_rate=rate)
            if sentence := self.held.sentences.pop("learning_rate", ""):
                st.toast(plain(self.words(sentence)))
        if projector.taken("teach") and self.guesses:
            teaching.open_room()
        if projector.taken("on"):
            st.switch_page(f"pages/{following}.py")
        return self.rate, navigation.LESSONS.get(following, "Train")

    def __getitem__(self, option: str) -> Any:
        """One of the lesson's own settings."""
        return self.held.options[option]

    @property
    def guess(self) -> str | None:
        """The answer that was given before the run, or None."""
        return self.held.guess

    @property
    def revealed(self) -> bool:
        """Whether the run may be shown: the question was answered or skipped, or there is none."""
        return not self.guesses or self.held.guess is not None or not self["ask"]

    @property
    def take(self) -> str:
        """Changes whenever there is another run to play."""
        return f"{self.name} {self.held.shown} {self.revealed}"

    # --------------------------------------------------------------------------------------------- for callbacks

    def set(self, **changes: Any) -> None:
        """Change fields of the run and options together; a bad value changes nothing and is said. For callbacks."""
        held = self.held
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
            held.typed.pop(name, None)

    def load(self, settings: S, **options: Any) -> None:
        """Set everything at once, the options not named staying as they are. For callbacks."""
        held = self.held
        held.touched = True
        self._take_over(settings, {**held.options, **options})
        for name in held.typed:
            held.sentences.pop(name, None)
        held.typed.clear()

    def answer(self, guess: str | None) -> None:
        """Answer the question, or with None ask it again. For callbacks."""
        held = self.held
        held.touched = True
        held.guess = guess
        held.shown += 1

    def words(self, sentence: str) -> str:
        return on_page(sentence, {**FIELDS, **self.fields, **self.all_options})

    def show(self, shown: bool) -> None:
        """Show the run, or ask before it, whether one wanted to be asked or not: a class is. For callbacks."""
        self.held.options["ask"] = True
        if shown != self.revealed:
            self.answer(UNSURE if shown else None)

    def _take_over(self, settings: S, options: dict[str, Any]) -> None:
        held = self.held
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

    def link(self) -> dict[str, str]:
        """The address of what is held, for whoever only wants to see the run."""
        query = {name: text for name, text in self._query().items() if name != "ask"}
        return {**query, "guess": UNSURE}

    def _follow(self, address: Mapping[str, str], sentences: list[str], *, entered: bool) -> bool:
        held = self.held
        held.shown += entered
        if gone := needs_its_file(getattr(held.settings, "table", "")):  # it was removed on the Train page
            self._take_over(self.usual, held.options)
            held.sentences[""] = gone
        came_back = entered and held.address is not None and self.is_bare(address)
        if came_back or address == held.address:
            return False
        usual = self.usual.to_query()
        known = {name for name in address if name in vars(self.usual)}
        dataset = {"dataset": usual["dataset"]} if "dataset" in usual else {}
        settings = self.usual
        if known:
            settings, own = type(self.usual).from_query({**dataset, **address})
            sentences += own
            settings = self._suited(settings, address, sentences)
        held.settings = settings
        for name, option in self.all_options.items():
            held.options[name] = option.default
            if name in address:
                try:
                    held.options[name] = option.read(name, short_enough(name, address[name]))
                except ParameterError as error:
                    sentences.append(str(error))
        guess = address.get("guess")
        held.guess = guess if guess in self.guesses else None
        held.sentences = {"": "  \n".join(sentences)} if sentences else {}
        held.shown += 1
        held.typed.clear()
        return True

    def _suited(self, settings: S, address: Mapping[str, str], sentences: list[str]) -> S:
        """A link's settings as this lesson can show them: what does not suit it takes the lesson's own value.

        Each value that stood in the link and is not used gets a sentence.
        """
        usual = self._opening(settings)
        own = {}
        for name in (*self.only, *self.fixed):
            try:
                self._narrowed(settings, name)
            except ParameterError as error:
                if name in address and not any(sentence.startswith(name) for sentence in sentences):
                    sentences.append(str(error))
                own[name] = getattr(usual, name)
        if getattr(usual, "dataset", None) != getattr(settings, "dataset", None):
            sentences.append("The lesson opens with its own settings.")
            return self.usual
        try:
            return replace(settings, **own)  # type: ignore[type-var]
        except ParameterError as error:
            sentences.append(str(error))
            return usual

    def _opening(self, settings: S) -> S:
        """What the lesson opens with on the same data set, or at all."""
        dataset = getattr(settings, "dataset", None)
        all_ = (self.usual, *self.others)
        return next((one for one in all_ if getattr(one, "dataset", None) == dataset), self.usual)

    def _query(self) -> dict[str, str]:
        held = self.held
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
        opens = {name: (getattr(self._opening(settings), name),) for name in self.fixed}
        rules: dict[str, Any] = {**opens, **self.only}
        for name, allowed in rules.items():
            if names and name not in names:
                continue
            value = getattr(settings, name)
            if callable(allowed):
                sentence: Any = allowed(settings)
                if sentence:
                    raise ParameterError(name, sentence)
                continue
            if allowed == NUMBERS:
                if not isinstance(value, tuple):
                    raise ParameterError(name, f"{name} must be in numbers in this lesson. Got {value}.")
            elif name in self.only and len(allowed) == 2 and not isinstance(allowed[0], str):
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

    def segments(
        self, name: str, titles: Mapping[Any, str] | None = None, *, label: str = "", hidden: bool = False
    ) -> None:
        """A row of choices, all in sight; several may be on where the option is `Several`."""
        option = self.all_options.get(name)
        titles = titles or (option.choices if isinstance(option, Choice | Several) else {})
        title, hint = self._words(name)
        several = isinstance(option, Several)
        self.draw(
            st.pills if several else st.segmented_control,
            name,
            label or title,
            options=list(titles),
            format_func=lambda one: titles[one],
            selection_mode="multi" if several else "single",
            label_visibility="collapsed" if hidden else "visible",
            help=None if hidden else hint or None,
        )
        self.complaint(name)

    def complaint(self, name: str = "") -> None:
        """The sentence about a bad value; without a name, about the link, and about rows that it holds out."""
        super().complaint(name)
        kept: int = getattr(self.settings, "held_out_rows", 0)
        if not name and kept:
            rows = f"{counted(kept, 'row')} of the data are" if kept > 1 else "1 row of the data is"
            st.caption(f"{rows} held out, as in the link: this lesson shows and trains the others.")
            st.button(
                "Use all rows",
                key="use_all_rows",
                type="tertiary",
                on_click=self.set,
                kwargs={"holdout": 0.0},
            )

    def _shown(self, name: str) -> Any:
        option = self.all_options.get(name)
        if option is None:
            return super()._shown(name)
        value = self[name]
        if isinstance(option, Several):
            return list(value)
        return value if isinstance(option, Choice | Flag) else option.typed(value)

    def _words(self, name: str) -> tuple[str, str]:
        option = self.all_options.get(name)
        return (option.title, option.help) if option else super()._words(name)

    def _range(self, name: str, field: Number) -> tuple[float, float]:
        narrowed: Any = self.only.get(name)
        return super()._range(name, field) if narrowed is None or callable(narrowed) else narrowed

    def type(self, name: str, text: str) -> None:
        held = self.held
        held.touched = True
        held.typed[name] = text
        try:
            text = short_enough(name, text)
            if name in self.all_options:
                option = self.all_options[name]
                options = {**held.options, name: option.read(name, option.typed_in(text.strip()))}
                self._take_over(held.settings, options)
            else:
                self._take_over(self._read(name, text.strip()), held.options)
        except ParameterError as error:
            held.sentences[name] = f"{error} Using {self._shown(name)} instead."
        else:
            held.sentences.pop(name, None)

    def _read(self, name: str, text: str) -> S:
        """The settings with one field as typed."""
        text = self.fields[name].typed_in(text) if name in self.fields else text
        settings, sentences = type(self.usual).from_query({name: text}, fallback=self.settings)
        if sentences:
            raise ParameterError(name, sentences[0])
        return self._narrowed(settings)

    def pick(self, name: str, value: Any) -> None:
        option = self.all_options.get(name)
        if isinstance(option, Several):
            if len(value) < option.at_least:
                self.refuse(name, f"{name} must hold at least {option.at_least}. Got {len(value)}.")
            else:
                self.set(**{name: tuple(key for key in option.choices if key in value)})
        elif name == "dataset":
            usual = (self.usual, *self.others)
            self.load(next(one for one in usual if getattr(one, "dataset", None) == value))
        elif name == "optimizer":
            own = OPTIMIZER_INFO[value].hyperparameters  # where the settings have them as fields
            self.set(optimizer=value, **{k: v for k, v in own.items() if hasattr(self.settings, k)})
        else:
            super().pick(name, value)

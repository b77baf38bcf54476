"""Train's settings: an `Experiment`, held to the task that is open, and what its address says beside it. No torch.

A lesson takes a change over or leaves it; Train takes each field for itself. A text that breaks its rule stays in its field
with a sentence, is read again at the next change, and meanwhile the last good value counts.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import streamlit as st

from gd_core.settings import schedules
from gd_core.settings.examples import EXAMPLES, OPENING, Example
from gd_core.settings.experiment import Experiment, defaults, is_knob
from gd_core.settings.experiment_fields import FIELDS, HYPERPARAMETERS, LEARNING_RATE
from gd_core.settings.fields import Choice, Number, one_number, shown, written
from gd_core.settings.table_fields import DATASET, TABLE_FIELDS, needs_its_file, own_names, table_at_hand
from gd_core.settings.task import Task
from pages.ui.look import map_axes, projector
from pages.ui.settings.form import Form, Held
from pages.ui.train import pins, task

NUMBERS = "numbers"  # the start that is typed, and the field for it
OF_THE_RUN = {name: field for name, field in FIELDS.items() if name not in TABLE_FIELDS}
NUMBERED = [name for name, field in OF_THE_RUN.items() if isinstance(field, Number)]
CHOICES = [name for name, field in OF_THE_RUN.items() if isinstance(field, Choice)]
OF_SCHEDULE = "schedule."  # of the fields for a schedule's numbers
TEXTS = (*NUMBERED, "start", "schedule")  # fields in which a bad text stays
MENU = "examples"
MORE_KEY = "settings"  # of the part of the side bar that is closed at first, in the address too,
AS_IT_WAS = "more"  # which called it so in older links: in a lesson's that is another thing
# what stands in it: all but what a first run is about, and what has a place of its own
MORE = [name for name in OF_THE_RUN if name not in ("dataset", "learning_rate", "epochs", "before")]
STATE = st.session_state


@dataclass
class TrainHeld(Held[Experiment]):
    """What a visitor's session keeps of Train.

    Attributes:
        axes: The landscape's two parameters that were chosen, by number; not always such as the experiment has.
        numbers: The start that was last in numbers, as text.
        said: The fields whose sentences this run of the page has shown.
        pressed: The button that acts when the side bar has been read.
        wanted: The address that waits for its table's file.
        instead: What is shown until that file is there.
        more: Whether "More settings" is open.
    """

    axes: map_axes.Axes | None = None
    numbers: str = ""
    said: set[str] = field(default_factory=set)
    pressed: str | None = None
    wanted: dict[str, str] | None = None
    instead: Experiment | None = None
    more: bool = False


class TrainSettings(Form[Experiment, TrainHeld]):
    """The one form of Train."""

    def __init__(self) -> None:
        super().__init__("train", OPENING.experiment, lambda: TrainHeld(OPENING.experiment))
        self.prefix = "w_"

    # --------------------------------------------------------------------------------------------------- the address

    def open(self) -> Self:
        held = self.held
        held.said.clear()
        # A press of it has come in, or it was away with the page.
        held.more = bool(STATE.get(MORE_KEY, held.more))
        held.touched |= held.pressed is not None
        if held.touched:
            task.forget_the_sentences()
        return super().open()

    def _follow(self, address: Mapping[str, str], sentences: list[str], *, entered: bool) -> bool:
        held = self.held
        last = held.address or {}
        asked = [address.get(name) for name in (MORE_KEY, AS_IT_WAS)]
        if entered and self.is_bare(address):
            # the navigation drops the settings: they are as they were left, but runs may have been pinned elsewhere
            address = {name: text for name, text in last.items() if name != "pins"}
        self._open_more("open" in (*asked, address.get(MORE_KEY)))
        address = {name: text for name, text in address.items() if name not in (MORE_KEY, AS_IT_WAS)}
        experiment, own = task.follow(address), []
        if waits_for := task.waits_for():
            experiment, address = Experiment.default(DATASET), {**address, "table": waits_for}
        if experiment is None:  # no task, or a broken one: the address says the settings themselves
            address = {name: text for name, text in address.items() if name not in ("task", "result")}
            experiment, own = (self.usual, []) if self.is_bare(address) else Experiment.from_query(address)
        held.wanted = None
        if experiment.dataset == DATASET and needs_its_file(address.get("table", "")):
            held.wanted, held.instead = dict(address), experiment
            own = []  # the table's own stands until the file is there
        held.numbers = ""
        self.load(experiment)
        for sentence in (*own, *pins.follow(address, {} if entered else last), *sentences):
            self._tell(sentence)
        parameters = experiment.info.parameters
        names = address.get("axes", "").split(",", 2)
        pair = [parameters.index(name) for name in names] if set(names) <= set(parameters) else []
        held.axes = (pair[0], pair[1]) if map_axes.fits(pair, len(parameters)) else None
        return True

    def _query(self) -> dict[str, str]:
        experiment = self.settings
        if self.held.wanted and experiment == self.held.instead:
            return st.query_params.to_dict()  # the link stays as it is until its file is there
        query = task.query(experiment)
        if axes := self.axes_of(experiment):
            query["axes"] = ",".join(experiment.info.parameters[i] for i in axes)
        return query if task.current() else query | pins.on_train()

    def is_bare(self, address: Mapping[str, str]) -> bool:
        return super().is_bare(
            {name: text for name, text in address.items() if name not in (MORE_KEY, AS_IT_WAS)}
        )

    def _look(self) -> dict[str, str]:
        asked = self.held.more and not task.current() and not uses_more(self.settings)
        return super()._look() | ({MORE_KEY: "open"} if asked else {})

    def axes_of(self, experiment: Experiment) -> map_axes.Axes | None:
        """The landscape's two parameters by number, where they were chosen."""
        if self.held.axes and not map_axes.fits(self.held.axes, len(experiment.info.parameters)):
            self.held.axes = None
        return self.held.axes

    # ------------------------------------------------------------------------------------------------- for callbacks

    def load(self, experiment: Experiment) -> None:
        """Set everything at once. For callbacks."""
        held = self.held
        held.touched = True
        held.settings = experiment
        held.typed.clear()
        held.sentences = {name: said for name, said in held.sentences.items() if not name}
        if isinstance(experiment.start, tuple):
            held.numbers = self.field(NUMBERS)
        self._open_more(held.more or uses_more(experiment))
        if task.current():
            self._read()

    def _open_more(self, more: bool) -> None:
        self.held.more = STATE[MORE_KEY] = more

    def load_example(self, example: Example) -> None:
        """Set everything to an example. For callbacks."""
        self.load(example.experiment)
        self.held.axes = None
        STATE[MENU] = False  # or the menu would cover Train

    def set(self, **changes: Any) -> None:
        for name in changes:
            self.held.typed.pop(name, None)
        self._read(**{name: FIELDS[name].write(value) for name, value in changes.items()})

    def put(self, **fields: Any) -> None:
        """Have fields hold what is not taken over yet. For callbacks."""
        self.held.touched = True
        self.held.typed |= fields

    def type(self, name: str, text: str) -> None:
        if name.startswith(OF_SCHEDULE):
            parts = self._schedule
            parts[1 + int(name.removeprefix(OF_SCHEDULE))] = one_number(text)
            name, text = "schedule", ":".join(parts)
        self.put(**{name: text})
        if name == "start":
            self.held.numbers = text
        self._read()

    def pick(self, name: str, value: Any) -> None:
        if name == "start" and value == NUMBERS:
            self.type("start", self.held.numbers or ", ".join("0" for _ in self.settings.info.parameters))
        elif name == "optimizer":
            usual = defaults(self.settings.dataset, value)
            self.set(optimizer=value, **{one: usual[one] for one in HYPERPARAMETERS})
        elif name == "schedule":
            self.set(schedule=schedules.usual(value))
        else:
            super().pick(name, value)

    @property
    def _schedule(self) -> list[str]:
        """The schedule's name and its numbers, as they stand in its fields."""
        return [*self.held.typed.get("schedule", self.settings.schedule).split(":")]

    def tell(self, sentence: str, name: str = "") -> None:
        """Say something under a field, or above them all, in the next run of the page. For callbacks."""
        self.held.touched = True
        said = self.held.sentences
        said[name] = f"{said[name]}  \n{sentence}" if name in said else sentence

    def _read(self, **texts: str) -> None:
        """Take over what stands in the fields, and these texts for others."""
        held, good = self.held, self.settings
        held.touched = True
        typed = {name: text.strip() for name, text in held.typed.items() if name in TEXTS}
        texts = {name: FIELDS[name].typed_in(text) for name, text in typed.items()} | texts
        if now := task.current():
            texts |= self._fixed(now, texts)
        held.settings, sentences = Experiment.from_query(texts, fallback=good)
        held.sentences = {name: said for name, said in held.sentences.items() if not name}
        for sentence in sentences:
            name = self._tell(sentence, "Train waits; the page stays at {}.")
            if name in TEXTS:
                held.typed.setdefault(name, texts.get(name, written(getattr(good, name))))

    def _fixed(self, now: Task, texts: Mapping[str, str]) -> dict[str, str]:
        """What a task does not leave free, as the teacher set it for what was chosen of what is free."""
        chosen = {name: texts.get(name, getattr(self.settings, name)) for name in CHOICES if name in now.free}
        given = now.opened(chosen)[0]
        fixed = [name for name in FIELDS if name not in now.free and is_knob(name, given.dataset)]
        return {name: given.as_text(name) for name in fixed}

    # ---------------------------------------------------------------------------------------------------- the widgets

    def draw(self, widget: Callable[..., Any], name: str, label: str, **arguments: Any) -> None:
        """The same, where the open task does not hide or lock it; of a table's fields and the start's numbers others ask."""
        if name in FIELDS and name not in TABLE_FIELDS:
            if task.hidden(name):
                return
            if task.locked(name):
                arguments |= {"disabled": True, "help": f"{task.LOCKED} {arguments.get('help') or ''}"}
        super().draw(widget, name, label, **arguments)

    def field(self, name: str) -> Any:
        if name == "start" and ("start" in self.held.typed or isinstance(self.settings.start, tuple)):
            return NUMBERS
        if name == "schedule":
            return self._schedule[0]
        if name.startswith(OF_SCHEDULE):
            return self._schedule[1 + int(name.removeprefix(OF_SCHEDULE))].removesuffix(".0")
        return super().field("start" if name == NUMBERS else name)

    def _shown(self, name: str) -> Any:
        if name == "features":  # words and dates under the one name that they have in the file
            return own_names(self.settings.features, table_at_hand(self.settings.table))
        return self.settings.degree if name == "degree" else super()._shown(name)  # chosen, not typed

    def complaint(self, name: str = "") -> None:
        """Nothing under the field itself: several stand in a row, and `say` has its place under that."""

    def say(self, *names: str) -> None:
        """The sentences about these fields, or all that this run of the page has not said yet.

        One is said once, or for as long as its text stands in the field.
        """
        held = self.held
        for name in [one for one in held.sentences if one in (names or held.sentences.keys() - held.said)]:
            super().complaint(name)
            held.said.add(name)
            if name not in held.typed:
                self.accept(name)

    @property
    def waits_for(self) -> list[str]:
        """The sentences about texts that stand in fields and are not taken over: what would be trained is not what one reads."""
        held = self.held
        return [said for name, said in held.sentences.items() if name in TEXTS and name in held.typed]

    def _tell(self, sentence: str, then: str = "Using {} instead.") -> str:
        """Keep a sentence under the field that it is about, which it returns."""
        name = next((one for one in FIELDS if sentence.startswith(one)), "")
        if name in NUMBERED:
            sentence += " " + then.format(shown(getattr(self.settings, name)))
        self.tell(sentence, name)
        return name

    # -------------------------------------------------------------------------------------- the keys of the projector

    @property
    def _next(self) -> Example:
        """The example after the one that the settings are, or the first."""
        numbers = [number for number, example in enumerate(EXAMPLES) if example.experiment == self.settings]
        return EXAMPLES[(numbers[0] + 1) % len(EXAMPLES) if numbers else 0]

    def _keys(self) -> tuple[str | None, str]:
        if wanted := projector.taken_rate():
            field = LEARNING_RATE
            if field.low <= wanted <= field.high:
                self.set(learning_rate=wanted)
            else:
                st.toast(f"The learning rate must be between {field.low:,.12g} and {field.high:,.12g}.")
        if projector.taken("on") and task.current() is None:
            example = self._next
            self.load_example(example)
            st.toast(f"**{example.title}**: {example.reason}")
        rate = shown(self.settings.learning_rate) if task.free("learning_rate") else None
        return rate, self._next.title


def has_switch(name: str, experiment: Experiment) -> bool:
    """Whether the side bar has the switch of a convention that tables are fitted by: theirs, and where it is not as usual."""
    return experiment.dataset == DATASET or getattr(experiment, name) != getattr(Experiment, name)


def uses_more(experiment: Experiment) -> bool:
    """Whether an experiment has something under "More settings" that is not as its data set opens, or a task leaves it free."""
    inside = [name for name in MORE if is_knob(name, experiment.dataset)]
    if task.current():
        return task.result() is None and any(map(task.free, inside))
    opening = OPENING.experiment
    usual = opening if experiment.dataset == opening.dataset else Experiment.default(experiment.dataset)
    as_opened = ("scale_features", "scale_target", "intercept") if experiment.dataset == DATASET else ()
    return any(getattr(experiment, name) != getattr(usual, name) for name in inside if name not in as_opened)


page = TrainSettings()

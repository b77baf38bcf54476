"""A task for a class, and what a student hands in. Each is a link: no account, and nothing kept on a server. No torch.

A task fixes the teacher's settings but for those that it leaves free. Whatever else an address or a result claims,
`Task.opened` puts the teacher's value in its place.
"""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, NamedTuple, Self

from gd_core.settings.checked_link import pack, unpack
from gd_core.settings.experiment import Experiment
from gd_core.settings.experiment_fields import FIELDS, HYPERPARAMETERS, MAX_UPDATES, Phase
from gd_core.settings.fields import ParameterError, quoted
from gd_core.settings.rules import OPTIMIZER_INFO
from gd_core.settings.table_fields import needs_its_file
from gd_core.words import counted

LONGEST_TEXT, LONGEST_QUESTION, LONGEST_ANSWER = 1000, 300, 1000  # characters
LARGEST_RMSE = 1e12
THEORY = "theory"  # the rate's zones, best rates and what stands below the charts: not a setting, but it gives answers
CONTROLS = (*FIELDS, THEORY)
ALL = "*"  # in a link: all of them are free, or all others locked, those of a later lab too


class Access(StrEnum):
    """What a student may do with a control."""

    FREE = "free"
    LOCKED = "locked"
    HIDDEN = "hidden"


IN_WORDS = {  # how a page names what a task and a result consist of, at the head of a sentence
    "text": "What to do",
    "question": "The question",
    "target": "The target",
    "within": "Its number of epochs",
    "free": "What is free",
    "locked": "What is locked",
    "lab": "The way to the whole lab",
    "answer": "Your answer",
    "stopped_at": "The epoch at which it was stopped",
    "task": "The task",
    "result": "The result",
    "before": "Continue from here",
}


class Preset(NamedTuple):
    """A usual choice: what is free and what is locked; the rest is hidden."""

    title: str
    free: tuple[str, ...]
    locked: tuple[str, ...]


PRESETS: Mapping[str, Preset] = {
    "rate": Preset("Only the learning rate", ("learning_rate",), ("dataset", "optimizer", "epochs")),
    "everything": Preset("Everything", CONTROLS, ()),
    "look": Preset("Look, don’t touch", (THEORY,), tuple(name for name in FIELDS if name != "before")),
}


class Target(NamedTuple):
    """RMSE below `rmse`, within so many epochs; None stands for all that the run has."""

    rmse: float
    within: int | None = None


@dataclass(frozen=True, kw_only=True)
class Task:
    """What a teacher hands out.

    Attributes:
        experiment: The teacher's settings.
        free: Controls that the student may change, in the order of `CONTROLS`.
        locked: Controls that the student sees and may not change. All others are hidden.
        text: What is to be done, as plain text.
        question: Asked for an answer in words, as plain text.
        target: When the task is done, if it says so.
        lab: Whether the student may leave it for the whole lab, where nothing is locked or hidden.

    Raises:
        ParameterError: If a field breaks its rule, in one sentence.
    """

    experiment: Experiment
    free: tuple[str, ...] = ()
    locked: tuple[str, ...] = ()
    text: str = ""
    question: str = ""
    target: Target | None = None
    lab: bool = False

    def __post_init__(self) -> None:
        for name in ("free", "locked"):
            _check_controls(name, getattr(self, name))
        twice = sorted(set(self.free) & set(self.locked))
        if twice:
            raise ParameterError("locked", f"locked must not hold what is free. Got {quoted(twice[0])}.")
        _check_words("text", self.text, LONGEST_TEXT)
        _check_words("question", self.question, LONGEST_QUESTION)
        if self.target:
            _check_target(self.target)
        if not isinstance(self.lab, bool):
            raise ParameterError("lab", f"lab must be true or false. Got {quoted(self.lab)}.")

    @classmethod
    def with_access(cls, access: Mapping[str, Access], **fields: Any) -> Self:
        """A task from what may be done with each control."""
        free, locked = (
            tuple(name for name in CONTROLS if access.get(name) is kind)
            for kind in (Access.FREE, Access.LOCKED)
        )
        return cls(free=free, locked=locked, **fields)

    def access(self, name: str) -> Access:
        """What the student may do with a control."""
        if name in self.free:
            return Access.FREE
        return Access.LOCKED if name in self.locked else Access.HIDDEN

    def opened(self, query: Mapping[str, str]) -> tuple[Experiment, list[str]]:
        """The task with the student's own values.

        Args:
            query: Field names and texts, as in an address. What is not free is not used; unknown names are ignored.

        Returns:
            The experiment, and one sentence for each value that was not used.
        """
        sentences = [
            f"{name} is {'locked' if name in self.locked else 'fixed'} in this task: the value in the address is not used. "
            f"Got {quoted(query[name])}."
            for name in FIELDS
            if name in query and name not in self.free
        ]
        theirs = {name: self.experiment.as_text(name) for name in FIELDS}
        mine = {name: query[name] for name in FIELDS if name in query and name in self.free}
        experiment, said = Experiment.from_query(theirs | mine, fallback=self.experiment)
        experiment = self._held(experiment)
        # where a locked value does not fit a free one, such as three numbers to start at and one parameter,
        # the data set's own is taken without a word: the student did not choose it
        sentences += [sentence for sentence in said if any(sentence.startswith(name) for name in mine)]
        if "before" in mine and (broken := self._broken_phase(experiment)):
            sentences.append(broken)
            experiment, _ = self.opened({name: text for name, text in mine.items() if name != "before"})
        return experiment, sentences

    def _held(self, experiment: Experiment) -> Experiment:
        """The same with the teacher's values: a table that is not at hand opens with nothing but its own."""
        for name in FIELDS:
            fixed = getattr(self.experiment, name)
            if name not in self.free and getattr(experiment, name) != fixed:
                with suppress(ParameterError):
                    experiment = replace(experiment, **{name: fixed})
        return experiment

    def bound(self, wanted: Experiment) -> Experiment:
        """An experiment with the teacher's value in every field that is not free."""
        return self.opened({name: wanted.as_text(name) for name in self._free_fields})[0]

    def changes(self, experiment: Experiment) -> dict[str, str]:
        """What the student has changed, as texts; `opened` reads it."""
        return {
            name: experiment.as_text(name)
            for name in self._free_fields
            if getattr(experiment, name) != getattr(self.experiment, name)
        }

    @property
    def _free_fields(self) -> tuple[str, ...]:
        return tuple(name for name in FIELDS if name in self.free)

    def _broken_phase(self, experiment: Experiment) -> str | None:
        """The sentence about an earlier part of a run with settings that the student could not have made."""
        given = {phase._replace(epochs=1) for phase in self.experiment.before}
        for phase in experiment.before:
            if phase._replace(epochs=1) in given:
                continue
            others = set(HYPERPARAMETERS) - set(OPTIMIZER_INFO[phase.optimizer].hyperparameters)
            for name in (name for name in Phase._fields if name != "epochs" and name not in others):
                if name not in self.free and getattr(phase, name) != getattr(experiment, name):
                    fixed, used = (FIELDS[name].write(getattr(one, name)) for one in (experiment, phase))
                    return f"before must keep {name} at {fixed} in this task. Got {used}."
        return None

    def to_text(self) -> str:
        """The link's text: what differs from the defaults, compressed, with a checksum."""
        return pack("task", self._data())

    @classmethod
    def from_text(cls, text: str) -> Self:
        """The inverse of `to_text`.

        Raises:
            ParameterError: If the link was tampered with, or holds what no dialog makes.
        """
        return cls._from_data(unpack("task", text))

    def _data(self) -> dict[str, Any]:
        rmse, within = self.target or (None, None)
        data = {
            "e": self.experiment.to_query(),
            "f": ALL if self.free == CONTROLS else ",".join(self.free),
            "l": ALL
            if self.locked and len(self.free) + len(self.locked) == len(CONTROLS)
            else ",".join(self.locked),
            "t": self.text,
            "q": self.question,
            "r": rmse,
            "n": within,
            "o": self.lab or None,
        }
        return {key: value for key, value in data.items() if value not in ("", None)}

    @classmethod
    def _from_data(cls, data: Mapping[str, Any]) -> Self:
        experiment, sentences = Experiment.from_query(_texts("task", data.get("e", {})))
        if sentences:
            raise ParameterError("task", f"task must hold settings as they are allowed: {sentences[0]}")
        free, locked = (
            tuple(filter(None, _text(data, name[0], name).split(","))) for name in ("free", "locked")
        )
        if free == (ALL,):
            free = CONTROLS
        if locked == (ALL,):
            locked = tuple(name for name in CONTROLS if name not in free)
        return cls(
            experiment=experiment,
            free=free,
            locked=locked,
            text=_text(data, "t", "text"),
            question=_text(data, "q", "question"),
            target=Target(data["r"], data.get("n")) if "r" in data else None,
            lab=data.get("o", False),
        )


@dataclass(frozen=True, kw_only=True)
class Result:
    """What a student hands in: the task, the settings of the run, and an answer. Its numbers are trained again.

    Attributes:
        task: The task as it was opened.
        experiment: What was trained.
        answer: To the task's question, as plain text.
        stopped_at: The epoch at which the student stopped the run by hand, or None.

    Raises:
        ParameterError: If a field breaks its rule, or the experiment the task's.
    """

    task: Task
    experiment: Experiment
    answer: str = ""
    stopped_at: int | None = None

    def __post_init__(self) -> None:
        bound = self.task.bound(self.experiment)
        for name in FIELDS:
            fixed, used = getattr(bound, name), getattr(self.experiment, name)
            if fixed != used:
                fixed, used = bound.as_text(name), self.experiment.as_text(name)
                raise ParameterError(name, f"{name} must be {fixed} in this task. Got {quoted(used)}.")
        _check_words("answer", self.answer, LONGEST_ANSWER)
        if self.answer and not self.task.question:
            raise ParameterError(
                "answer", f"answer must be empty: the task has no question. Got {quoted(self.answer)}."
            )
        last = self.experiment.total_epochs
        if self.stopped_at is not None and not (_is_whole(self.stopped_at) and 1 <= self.stopped_at <= last):
            rule = f"stopped_at must be a whole number between 1 and {last:,}."
            raise ParameterError("stopped_at", f"{rule} Got {quoted(self.stopped_at)}.")

    @property
    def ran(self) -> Experiment:
        """The experiment that ends where the student's run did."""
        return self.experiment if self.stopped_at is None else ending_at(self.experiment, self.stopped_at)

    def to_text(self) -> str:
        """The link's text, with the whole task in it."""
        data = {
            "k": self.task._data(),
            "c": self.task.changes(self.experiment),
            "a": self.answer,
            "s": self.stopped_at,
        }
        return pack("result", {key: value for key, value in data.items() if value not in ("", None, {})})

    @classmethod
    def from_text(cls, text: str) -> Self:
        """The inverse of `to_text`.

        Raises:
            ParameterError: If the link was tampered with, or claims what the task does not allow.
        """
        data = unpack("result", text)
        kept = data.get("k")
        if not isinstance(kept, dict):
            raise ParameterError("result", f"result must hold its task. Got {quoted(kept)}.")
        task = Task._from_data(kept)
        experiment, sentences = task.opened(_texts("result", data.get("c", {})))
        if sentences:
            raise ParameterError("result", f"result must keep to its task: {sentences[0]}")
        return cls(
            task=task, experiment=experiment, answer=_text(data, "a", "answer"), stopped_at=data.get("s")
        )


class Opened(NamedTuple):
    """What an address leads to. Without a task it is the plain Train page, and `experiment` is None."""

    task: Task | None = None
    result: Result | None = None
    experiment: Experiment | None = None
    sentences: tuple[str, ...] = ()


def open_address(address: Mapping[str, str]) -> Opened:
    """The task or the result in an address. Never raises: what cannot be opened gets a sentence, and opens nothing."""
    try:
        if "result" in address:
            result = Result.from_text(address["result"])
            # everything that there was to choose is shown, and nothing can be changed
            shown = replace(result.task, experiment=result.ran, free=(THEORY,), locked=tuple(FIELDS))
            experiment, sentences = shown.opened(address)
            return Opened(shown, result, experiment, tuple(sentences))
        if "task" in address:
            task = Task.from_text(address["task"])
            experiment, sentences = task.opened(address)
            return Opened(task, None, experiment, tuple(sentences))
    except ParameterError as error:
        return Opened(sentences=(str(error),))
    return Opened()


def table_it_needs(address: Mapping[str, str]) -> str | None:
    """The key of the table that the task or the result in an address waits for, or None if nothing is missing."""
    for kind in ("result", "task"):
        if kind in address:
            with suppress(ParameterError, AttributeError, TypeError, KeyError):  # `open_address` has said it
                data = unpack(kind, address[kind])
                key = data.get("k", data)["e"].get("table", "")
                return key if needs_its_file(key) else None
    return None


def ending_at(experiment: Experiment, epoch: int) -> Experiment:
    """The same run up to an epoch and no further, whichever of its phases that is in."""
    left = epoch
    for number, phase in enumerate(experiment.phases):
        if left <= phase.epochs:
            fields = phase._replace(epochs=left)._asdict()
            if number < len(experiment.before):  # no earlier part stops by them
                fields |= {"tolerance": 0.0, "patience": 0}
            return replace(experiment, before=experiment.before[:number], **fields)
        left -= phase.epochs
    raise ParameterError(
        "epoch", f"epoch must be at most the {experiment.total_epochs:,} of the run. Got {epoch:,}."
    )


def _check_controls(field: str, names: Iterable[str]) -> None:
    for name in names:
        if name not in CONTROLS:
            raise ParameterError(field, f"{field} must hold names of controls. Got {quoted(name)}.")
    if list(names) != sorted(set(names), key=CONTROLS.index):
        raise ParameterError(
            field, f"{field} must name each control once, in order. Got {quoted(','.join(names))}."
        )


def _check_words(field: str, text: str, longest: int) -> None:
    if len(text) > longest:
        raise ParameterError(
            field, f"{field} must be at most {counted(longest, 'character')}. Got {len(text):,}."
        )
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ParameterError(
            field, f"{field} must be text. Got half a character, {ascii(text)[:20]}."
        ) from None


def _check_target(target: Target) -> None:
    rmse, within = target
    number = isinstance(rmse, int | float) and not isinstance(rmse, bool)
    if not number or not 0 < rmse <= LARGEST_RMSE:  # of nan, inf and whole numbers of any length, too
        rule = f"target must be an RMSE above 0 and at most {LARGEST_RMSE:g}."
        raise ParameterError("target", f"{rule} Got {quoted(rmse)}.")
    if within is not None and not (_is_whole(within) and 1 <= within <= MAX_UPDATES):
        rule = f"within must be a whole number of epochs between 1 and {MAX_UPDATES:,}."
        raise ParameterError("within", f"{rule} Got {quoted(within)}.")


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _text(data: Mapping[str, Any], key: str, name: str) -> str:
    value = data.get(key, "")
    if not isinstance(value, str):
        raise ParameterError(name, f"{name} must be text. Got {quoted(value)}.")
    return value


def _texts(kind: str, data: Any) -> dict[str, str]:
    if not isinstance(data, dict) or not all(isinstance(value, str) for value in data.values()):
        raise ParameterError(kind, f"{kind} must hold names and texts. Got {quoted(data)}.")
    return data

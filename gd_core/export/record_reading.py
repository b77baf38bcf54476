"""A record as it is read: once, at the door, against its schema, by whoever goes on from one or makes its run again.

Records of older formats are read as well: what they say stands in other places. No torch.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from gd_core.export.schema import checker
from gd_core.settings.engines import LOOP, SPECTRUM
from gd_core.settings.experiment import Experiment, defaults, problem_with
from gd_core.settings.experiment_fields import FIELDS
from gd_core.settings.fields import ParameterError, quoted

FORMAT = "Gradient Descent Lab, record 2"
FORMAT_1 = "Gradient Descent Lab, record 1"  # of runs whose rows are held,
STREAMED_1 = "Gradient Descent Lab, large record 1"  # and of those that are streamed
LARGEST = 20_000_000  # bytes; a record is a few thousand, and what --json prints may be read as well
SCHEMA = Path(__file__).with_name("record_schema.json")


def read(path: str, flag: str, *, streamed: bool) -> dict[str, Any]:
    """The record in a file.

    Args:
        path: Its name.
        flag: What named it, for a sentence.
        streamed: Whether the run must be one that reads its table in pieces, or one that does not.

    Raises:
        ValueError: If it is none, or too large, in one sentence.
    """
    try:
        with Path(path).open("rb") as file:
            text = file.read(LARGEST + 1)
    except OSError as error:
        raise ValueError(f"{flag} must be a file that can be read. Got {path}: {error.strerror}.") from None
    if len(text) > LARGEST:
        raise ValueError(
            f"{flag} must be a record of at most {LARGEST:,} bytes. Got {path}, which is larger."
        )
    record = parsed(text.decode("utf-8", errors="replace"), "resume" if streamed else "record")
    if streamed and record.get("resume") is None:
        raise ValueError(
            f"{flag} must be the record of a table that is read in pieces. Got {path}: make its run again with --from."
        )
    if not streamed and record.get("resume") is not None:
        raise ValueError(
            f"{flag} must be the record of a run that fits a page. Got {path}: go on from it with --resume."
        )
    if streamed:
        _check(record, "streamed", "resume")
    return record


def _check(record: dict[str, Any], part: str, name: str) -> None:
    if broken := _checks()[part](record):
        raise ValueError(str(broken if broken.path else broken.inside(name)))


@cache
def _checks() -> Mapping[str, Any]:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    return {"record": checker(schema), "streamed": checker(schema["$defs"]["streamed"], schema)}


def experiment_of(text: str) -> Experiment:
    """The experiment of a record.

    Raises:
        ValueError: If the text is no record, or its experiment breaks a rule; in one sentence.
    """
    return experiment_in(parsed(text))


def parsed(text: str, name: str = "record") -> dict[str, Any]:
    """The record that a text is, as one of today.

    Args:
        text: JSON.
        name: What it is called in a sentence.

    Raises:
        ValueError: If it is none, in one sentence.
    """

    def refuse(constant: str) -> float:
        raise ValueError(constant)

    try:
        record = json.loads(text.removeprefix("\ufeff"), parse_constant=refuse)
    except (ValueError, RecursionError):
        record = None
    if not isinstance(record, dict):
        raise ValueError(f"{name} must be a JSON record of a run. Got {quoted(text[:200])}.")
    if "\\ud" in text.lower():
        _refuse_halves(record, name)
    record = _renewed(record)
    if record.get("format") != FORMAT:
        got = quoted(record["format"]) if isinstance(record.get("format"), (str, int)) else "none"
        raise ValueError(f"{name} must be a record of the format “{FORMAT}”, or an older one. Got {got}.")
    _check(record, "record", name)
    for one in record["experiment"]:
        if one not in FIELDS:
            raise ValueError(f"experiment must hold fields that this lab knows. Got {quoted(one)}.")
    return record


def _refuse_halves(record: dict[str, Any], name: str) -> None:
    """Refuse half of a surrogate pair, which no file can hold."""
    whole = json.dumps(record, ensure_ascii=False)
    try:
        whole.encode()
    except UnicodeEncodeError as error:
        near = ascii(whole[max(0, error.start - 20) : error.end + 5])
        raise ValueError(f"{name} must hold whole letters. Got half of one in {near}.") from None


def _renewed(record: dict[str, Any]) -> dict[str, Any]:
    """A record of an older format as one of today; another as it is."""
    match record.get("format"):
        case one if one == FORMAT_1:
            return record | {"format": FORMAT}
        case one if one == STREAMED_1:
            table = record.get("table")
            size = {"size": table["size"]} if isinstance(table, dict) and "size" in table else {}
            same = ("table", "made_with", "complete", "outcome", "verdict", "last", "epochs")
            return (
                {"format": FORMAT, "outcome_epoch": record.get("diverged_at")}
                | {name: record[name] for name in same if name in record}
                | ({"experiment": record["settings"]} if "settings" in record else {})
                | {"resume": size | {name: record[name] for name in ("state", "recent") if name in record}}
            )
        case _:
            return record


def experiment_in(record: Mapping[str, Any]) -> Experiment:
    """The experiment of a parsed record. A field that it lacks, because it is older, has its usual value.

    Asked for is the engine that ran: two engines agree to 1e-9, and one with itself to the last bit.
    """
    given: Mapping[str, Any] = record["experiment"]
    choice = {name: given.get(name, getattr(Experiment, name)) for name in ("dataset", "optimizer")}
    for name, value in choice.items():
        sentence = problem_with(name, value, {})
        if sentence:
            raise ParameterError(name, sentence)
    read = {name: FIELDS[name].of_json(name, value) for name, value in given.items()}
    experiment = Experiment(**(defaults(**choice) | read))
    ran = record.get("engine", LOOP)  # older records know the loop only
    if ran not in (LOOP, SPECTRUM):
        raise ValueError(f"engine must be {LOOP} or {SPECTRUM} where the rows are held. Got {ran}.")
    return experiment if experiment.runs_on == ran else replace(experiment, engine=ran)

"""What leaves the app, made anew: addresses as values, and every kind of file for runs of every kind.

`python tests/golden/made.py` writes the golden files beside this one. Do so only where a change is meant, and read the
difference: each line of it is an address that opens something else, or a number or a word that a user gets otherwise.
"""

import contextlib
import io
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from gd_core.cli.commands import main
from gd_core.export.caption import in_a_line, in_words
from gd_core.export.notebook import notebook
from gd_core.export.record_file import strict_json, to_csv, to_json
from gd_core.export.script import FLAVOURS, script
from gd_core.lessons.deep_networks.network import NETWORK_FIELDS, Network
from gd_core.lessons.deep_networks.network import in_words as network_in_words
from gd_core.lessons.deep_networks.recorder import record as record_network
from gd_core.recorder import record
from gd_core.settings.examples import EXAMPLES
from gd_core.settings.experiment import Experiment
from gd_core.settings.experiment_fields import FIELDS
from gd_core.settings.pins import Pins, packed
from gd_core.settings.task import CONTROLS, Access, Result, Target, Task, open_address
from gd_core.tables.reading import read
from gd_core.tables.table import keep

HERE = Path(__file__).parent
MOST_ROWS = 12  # kept of a long table: its first rows and its last
GAPS = keep(read("width,height,area\n1,2,2\n2,,5\n3,4,12.5\n4,1,4\n5,3,14.5\n6,2,12\n7,5,35\n").table)

# ------------------------------------------------------------------------------------------------------- addresses


def value_of(value: Any) -> dict[str, Any]:
    """What a value differs in from its type's defaults, as texts."""
    known = FIELDS if isinstance(value, Experiment) else NETWORK_FIELDS
    return {
        field.name: known[field.name].write(getattr(value, field.name))
        for field in fields(value)
        if getattr(value, field.name) != field.default
    }


def _settings(kind: type[Experiment] | type[Network]) -> Callable[..., dict[str, Any]]:
    def opened(query: dict[str, str], fallback: dict[str, str] | None) -> dict[str, Any]:
        usual = None if fallback is None else kind.from_query(fallback)[0]
        found, sentences = kind.from_query(query, usual)
        return {"value": value_of(found), "link": found.to_query(), "sentences": sentences}

    return opened


def _pins(query: dict[str, str], fallback: dict[str, str] | None) -> dict[str, Any]:
    usual = None if fallback is None else Pins.from_query(fallback)[0]
    found, sentences = Pins.from_query(query, usual)
    runs = [{"name": pin.name, "value": value_of(pin.experiment)} for pin in found.pins]
    return {"runs": runs, "sentences": sentences}


def _task(query: dict[str, str], fallback: None) -> dict[str, Any]:
    found = open_address(query)
    task, result = found.task, found.result
    return {
        "task": task and {"free": task.free, "locked": task.locked, "text": task.text, "target": task.target},
        "experiment": found.experiment and value_of(found.experiment),
        "answer": result and result.answer,
        "sentences": list(found.sentences),
    }


READERS: Mapping[str, Callable[..., dict[str, Any]]] = {
    "experiment": _settings(Experiment),
    "network": _settings(Network),
    "pins": _pins,
    "task": _task,
}


def opened(address: dict[str, Any]) -> dict[str, Any]:
    """What an address opens: `reader`, `query` and perhaps `fallback`, the settings that the page stands at."""
    return plain(READERS[address["reader"]](address["query"], address.get("fallback")))


# ------------------------------------------------------------------------------------------------------------ files


def runs() -> dict[str, Experiment]:
    """Runs of every kind: each example, each rule, each data set, held-out, scaled, in batches, continued, a table's."""
    found = {f"example {example.title}": example.experiment for example in EXAMPLES}
    two = Experiment.default("two-features")
    for rule in ("gradient-descent", "momentum", "nesterov", "adagrad", "rmsprop", "adam"):
        found[f"two features {rule}"] = replace(Experiment.default("two-features", rule), epochs=6)
        found[f"long {rule}"] = replace(
            Experiment.default("noisy-quadratic", rule), epochs=2000, scale_features=True, learning_rate=0.01
        )
    scaled = replace(
        Experiment.default("two-features", "adam"),
        points=12, batch_size=5, scale_features=True, learning_rate=0.05, epochs=7, start=(0.1, -2.0, 1e-9),
    )  # fmt: skip
    found["scaled batches"] = scaled
    found["continued"] = scaled.continued(5, optimizer="momentum", learning_rate=0.01, epochs=4)
    found["continued twice"] = replace(two, epochs=8).continued(3, learning_rate=0.4, epochs=3).continued(5, epochs=2, optimizer="nesterov", momentum=0.5)  # fmt: skip
    found["held out"] = replace(two, holdout=0.25, learning_rate=0.2, epochs=30)
    found["random start"] = replace(two, start="random", seed=7, epochs=4)
    found["long by the loop"] = replace(found["long momentum"], engine="loop")
    for title, query in {
        "table cars": {"table": "cars", "learning_rate": "0.1", "scale_features": "true"},
        "table trees": {"table": "trees", "degree": "2", "scale_features": "true", "learning_rate": "0.1", "features": "girth (in)", "target": "volume (ft³)", "holdout": "0.2"},
        "table with gaps dropped": {"table": GAPS.key, "target": "area", "features": "width,height", "missing": "drop", "learning_rate": "0.01"},
        "table with gaps filled": {"table": GAPS.key, "target": "area", "features": "width,height", "missing": "mean", "learning_rate": "0.01", "holdout": "0.3"},
    }.items():  # fmt: skip
        experiment, sentences = Experiment.from_query({"dataset": "table", "epochs": "9", **query})
        assert not sentences, sentences
        found[title] = experiment
    return found


def files(experiment: Experiment) -> dict[str, Any]:
    """Every file that a run leaves the app as, and its links."""
    recording = record(experiment)
    document = json.loads(to_json(experiment, recording))
    for changing in ("made_with", "digest", "epochs"):  # these stand in --json
        document.pop(changing)
    free = {name: Access.FREE if name == "learning_rate" else Access.LOCKED for name in CONTROLS}
    task = Task.with_access(free, experiment=experiment, text="Try.", question="Why?", target=Target(1.5, 10))
    result = Result(task=task, experiment=experiment, answer="So.")
    return plain(
        {
            "link": experiment.to_query(),
            "caption": in_a_line(in_words(experiment)),
            "runs on": experiment.runs_on,
            "record": document,
            "csv": _thinned(to_csv(experiment, recording).splitlines()),
            "json": _json(experiment),
            **{f"script {flavour}": script(experiment, flavour).splitlines() for flavour in FLAVOURS},
            "notebook": [cell["source"] for cell in json.loads(notebook(experiment))["cells"]][:3],
            "task": task.to_text(),
            "result": result.to_text(),
            "pins": packed(Pins().with_one(experiment).pins),
        }
    )


def _json(experiment: Experiment) -> dict[str, Any]:
    """What `train --json` prints."""
    flags = []
    for name, text in experiment.to_query().items():
        flag = name.replace("_", "-")
        if name == "dataset":
            flags.insert(0, text)
        elif name == "scale_features":
            flags.append(f"--{'' if text == 'true' else 'no-'}{flag}")
        else:
            flags.append(f"--{flag}={text}")
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        assert main(["train", *flags, "--json"]) == 0
    document = json.loads(printed.getvalue())
    for changing in ("made_with", "digest"):
        document.pop(changing)
    return document | {"epochs": _thinned(document["epochs"])}


def networks() -> dict[str, Any]:
    """Short trainings of deep networks."""
    found = {}
    for name, network in {
        "sigmoid": Network(depth=5, width=4, epochs=3),
        "relu momentum": Network(depth=3, width=4, epochs=3, activation="relu", initialisation="he", optimizer="momentum"),
        "normalised residual": Network(depth=4, width=6, epochs=3, residual=True, normalise=True, learning_rate=0.01),
        "adam residual": Network(depth=4, width=6, epochs=3, optimizer="adam", residual=True, normalise=True, learning_rate=0.01),
    }.items():  # fmt: skip
        recording = record_network(network)
        found[name] = {
            "link": network.to_query(),
            "caption": in_a_line(network_in_words(network)),
            "loss": recording.loss.tolist(),
        }
    # before a normalised layer a bias has no gradient but its rounding, and Adam steps along the sign of that: where the
    # second step ends is the processor's choice
    del found["adam residual"]["loss"][2:]
    return plain(found)


def _thinned(rows: list[Any]) -> list[Any]:
    return rows if len(rows) <= MOST_ROWS else rows[: MOST_ROWS // 2] + rows[-MOST_ROWS // 2 :]


def plain(value: Any) -> Any:
    """As JSON reads it again."""
    return json.loads(strict_json(value))


# ------------------------------------------------------------------------------------------------------- the folder


def addresses() -> list[dict[str, Any]]:
    """The addresses in the folder, each with what it opened."""
    return json.loads((HERE / "addresses.json").read_text(encoding="utf-8"))


def kept(name: str) -> Any:
    """A golden file."""
    return json.loads((HERE / f"{name}.json").read_text(encoding="utf-8"))


def write() -> None:
    """Write every golden file; the addresses are those that stand in the folder."""
    lines = [json.dumps(one | {"opens": opened(one)}, ensure_ascii=False) for one in addresses()]
    (HERE / "addresses.json").write_text("[\n" + ",\n".join(lines) + "\n]\n", encoding="utf-8")
    _write("networks", networks())
    _write("runs", {name: files(experiment) for name, experiment in runs().items()})


def _write(name: str, value: Any) -> None:
    text = json.dumps(value, ensure_ascii=False, indent=1)
    (HERE / f"{name}.json").write_text(f"{text}\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(write())

"""Tasks and results with a checksum that fits, as anyone can make them: what is opened keeps to the task."""

import random
from typing import Any

import addresses
import hostile
from within import bounds, one_sentence

from gd_core.settings import checked_link
from gd_core.settings.examples import EXAMPLES
from gd_core.settings.experiment import Experiment
from gd_core.settings.experiment_fields import FIELDS
from gd_core.settings.task import CONTROLS, open_address, table_it_needs
from gd_core.tables import table


def run(seed: int, count: int) -> None:
    """Open so many; raises at the first that is not refused or opened as it should be."""
    draw = random.Random(seed)
    for place in range(count):
        kind = draw.choice(("task", "result"))
        data = task(draw) if kind == "task" else result(draw)
        one = {kind: _packed(kind, data, draw)}
        if draw.random() < 0.3:
            one |= {name: hostile.text(draw) for name in draw.sample(sorted(FIELDS), 2)}
        opened(one, traced=place % 10 == 0)
        if place % addresses.ON_A_PAGE == 0:
            addresses.opened("train", one)


def task(draw: random.Random) -> dict[str, Any]:
    """A task's data, with a few of them anything."""
    made: dict[str, Any] = {
        "e": draw.choice(EXAMPLES).experiment.to_query(),
        "f": ",".join(name for name in CONTROLS if draw.random() < 0.2),
        "l": draw.choice(("", "*", "dataset", "epochs")),
        "t": draw.choice(("Find a rate.", hostile.text(draw))),
        "q": draw.choice(("", "Why?")),
        "r": draw.choice((2.0, 1, hostile.value(draw))),
        "n": draw.choice((40, None, hostile.value(draw))),
    }
    if draw.random() < 0.3:
        made["e"] |= {draw.choice(sorted(FIELDS)): draw.choice((hostile.text(draw), hostile.value(draw)))}
    if draw.random() < 0.2:
        made["e"] = {"dataset": "table", "table": hostile.table(draw), "target": "y"}
    for name in draw.sample(sorted(made), draw.choice((0, 0, 1, 2))):
        made[name] = hostile.value(draw)
    return made


def result(draw: random.Random) -> dict[str, Any]:
    """A result's data, with a few of them anything."""
    made: dict[str, Any] = {
        "k": draw.choice((task(draw), {"e": Experiment().to_query(), "f": "*", "q": "Why?"})),
        "c": draw.choice(
            (
                {},
                {"learning_rate": "0.1"},
                {draw.choice(sorted(FIELDS)): hostile.text(draw)},
                hostile.value(draw),
            )
        ),
        "a": draw.choice(("", "It jumps.", hostile.value(draw))),
        "s": draw.choice((None, 3, hostile.value(draw))),
    }
    for name in draw.sample(sorted(made), draw.choice((0, 0, 0, 1))):
        made[name] = hostile.value(draw)
    return made


def _packed(kind: str, data: Any, draw: random.Random) -> str:
    import json
    import zlib

    plain = json.dumps(data, ensure_ascii=True).encode()
    if draw.random() < 0.1:
        plain = hostile.changed(draw, plain.decode()).encode(errors="replace")
    deflate = zlib.compressobj(9, wbits=-15, zdict=checked_link._USUAL)
    body = checked_link.VERSION + hostile.letters(deflate.compress(plain) + deflate.flush())
    return body + checked_link._checksum(kind, body)


def opened(one: dict[str, str], *, traced: bool = False) -> None:
    """Open a link: in bounds, and either a sentence, or a task whose settings are the teacher's where they are not free."""

    def work() -> Any:
        table_it_needs(one)
        return open_address(one)

    found = bounds(one, work, forget=table._unpacked.cache_clear, traced=traced)
    for sentence in found.sentences:
        one_sentence(one, sentence, addresses.BEGINS)
    assert found.task or len(found.sentences) == 1, f"neither opened nor refused\nwith {one!a:.3000}"
    if found.task:
        theirs, shown = found.task.experiment, found.experiment
        same_table = theirs.dataset == shown.dataset and theirs.table == shown.table
        strange = [
            name
            for name in FIELDS
            if name not in found.task.free and getattr(theirs, name) != getattr(shown, name)
        ]
        assert not (strange and same_table) or "before" in found.task.free, (
            f"{strange} of the task\nwith {one!a:.3000}"
        )

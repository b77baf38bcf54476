"""Addresses: settings, tables, pinned runs, tasks and results, by their readers; one in fifty, up to a hundred, on a page as well."""

import json
import random
import sys
from typing import Any

import hostile
from within import bounds, one_sentence

from gd_core.lessons.deep_networks.network import NETWORK_FIELDS, Network
from gd_core.settings import checked_link
from gd_core.settings.experiment import Experiment
from gd_core.settings.experiment_fields import FIELDS
from gd_core.settings.pins import MOST, Pins
from gd_core.settings.task import open_address, table_it_needs
from gd_core.tables import table
from pages.ui.lessons.glossary import Search
from pages.ui.look.navigation import LESSONS

ON_A_PAGE = 50  # addresses by their readers for each that is opened on a page,
MOST_PAGES = 100  # up to so many: one takes a second or two, as long as reading a thousand
PATIENCE = 300  # seconds for a page: a machine with other work takes a minute for the first one
PAGES = ("train", "compare", *LESSONS)
OPTIONS = (
    "axes",
    "view",
    "guess",
    "rates",
    "racers",
    "noise",
    "ask",
    "arrows",
    "curve",
    "depth",
    "theta",
    "q",
    "step",
)
BEGINS = (
    *FIELDS, *NETWORK_FIELDS, "pins", "task", "result", "q must", "The link is not as it was made", "free", "locked", "text",
    "question", "target", "within", "answer", "stopped_at", "lab",
)  # fmt: skip


def run(seed: int, count: int) -> None:
    """Read so many addresses; raises at the first that is not refused or opened as it should be."""
    draw, every = random.Random(seed), max(ON_A_PAGE, count // MOST_PAGES)
    for place in range(count):
        one = address(draw)
        read(one, traced=place % 10 == 0)
        if place % every == 0:
            opened(draw.choice(PAGES), one)


def address(draw: random.Random) -> dict[str, str]:
    """Any address: one that was once written, changed; or names of settings with any texts."""
    if draw.random() < 0.3:
        made = dict(draw.choice(hostile.GOLDEN))
        for name in draw.sample(sorted(made), min(len(made), draw.randrange(3))):
            made[name] = hostile.changed(draw, made[name])
    else:
        names = draw.sample((*FIELDS, *NETWORK_FIELDS, *OPTIONS), draw.randrange(8))
        made = {name: hostile.text(draw) for name in names}
    kind = draw.random()
    if kind < 0.25:
        made |= {"dataset": "table", "table": hostile.table(draw)}
        if draw.random() < 0.7:
            made |= {"target": draw.choice("xy"), "features": draw.choice(("x", "y", "c1,c2", "x,y"))}
    elif kind < 0.45:
        made["pins"] = hostile.pins(
            draw, [line(draw) for _ in range(draw.choice((1, 3, 9, 40)))] * draw.choice((1, 1, 200))
        )
    elif kind < 0.55:
        made["task"] = checked_link.pack(
            "task", {"e": made, "f": draw.choice(("*", "learning_rate", hostile.text(draw)))}
        )
    return made


def line(draw: random.Random) -> str:
    """A pinned run in a link, or nearly one."""
    query = {
        name: draw.choice((hostile.text(draw), hostile.value(draw)))
        for name in draw.sample(sorted(FIELDS), 3)
    }
    if draw.random() < 0.4:
        query |= {"dataset": "table", "table": hostile.table(draw), "target": "y"}
    made = json.dumps([draw.choice(("run", hostile.value(draw))), query], ensure_ascii=draw.random() < 0.5)
    return hostile.changed(draw, made) if draw.random() < 0.2 else made


def read(one: dict[str, str], *, traced: bool = False) -> None:
    """Read an address by every reader, each within the bounds and with its sentences."""

    def settings() -> list[str]:
        experiment, sentences = Experiment.from_query(one)
        assert Experiment.from_query(experiment.to_query()) == (experiment, [])
        return sentences

    def pinned() -> list[str]:
        found, sentences = Pins.from_query(one)
        assert len(found.pins) <= MOST
        assert len(sentences) <= 1
        assert Pins.from_query(found.to_query()) == (found, [])
        return sentences

    def handed() -> list[str]:
        table_it_needs(one)
        return list(open_address(one).sentences)

    readers: list[Any] = [
        settings,
        pinned,
        handed,
        lambda: Network.from_query(one)[1],
        lambda: Search.from_query(one)[1],
    ]
    for reader in readers:
        for sentence in bounds(one, reader, forget=table._unpacked.cache_clear, traced=traced):
            one_sentence(one, sentence, BEGINS)


def opened(page: str, one: dict[str, str]) -> None:
    """Open an address on a page, which shows no exception."""
    sys.path[:0] = [str(hostile.ROOT / "tests/pages")]
    from visit import app

    at = app()
    at.switch_page(f"pages/{page}.py")
    for name, text in one.items():
        at.query_params[name] = text
    try:
        at.run(timeout=PATIENCE)
        said = [element.message for element in at.exception]
    except RuntimeError as error:  # it has taken too long
        said = [str(error)]
    assert not said, f"{page}: {said}\nwith {one!a:.3000}"

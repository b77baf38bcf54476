"""Pinned runs in a visitor's session, and what the addresses of Train and Compare hold of them. No torch here."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import streamlit as st

from gd_core.settings.experiment import Experiment
from gd_core.settings.fields import ParameterError
from gd_core.settings.pins import Pins
from gd_core.settings.table_fields import table_at_hand
from pages.ui.look import navigation, session

# Four usual runs take 200 to 400 characters. What is longer (runs on a table that travels in the link) stays in the
# session and in the address of Compare, or Train's own link would grow beyond what a chat or a mail leaves whole.
LONGEST_ON_TRAIN = 1000


@dataclass
class Pinned:
    """A visitor's pinned runs.

    Attributes:
        pins: The runs.
        tables: The tables that they were trained on, so that large ones stay in memory as long as they do.
    """

    pins: Pins = field(default_factory=Pins)
    tables: list[Any] = field(default_factory=list)


def held() -> Pins:
    """The visitor's pinned runs."""
    return session.held(Pinned).pins


def hold(pins: Pins) -> None:
    """Replace them. A large table that one of them was trained on stays in memory as long as they do."""
    tables = [table_at_hand(pin.experiment.table) for pin in pins.pins]
    pinned = session.held(Pinned)
    pinned.pins, pinned.tables = pins, tables


def pin(experiment: Experiment) -> str | None:
    """Pin a run, or unpin it if it is pinned. Returns the sentence that says why not. For callbacks."""
    pins = held()
    place = pins.place_of(experiment)
    try:
        hold(pins.with_one(experiment) if place is None else pins.without(place))
    except ParameterError as error:
        return str(error)
    return None


def on_train() -> dict[str, str]:
    """What the address of Train says of them."""
    query = held().to_query()
    return query if len(query.get("pins", "")) <= LONGEST_ON_TRAIN else {}


def follow(address: Mapping[str, str], last: Mapping[str, str]) -> list[str]:
    """Take them from an address that someone else wrote: a link, Back, a reload. Returns what could not be read.

    An address without pins clears them only if it is one before they were pinned: then Back has led there. Whoever comes
    from another page, with no `last` address on this one, keeps them.
    """
    if "pins" in address:
        pins, sentences = Pins.from_query(address)
        hold(pins)
        return sentences
    if "pins" in last:
        hold(Pins())
    return []


def enter_compare() -> None:
    """Bring the session's runs to the Compare page, whose address is what counts there. Before its settings are read."""
    address = st.query_params.to_dict()
    if not navigation.at("compare") and "pins" not in address and held().pins:
        st.query_params.from_dict({**address, **held().to_query()})


def as_trained(experiment: Experiment, recording: Any) -> Experiment:
    """What a pin of a run keeps: a run that was stopped by hand keeps the epochs that it had."""
    earlier = experiment.total_epochs - experiment.epochs
    if recording.stopped and recording.epochs > earlier:
        return replace(experiment, epochs=recording.epochs - earlier)
    return experiment

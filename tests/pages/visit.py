"""A page as AppTest sees it: what stands on it after each run."""

import asyncio
import io
import json
import re
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Self, TypeVar

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from streamlit.testing.v1 import AppTest

from pages.ui.look import session

ROOT = Path(__file__).parents[2]
MARK = ":material/error:] "  # stands before every sentence about a bad value
T = TypeVar("T")


def awaited(coroutine: Coroutine[Any, Any, T]) -> T:
    """What a coroutine returns. In a thread of its own: in this one the event loop of the browser tests may be running."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, coroutine).result()


def app() -> AppTest:
    return AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)


class Visit:
    """One visitor of an app, which opens with these settings in the address."""

    def __init__(self, at: AppTest, **query: str) -> None:
        self.at = at
        self.follow(query)

    def run(self) -> Self:
        self.at.run()
        assert not self.at.exception, [element.message for element in self.at.exception]
        return self

    def press(self, key: str) -> Self:
        self.at.button(key).click()
        return self.run()

    def follow(self, query: dict[str, str]) -> Self:
        """Come to an address, as the browser's Back does."""
        self.at.query_params.clear()
        for name, text in query.items():
            self.at.query_params[name] = text
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(session, "went_through_history", lambda: True)
            return self.run()

    @property
    def query(self) -> dict[str, str]:
        """The address, as a browser would show it."""
        return {
            name: value if isinstance(value, str) else value[-1]
            for name, value in dict(self.at.query_params).items()
        }

    @property
    def complaints(self) -> list[str]:
        """The sentences about bad values, as they are read."""
        return [re.sub(r"\\(\W|_)", r"\1", markdown).rstrip() for markdown in self.markdown_of_complaints]

    @property
    def markdown_of_complaints(self) -> list[str]:
        """The same as Streamlit gets them, without the icon in front."""
        lines = [line for element in self.at.markdown for line in element.value.split("\n")]
        return [line.split(MARK)[1] for line in lines if MARK in line]

    @property
    def html(self) -> str:
        """All that the page wrote as HTML."""
        return "\n".join(element.proto.body for element in self.at.get("html"))

    @property
    def charts(self) -> list[Any]:
        return [element.proto for element in self.at.get("vega_lite_chart")]

    def table(self, chart: int, name: str) -> pa.Table:
        """One of the tables of the chart with this number."""
        (blob,) = [dataset.data.data for dataset in self.charts[chart].datasets if dataset.name == name]
        return pa.ipc.open_stream(io.BytesIO(blob)).read_all()

    def component(self, name: str) -> dict[str, Any]:
        """What a component is given: its JSON, and its table if it has one."""
        (proto,) = [c.proto for c in self.at.get("bidi_component") if c.proto.component_name == name]
        if proto.WhichOneof("data") == "json":
            return json.loads(proto.json)
        end = 4 + int.from_bytes(proto.bytes[:4], "little")
        data, at = json.loads(proto.bytes[4:end]), end
        table = {}
        for column, kind, rows in data["columns"]:
            table[column] = np.frombuffer(proto.bytes, kind, rows, at)
            at += -(-table[column].nbytes // 8) * 8
        assert at == len(proto.bytes)
        alike = len({len(values) for values in table.values()}) == 1
        return data | {"table": pd.DataFrame(table) if alike else table}

    @property
    def player(self) -> dict[str, Any]:
        return self.component("player")

"""A lesson as AppTest sees it: what stands on the page after each press and each typed value."""

import io
import json
import re
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qsl

import pyarrow as pa
from streamlit.testing.v1 import AppTest

ROOT = Path(__file__).parents[2]
MARK = ":material/error:] "  # stands before every sentence about a bad value


class LessonPage:
    """One visitor on one lesson's page, opened with these settings in the address."""

    def __init__(self, name: str, **query: str) -> None:
        self.name = name
        self.at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
        self.at.switch_page(f"pages/{name}.py")
        for field, text in query.items():
            self.at.query_params[field] = text
        self.run()

    def run(self) -> Self:
        self.at.run()
        assert not self.at.exception, [element.message for element in self.at.exception]
        return self

    def type(self, **texts: str) -> Self:
        for name, text in texts.items():
            self.at.text_input(f"{self.name}.{name}").set_value(text)
        return self.run()

    def choose(self, name: str, choice: Any) -> Self:
        """Choose from a list."""
        self.at.selectbox(f"{self.name}.{name}").set_value(choice)
        return self.run()

    def switch(self, name: str, on: bool) -> Self:
        self.at.toggle(f"{self.name}.{name}").set_value(on)
        return self.run()

    def press(self, key: str) -> Self:
        self.at.button(key).click()
        return self.run()

    def answer(self, key: str) -> Self:
        """Answer the question, by the key of the answer."""
        return self.press(f"{self.name} answer {key}")

    def skip(self) -> Self:
        return self.press("skip")

    def finished(self) -> Self:
        """Until the run is trained. In a browser the page goes on by itself; here each run of it trains one slice of time."""
        while not self.player["complete"]:
            self.run()
        return self

    @property
    def answers(self) -> list[str]:
        """The keys of the answers to choose from."""
        keys = [str(button.key).partition(f"{self.name} answer ")[2] for button in self.at.button]
        return [key for key in keys if key]

    def text(self, name: str) -> str:
        return self.at.text_input(f"{self.name}.{name}").value or ""

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
        values = [line for element in self.at.markdown for line in element.value.split("\n")]
        return [
            re.sub(r"\\(\W|_)", r"\1", value.split(MARK)[1]).rstrip() for value in values if MARK in value
        ]

    @property
    def charts(self) -> list[Any]:
        return [element.proto for element in self.at.get("vega_lite_chart")]

    def table(self, chart: int, name: str) -> pa.Table:
        """One of the tables of the chart with this number."""
        (blob,) = [dataset.data.data for dataset in self.charts[chart].datasets if dataset.name == name]
        return pa.ipc.open_stream(io.BytesIO(blob)).read_all()

    @property
    def player(self) -> dict[str, Any]:
        """What the player is given: its JSON, and its table."""
        (proto,) = [c.proto for c in self.at.get("bidi_component") if c.proto.component_name == "player"]
        data = json.loads(proto.mixed.json)
        (blob,) = proto.mixed.arrow_blobs.values()
        data["table"] = pa.ipc.open_stream(io.BytesIO(blob.data)).read_pandas()
        return data

    @property
    def links(self) -> list[tuple[str, str, dict[str, str]]]:
        """Label, page and settings of every link on the page."""
        found = []
        for element in self.at.get("page_link"):
            query = dict(parse_qsl(element.proto.query_string, keep_blank_values=True))
            found.append((element.proto.label, element.proto.page, query))
        return found

    @property
    def words(self) -> str:
        """All prose on the page, for a test that looks for a number in it."""
        return "\n".join(element.value for element in self.at.markdown) + "\n".join(
            element.proto.body for element in self.at.get("html")
        )

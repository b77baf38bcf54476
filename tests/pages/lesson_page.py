"""A lesson as AppTest sees it: what stands on the page after each press and each typed value."""

import re
from html import unescape
from typing import Any, Self
from urllib.parse import parse_qsl

from visit import Visit, app


class LessonPage(Visit):
    """One visitor on one lesson's page, opened with these settings in the address."""

    def __init__(self, name: str, **query: str) -> None:
        self.name = name
        at = app()
        at.switch_page(f"pages/{name}.py")
        at.session_state["others"] = True  # what is closed on Variants at first
        super().__init__(at, **query)

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
    def judged(self) -> str:
        """What the question's box says of the answer, which a browser shows at the end of the run: the sentence in bold."""
        return self._judgement(r"<b>(.*?)</b>")

    @property
    def why(self) -> str:
        """And the line after it."""
        return self._judgement(r"</b> (.*?)</span></p>")

    @property
    def marks(self) -> dict[str, list[str]]:
        """The answers as they are marked there: their classes, by what they say."""
        found = [
            element.proto.body for element in self.at.get("html") if 'class="judged"' in element.proto.body
        ]
        items = re.findall(r'<li class="([^"]*)">(.*?)</li>', "".join(found))
        return {unescape(re.sub("<span.*</span>", "", words)): kinds.split() for kinds, words in items}

    def _judgement(self, pattern: str) -> str:
        found = [
            element.proto.body for element in self.at.get("html") if 'class="judged"' in element.proto.body
        ]
        return unescape(re.findall(pattern, found[0])[0]) if found else ""

    @property
    def answers(self) -> list[str]:
        """The keys of the answers to choose from."""
        keys = [str(button.key).partition(f"{self.name} answer ")[2] for button in self.at.button]
        return [key for key in keys if key]

    def text(self, name: str) -> str:
        return self.at.text_input(f"{self.name}.{name}").value or ""

    @property
    def links(self) -> list[tuple[str, str, dict[str, str]]]:
        """Label, page and settings of every link on the page."""
        found = []
        for element in self.at.get("page_link"):
            query = dict(parse_qsl(element.proto.query_string, keep_blank_values=True))
            found.append((element.proto.label, element.proto.page, query))
        return found

    @property
    def prose(self) -> str:
        """All that is written on the page, with its links."""
        return "\n".join(element.value for element in self.at.markdown) + "\n".join(
            element.proto.body for element in self.at.get("html")
        )

    @property
    def words(self) -> str:
        """The same for a test that looks for a number in it; links to the glossary are plain words."""
        return re.sub(r"\[([^]]+)\]\(glossary\?[^)]*\)", r"\1", self.prose)

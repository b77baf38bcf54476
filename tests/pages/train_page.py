"""The Train page as AppTest sees it: what each press and each typed value leaves on it."""

from typing import Any, Self

from visit import Visit, app

from gd_core.settings.examples import OPENING
from gd_core.settings.experiment import Experiment
from pages.ui.player import tabs
from pages.ui.train.train_settings import MENU, MORE_KEY


class Lab(Visit):
    """One visitor's page, with "In numbers" open, and "More settings" wherever they come to an address."""

    def __init__(self, **query: str) -> None:
        at = app()
        at.session_state["tab"] = tabs.NUMBERS
        super().__init__(at, **query)

    def follow(self, query: dict[str, str]) -> Self:
        return super().follow({MORE_KEY: "open"} | query)

    @property
    def query(self) -> dict[str, str]:
        """The address but for that."""
        return {name: text for name, text in super().query.items() if name != MORE_KEY}

    def press(self, key: str) -> Self:
        if key.startswith("example_"):  # in a menu that holds nothing while it is closed
            self.at.session_state[MENU] = True
            self.run()
        return super().press(key)

    def set(self, **texts: str) -> Self:
        """Type into fields, without a run of the page between them."""
        for name, text in texts.items():
            self.at.text_input(f"w_{name}").set_value(text)
        return self

    def type(self, **texts: str) -> Self:
        return self.set(**texts).run()

    def choose(self, name: str, choice: Any) -> Self:
        self.at.selectbox(f"w_{name}").set_value(choice)
        return self.run()

    def text(self, name: str) -> Any:
        return self.at.text_input(f"w_{name}").value

    @property
    def experiment(self) -> Experiment:
        """What the address says, all of which can be read; a bare one means the opening example."""
        if not self.query:
            return OPENING.experiment
        experiment, sentences = Experiment.from_query({k: v for k, v in self.query.items() if k != "axes"})
        assert not sentences
        return experiment

    @property
    def looks_closer(self) -> bool:
        """Whether there is the row that opens numbers, parameters, steps and the rest."""
        return "tab" in [row.key for row in self.at.segmented_control]

    @property
    def buttons(self) -> list[str]:
        """Those that lead a run."""
        others = ("example_", "prepare", "pin", "take_away")
        return [button.label for button in self.at.button if not button.key.startswith(others)]

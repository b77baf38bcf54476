"""What a run loads, seen in a fresh interpreter; and that what is kept for all visitors has an end.

Who may import whom stands in `pyproject.toml`, and `make check` holds it.
"""

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SETTINGS = sorted(
    f"gd_core.settings.{file.stem}" for file in (ROOT / "gd_core" / "settings").glob("[!_]*.py")
)
# Beside the settings: what a lesson's side bar needs, what the published runs are called, and the commands.
BEFORE_TORCH = (
    "gd_core.lessons.deep_networks.network",
    "gd_core.lessons.glossary",
    "gd_core.lessons.variants.racers",
    "gd_core.published",
    "gd_core.cli.commands",
)


def sources() -> dict[str, str]:
    """The app's modules by path."""
    files = [ROOT / "app.py", *(ROOT / "gd_core").rglob("*.py"), *(ROOT / "pages").rglob("*.py")]
    return {str(file.relative_to(ROOT)): file.read_text(encoding="utf-8") for file in files}


def test_every_page_stands_in_the_contracts():
    """A page that is not listed is held to nothing."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    pages = {f"pages.{file.stem}" for file in (ROOT / "pages").glob("*.py")}
    floors = next(one for one in contracts if "floors" in one["name"])
    assert set(floors["layers"][0].split(" | ")) == pages
    alone = next(one for one in contracts if one["name"].startswith("A page computes"))
    assert set(alone["source_modules"]) == pages
    rooms = {
        f"pages.ui.{room.name}"
        for room in (ROOT / "pages" / "ui").iterdir()
        if room.is_dir() and not room.name.startswith("_")
    }
    assert {room for layer in floors["layers"][1:] for room in layer.split(" : ")} == rooms


@pytest.mark.parametrize("module", [*SETTINGS, *BEFORE_TORCH])
def test_torch_is_loaded_when_it_is_needed(module):
    """What draws the controls can be imported without torch and NumPy."""
    assert loaded_after(f"import {module}", "torch", "numpy") == []


def test_a_run_loads_neither_dynamo_nor_sympy():
    """Training, forecast, outcome and words, with each rule and with batches, in a fresh interpreter."""
    script = """
from dataclasses import replace
from gd_core import verdict
from gd_core.settings.experiment import CHOICES, Experiment
from gd_core.outcome import outcome
from gd_core.recorder import Recorder
from gd_core.theory import curvature_of, forecast_of
for optimizer in CHOICES["optimizer"]:
    for batch_size in (0, 7):
        experiment = Experiment.default("two-features", optimizer)
        experiment = replace(experiment, points=20, epochs=5, batch_size=batch_size, scale_features=True)
        recorder = Recorder(experiment)
        recorder.advance()
        curve = curvature(recorder.problem.objective)
        known = forecast(experiment, recorder.problem, curve)
        finding = outcome(recorder.recording(), curve)
        assert verdict.of_run(recorder.recording(), experiment, known, finding)
        assert verdict.of_steps(recorder.recording(), experiment, known).sentence(0, recorder.recording())
"""
    assert loaded_after(script, "torch") == ["torch"]
    assert loaded_after(script, "torch._dynamo", "sympy", "streamlit", "pandas") == []


def test_a_deep_network_loads_neither_dynamo_nor_sympy():
    """Nor does the training of a network, with every activation and both helpers."""
    script = """
from gd_core.lessons.deep_networks import verdict
from gd_core.lessons.deep_networks.recorder import record
from gd_core.lessons.deep_networks.network import NETWORK_CHOICES, Network
for activation in NETWORK_CHOICES["activation"]:
    for helper in (False, True):
        network = Network(depth=3, activation=activation, residual=helper, normalise=helper, epochs=3)
        assert verdict.of_training(record(network))
"""
    assert loaded_after(script, "torch", "torch._dynamo", "sympy", "streamlit", "pandas") == ["torch"]


def test_dynamo_would_be_seen():
    """The check above can fail: this is what it is there to find."""
    script = "import torch\ntorch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)"
    assert loaded_after(script, "torch._dynamo", "sympy") == ["torch._dynamo", "sympy"]


def loaded_after(script: str, *modules: str) -> list[str]:
    """Which of these a fresh interpreter has loaded after a script."""
    script += f"\nimport sys\nprint(*(name for name in {modules!r} if name in sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    return done.stdout.split()


def kept_without_end(source: str) -> list[str]:
    """Functions whose results are kept for every argument that ever comes."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.FunctionDef) or not (node.args.args or node.args.kwonlyargs):
            continue
        for decorator in node.decorator_list:
            call = decorator if isinstance(decorator, ast.Call) else None
            name = ast.unparse(call.func if call else decorator).rpartition(".")[2]
            if name == "cache":
                found.append(node.name)
            elif name in ("cache_resource", "cache_data"):
                given = {word.arg for word in call.keywords} if call else set[str | None]()
                found += [] if given & {"max_entries", "ttl"} else [node.name]
            elif (
                name == "lru_cache"
                and call
                and "None" in map(ast.unparse, [*call.args, *(word.value for word in call.keywords)])
            ):
                found.append(node.name)
    return found


def test_what_is_kept_for_all_visitors_has_an_end():
    """Each cache of a function with parameters says how much it keeps: a server runs for weeks."""
    assert {name: found for name, source in sources().items() if (found := kept_without_end(source))} == {}


ENDLESS = (
    "@cache\ndef f(x): ...",
    "@functools.cache\ndef f(x): ...",
    "@lru_cache(None)\ndef f(x): ...",
    "@lru_cache(maxsize=None)\ndef f(*, x): ...",
    "@st.cache_data\ndef f(x): ...",
    "@st.cache_resource(show_spinner=False)\ndef f(x): ...",
)
ENDING = (
    "@cache\ndef f(): ...",
    "@lru_cache\ndef f(x): ...",
    "@lru_cache(16)\ndef f(x): ...",
    "@st.cache_resource(max_entries=64, show_spinner=False)\ndef f(x): ...",
    "@st.cache_resource(show_spinner=False)\ndef f(): ...",
)


def test_a_cache_without_an_end_is_found():
    """Each way to write one, and none of those with an end."""
    assert [kept_without_end(source) for source in ENDLESS] == [["f"]] * len(ENDLESS)
    assert [kept_without_end(source) for source in ENDING] == [[]] * len(ENDING)

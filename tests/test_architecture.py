"""Who may import whom, read from the source; and what a run loads, seen in a fresh interpreter.

pages → pages/ui → gd_core → torch, never the other way.
"""

import ast
import subprocess
import sys
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

# Modules of pages.ui that draw widgets. The others are pure, and can be tested without a page.
WIDGETS = (
    "advice",
    "compare",
    "controls",
    "desk",
    "downloads",
    "draw",
    "drawn",
    "four_rates",
    "goldilocks",
    "hand_in",
    "house",
    "lab",
    "lesson",
    "look",
    "own_table",
    "pinned",
    "pins",
    "plane",
    "player",
    "prepare",
    "projector",
    "rate",
    "scaling",
    "share",
    "sketches",
    "stage",
    "starts",
    "tabs",
    "task",
    "takeaway",
    "warm",
)

# Who → whom they must not import. A name also stands for everything inside: gd_core for gd_core.theory.
FORBIDDEN = [
    ("gd_core", ("streamlit", "altair", "pandas", "pages", "app", "tests")),
    ("gd_core.settings.catalog", ("torch", "numpy", "gd_core")),
    ("gd_core.settings.experiment", ("torch", "numpy")),
    ("gd_core.tables.table", ("torch", "pyarrow")),
    ("gd_core.settings.table_fields", ("torch", "gd_core.settings.experiment")),
    ("gd_core.tables.reading", ("torch", "gd_core.settings.experiment")),
    ("gd_core.settings.examples", ("torch", "numpy")),
    ("gd_core.settings.checked_link", ("torch", "numpy")),
    ("gd_core.settings.task", ("torch", "numpy")),
    ("gd_core.lessons.deep_networks.network", ("torch", "numpy")),
    *(
        (
            f"gd_core.{textbook}",
            (
                "gd_core.settings.catalog",
                "gd_core.settings.experiment",
                "gd_core.problem",
                "gd_core.recorder",
            ),
        )
        for textbook in ("datasets", "models", "objective", "optimizers", "training")
    ),
    ("gd_core.optimizers", ("gd_core",)),
    ("gd_core.training", ("gd_core.datasets", "gd_core.models")),
    ("gd_core.theory", ("gd_core.recorder", "gd_core.outcome", "gd_core.verdict")),
    ("gd_core.recorder", ("gd_core.theory", "gd_core.outcome", "gd_core.verdict")),
    ("gd_core", ("gd_core.__main__",)),
    ("pages", ("app", "tests", "altair", "gd_core.__main__")),
    ("pages.ui", ("streamlit",)),
    ("app", ("gd_core", "torch", "altair", "pandas", "numpy")),
]
ALLOWED = [  # exceptions to the above
    ("pages.ui.charts", "altair"),
    ("pages.ui.downloads", "altair"),
    *((f"pages.ui.{widget}", "streamlit") for widget in WIDGETS),
]
# A page is words, formula, controls and charts: it computes nothing itself.
NOT_IN_A_PAGE = ("torch", "numpy", "pandas", "altair")
# They load torch._dynamo and sympy: most of a second and 70 MB.
TOO_DEAR = ("torch.optim", "torch.compile", "torch._dynamo", *(
    f"torch.func.{name}" for name in ("grad", "grad_and_value", "hessian", "jacrev", "jacfwd", "jvp", "vjp", "linearize")
))  # fmt: skip


def sources() -> dict[str, str]:
    """The app's modules by dotted name."""
    files = [
        ROOT / "app.py",
        *(ROOT / "gd_core").rglob("*.py"),
        *(ROOT / "pages").rglob("*.py"),
    ]
    return {
        name_of(file.relative_to(ROOT)): file.read_text(encoding="utf-8") for file in files if file.exists()
    }


def name_of(path: Path) -> str:
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def used_names(source: str, module: str = "module", *, package: bool = False) -> set[str]:
    """Dotted names that a module imports anywhere, or reaches through what it imported."""
    tree = ast.parse(source)
    known: dict[str, str] = {}
    used: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                used.add(alias.name)
                known[alias.asname or alias.name.partition(".")[0]] = (
                    alias.name if alias.asname else alias.name.partition(".")[0]
                )
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                around = module.split(".")[: len(module.split(".")) - node.level + package]
                base = ".".join([*around, base]).rstrip(".")
            used.add(base)
            for alias in node.names:
                used.add(f"{base}.{alias.name}")
                known[alias.asname or alias.name] = f"{base}.{alias.name}"
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            name = dotted(node, known)
            if name:
                used.add(name)
    return used


def dotted(node: ast.expr, known: Mapping[str, str]) -> str | None:
    """What `torch.func.grad` stands for, if its first name was imported."""
    if isinstance(node, ast.Name):
        return known.get(node.id)
    if isinstance(node, ast.Attribute):
        base = dotted(node.value, known)
        return base and f"{base}.{node.attr}"
    return None


def within(name: str, module: str) -> bool:
    """Whether a dotted name is a module, or inside of it."""
    return name == module or name.startswith(f"{module}.")


def violations(modules: Mapping[str, str]) -> Iterator[str]:
    """Every arrow that points the wrong way."""
    for module, source in modules.items():
        is_package = any(other.startswith(f"{module}.") for other in modules)
        used = used_names(source, module, package=is_package)
        banned = {name for who, names in FORBIDDEN if within(module, who) for name in names}
        banned |= {*TOO_DEAR}
        if module.startswith("pages.") and not within(module, "pages.ui"):
            banned |= {*NOT_IN_A_PAGE}
            banned |= {
                other for other in modules if other.startswith("pages.") and not within(other, "pages.ui")
            }
        if within(module, "pages.ui"):
            banned |= {
                other for other in modules if other.startswith("pages.") and not within(other, "pages.ui")
            }
        banned -= {what for who, what in ALLOWED if within(module, who)}
        for name in sorted(banned):
            if any(within(use, name) for use in used) and name != module:
                yield f"{module} uses {name}"


def arrows(modules: Mapping[str, str]) -> dict[str, set[str]]:
    """Module ↦ modules of ours that it imports, the nearest name that there is."""
    found = {}
    for module, source in modules.items():
        used = used_names(source, module)
        found[module] = {other for other in modules if other in used and other != module}
        # `from gd_core import verdict` uses verdict, not whatever the package's __init__ imports
        found[module] -= {
            other for other in found[module] if any(x.startswith(f"{other}.") for x in found[module])
        }
    return found


# --------------------------------------------------------------------------------------------------- the house


def test_the_house_is_read():
    """The checks below see the files that there are."""
    modules = sources()
    assert {"gd_core", "gd_core.training", "gd_core.theory", "gd_core.__main__"} <= set(modules)
    assert "gd_core.objective" in arrows(modules)["gd_core.training"]


def test_imports_point_one_way():
    """No arrow points back, and nothing dear is used."""
    assert list(violations(sources())) == []


def test_no_module_imports_itself_in_a_circle():
    """gd_core and pages can each be read from the bottom up."""
    TopologicalSorter(arrows(sources())).prepare()


def test_torch_is_loaded_when_it_is_needed():
    """What draws the controls can be imported without torch."""
    for module in (
        "gd_core.settings.catalog",
        "gd_core.settings.experiment",
        "gd_core.settings.table_fields",
        "gd_core.settings.examples",
        "gd_core.settings.task",
        "gd_core.lessons.deep_networks.network",
        "gd_core.published",
        "gd_core.__main__",
    ):
        assert loaded_after(f"import {module}", "torch", "numpy") == []


def test_a_run_loads_neither_dynamo_nor_sympy():
    """Training, forecast, outcome and words, with each rule and with batches, in a fresh interpreter."""
    script = """
from dataclasses import replace
from gd_core import verdict
from gd_core.settings.experiment import CHOICES, Experiment
from gd_core.outcome import outcome
from gd_core.recorder import Recorder
from gd_core.theory import curvature, forecast
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
        assert deep_verdict.of_training(record(network))
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


# --------------------------------------------------------------------------------------------- the checker itself

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


HOUSE = {
    "app": "import streamlit as st",
    "gd_core": "",
    "gd_core.settings.catalog": "",
    "gd_core.settings.experiment": "from gd_core.settings.catalog import X",
    "gd_core.training": "import torch",
    "gd_core.theory": "import torch\nfrom gd_core.training import X",
    "pages.train": "import streamlit as st\nfrom pages.ui import charts, controls",
    "pages.lessons": "import streamlit as st",
    "pages.ui.charts": "import altair as alt\nfrom torch import Tensor\nfrom gd_core.theory import X",
    "pages.ui.train.controls": "import streamlit as st",
    "pages.ui.look.palette": "",
}


def test_a_house_in_order_has_no_violations():
    """The planted arrows below are what makes the difference."""
    assert list(violations(HOUSE)) == []
    TopologicalSorter(arrows(HOUSE)).prepare()


@pytest.mark.parametrize(
    ("module", "line", "found"),
    [
        ("gd_core.theory", "import streamlit", "gd_core.theory uses streamlit"),
        ("gd_core.theory", "def f():\n    from pages.ui.charts import X", "gd_core.theory uses pages"),
        ("gd_core.theory", "import pandas as pd", "gd_core.theory uses pandas"),
        ("gd_core", "import altair", "gd_core uses altair"),
        ("gd_core.deeper.inside", "import altair.vegalite as v", "gd_core.deeper.inside uses altair"),
        ("gd_core.settings.experiment", "from torch import nn", "gd_core.settings.experiment uses torch"),
        ("gd_core.settings.catalog", "from .experiment import X", "gd_core.settings.catalog uses gd_core"),
        ("gd_core.training", "from . import experiment", "gd_core.training uses gd_core.settings.experiment"),
        (
            "gd_core.training",
            "from gd_core import catalog as c",
            "gd_core.training uses gd_core.settings.catalog",
        ),
        ("gd_core.training", "import gd_core.datasets", "gd_core.training uses gd_core.datasets"),
        ("gd_core.optimizers", "from gd_core.objective import X", "gd_core.optimizers uses gd_core"),
        ("gd_core.theory", "from gd_core.cli.commands import main", "gd_core.theory uses gd_core.__main__"),
        ("gd_core.theory", "import torch.optim", "gd_core.theory uses torch.optim"),
        ("gd_core.theory", "from torch import optim", "gd_core.theory uses torch.optim"),
        ("gd_core.theory", "torch.optim.SGD", "gd_core.theory uses torch.optim"),
        ("gd_core.theory", "from torch.func import grad", "gd_core.theory uses torch.func.grad"),
        (
            "gd_core.theory",
            "from torch import func\nfunc.hessian(f)",
            "gd_core.theory uses torch.func.hessian",
        ),
        ("gd_core.theory", "import torch.func as F\nF.jacrev", "gd_core.theory uses torch.func.jacrev"),
        ("pages.train", "import torch", "pages.train uses torch"),
        ("pages.train", "import altair", "pages.train uses altair"),
        ("pages.train", "from pages import lessons", "pages.train uses pages.lessons"),
        ("pages.ui.charts", "import streamlit", "pages.ui.charts uses streamlit"),
        ("pages.ui.look.palette", "from streamlit import markdown", "pages.ui.look.palette uses streamlit"),
        ("pages.ui.train.controls", "import altair", "pages.ui.train.controls uses altair"),
        ("pages.ui.train.controls", "from pages.train import X", "pages.ui.train.controls uses pages.train"),
        ("pages.ui.train.controls", "import app", "pages.ui.train.controls uses app"),
        ("app", "import gd_core.theory", "app uses gd_core"),
    ],
)
def test_a_wrong_arrow_is_found(module, line, found):
    """Planted anywhere in a module, under any name it is given."""
    planted = HOUSE | {module: f"{HOUSE.get(module, '')}\n{line}"}
    assert list(violations(planted)) == [found]


@pytest.mark.parametrize(
    "line",
    [
        "from torch.func import functional_call",
        "import torch\ntorch.autograd.functional.hessian",
        "from torch.nn.functional import mse_loss",
        "class A:\n    def f(self):\n        self.torch.optim",
        "'import streamlit'",
    ],
)
def test_what_is_allowed_is_not_found(line):
    """Names that only look alike are let through."""
    assert list(violations(HOUSE | {"gd_core.objective": line})) == []


def test_a_circle_is_found():
    """Two modules that import each other, directly or by way of a third."""
    circle = HOUSE | {"gd_core.training": "from gd_core.theory import X"}
    with pytest.raises(CycleError):
        TopologicalSorter(arrows(circle)).prepare()


def test_relative_imports_are_followed_from_packages_too():
    """In a package's __init__ one dot is the package itself."""
    assert "gd_core.theory" in used_names("from .theory import X", "gd_core", package=True)
    assert "gd_core.theory" in used_names("from .theory import X", "gd_core.outcome")
    assert "gd_core.theory" in used_names("from ..theory import X", "gd_core.deeper.inside")

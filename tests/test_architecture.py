"""What a run loads, seen in a fresh interpreter; that what is kept for all visitors has an end, and for one an owner.

Who may import whom stands in `pyproject.toml`, and `make check` holds it.
"""

import ast
import subprocess
import sys
import tomllib
from functools import cache
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

parsed = cache(ast.parse)  # which four tests ask of every module


@cache
def sources() -> dict[str, str]:
    """The app's modules by path."""
    files = [ROOT / "app.py", *(ROOT / "gd_core").rglob("*.py"), *(ROOT / "pages").rglob("*.py")]
    return {str(file.relative_to(ROOT)): file.read_text(encoding="utf-8") for file in files}


def test_every_room_of_the_pages_stands_in_the_contracts():
    """A room that is not listed is held to nothing."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    floors = next(one for one in contracts if "floors" in one["name"])
    rooms = {
        f"pages.ui.{room.name}"
        for room in (ROOT / "pages" / "ui").iterdir()
        if room.is_dir() and not room.name.startswith("_")
    }
    assert {room for layer in floors["layers"] for room in layer.split(" : ")} == rooms


def test_nobody_imports_a_page():
    """A page is the top floor: neither another page nor anything below needs it."""
    pages = {file.stem for file in (ROOT / "pages").glob("*.py")}
    found = [
        (path, name)
        for path, source in sources().items()
        for node in ast.walk(parsed(source))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in imported(node)
        if name.startswith("pages.") and name.split(".")[1] in pages
    ]
    assert len(pages) > 10
    assert found == []


def imported(node: ast.Import | ast.ImportFrom) -> list[str]:
    """The modules, or members of one, that a line imports."""
    if isinstance(node, ast.Import):
        return [one.name for one in node.names]
    return [f"{node.module}.{one.name}" for one in node.names]


@pytest.mark.parametrize("module", [*SETTINGS, *BEFORE_TORCH])
def test_torch_is_loaded_when_it_is_needed(module):
    """What draws the controls can be imported without torch and NumPy."""
    assert loaded_after(f"import {module}", "torch", "numpy") == []


def test_sqlalchemy_is_loaded_when_a_class_begins():
    """Nobody else waits for it, and what a class needs does not load torch."""
    script = "import gd_core.classroom.rules, pages.ui.classroom.connection as kept"
    assert loaded_after(script, "sqlalchemy", "psycopg", "torch") == []
    assert loaded_after("import gd_core.classroom.store", "sqlalchemy", "torch", "numpy") == ["sqlalchemy"]


def test_a_run_loads_neither_dynamo_nor_sympy():
    """Training, forecast, outcome and words, with each rule and with batches, in a fresh interpreter."""
    script = """
from dataclasses import replace
from gd_core import verdict
from gd_core.settings.experiment import Experiment
from gd_core.settings.rules import OPTIMIZER_INFO
from gd_core.outcome import Trained, outcome
from gd_core.recorder import Recorder
from gd_core.theory import curvature_of, forecast_of
for optimizer in OPTIMIZER_INFO:
    for batch_size in (0, 7):
        if batch_size and OPTIMIZER_INFO[optimizer].over_curvature:
            continue
        experiment = Experiment.default("two-features", optimizer)
        experiment = replace(experiment, points=20, epochs=5, batch_size=batch_size, scale_features=True)
        recorder = Recorder(experiment)
        recorder.advance()
        curvature = curvature_of(recorder.problem.objective)
        forecast = forecast_of(experiment, recorder.problem, curvature)
        finding = outcome(recorder.recording(), curvature, Trained.of(experiment, recorder.problem))
        assert verdict.of_run(recorder.recording(), experiment, forecast, finding)
        assert verdict.of_steps(recorder.recording(), experiment, forecast).sentence(0, recorder.recording())
"""
    assert loaded_after(script, "torch", "torch._dynamo", "sympy", "streamlit", "pandas") == ["torch"]


def test_a_deep_network_loads_neither_dynamo_nor_sympy():
    """Nor does the training of a network, with every activation and both helpers."""
    script = """
from gd_core.lessons.deep_networks import verdict
from gd_core.lessons.deep_networks.recorder import record
from gd_core.lessons.deep_networks.network import NETWORK_FIELDS, Network
for activation in NETWORK_FIELDS["activation"].choices:
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
    for node in ast.walk(parsed(source)):
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


DICT = ("get", "pop", "setdefault", "update", "items", "keys", "values", "to_dict", "clear")


def session_keys(source: str) -> set[str]:
    """The keys of the session's state that a module spells; of one put together, its beginning and "…"."""
    tree = parsed(source)
    constants = {
        target.id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Name) and isinstance(node.value.value, str)
    }

    def is_state(node: ast.AST) -> bool:
        return ast.unparse(node).rpartition(".")[2] in ("STATE", "session_state")

    def spelt(node: ast.AST) -> str | None:
        if isinstance(node, ast.Constant):
            return node.value if isinstance(node.value, str) else None
        if isinstance(node, ast.Name):
            return constants.get(node.id)
        if not isinstance(node, ast.JoinedStr):
            return None
        forecast = ""
        for part in node.values:
            text = spelt(part.value if isinstance(part, ast.FormattedValue) else part)
            if text is None:
                return f"{forecast}…" if forecast else None
            forecast += text
        return forecast

    found: set[str | None] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Subscript) and is_state(node.value):
            found.add(spelt(node.slice))
        elif isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.In | ast.NotIn):
            found |= {spelt(node.left)} if is_state(node.comparators[0]) else set()
        elif isinstance(node, ast.Attribute) and is_state(node.value):
            found |= set() if node.attr in DICT else {node.attr}
        elif (
            isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and is_state(node.func.value)
        ):
            found |= {spelt(node.args[0])} if node.args else set()
            found |= {word.arg for word in node.keywords}
            for given in node.args:
                if isinstance(given, ast.Dict):
                    found |= {spelt(key) for key in given.keys if key}
    return {key for key in found if key}


def test_a_key_of_the_session_has_one_owner():
    """No two modules spell the same key: the others ask the one whose it is."""
    owners: dict[str, list[str]] = {}
    for name, source in sources().items():
        for key in session_keys(source):
            owners.setdefault(key, []).append(name)
    assert owners
    assert {key: names for key, names in owners.items() if len(names) > 1} == {}


def held_by_others(source: str) -> list[str]:
    """What a module takes from the session though another one defines it."""
    tree = parsed(source)
    own = {node.name for node in tree.body if isinstance(node, ast.ClassDef)}
    return [
        ast.unparse(node)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) in ("session.held", "session.key")
        and ast.unparse(node.args[0]) not in own
    ]


def test_what_the_session_keeps_has_one_owner():
    """A dataclass of `session.held` is asked for only where it is defined."""
    asked = [name for name, source in sources().items() if "session.held(" in source]
    assert len(asked) > 10
    assert {name: found for name, source in sources().items() if (found := held_by_others(source))} == {}


@pytest.mark.parametrize(
    ("source", "key"),
    [
        ("STATE['a']", "a"),
        ("STATE['a'] = 1", "a"),
        ("st.session_state['a']['b']", "a"),
        ("STATE.get('a', 'b')", "a"),
        ("STATE.pop('a')", "a"),
        ("STATE.setdefault('a', {})['b'] = 1", "a"),
        ("STATE.update(a=1)", "a"),
        ("STATE.update({'a': 1})", "a"),
        ("if 'a' not in st.session_state: ...", "a"),
        ("st.session_state.a", "a"),
        ("KEY = 'a'\nSTATE[KEY]", "a"),
        ("KEY = 'a'\nSTATE[f'{KEY} b']", "a b"),
        ("STATE[f'a {b}']", "a …"),
    ],
)
def test_a_spelt_key_is_found(source, key):
    """Each way to write one."""
    assert session_keys(source) == {key}


def test_a_key_that_is_given_is_not_spelt():
    """Neither a variable nor a method is one; and what another module defines is found."""
    assert session_keys("STATE[key]; key in STATE; STATE.items(); STATE[f'{key} x']; other['a']") == set()
    assert held_by_others("class A: ...\nsession.held(A)") == []
    assert held_by_others("from x import A\nsession.held(A)") == ["session.held(A)"]

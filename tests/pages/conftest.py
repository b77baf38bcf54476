"""What every AppTest would do anew, done once in a session: Streamlit looks for installed components and compiles pages."""

from functools import cache

import pytest
from altair import LayerChart
from streamlit.components.v2 import manifest_scanner
from streamlit.runtime.scriptrunner.script_cache import ScriptCache
from streamlit.testing.v1 import app_test, local_script_runner

from gd_core.tables import holder
from pages.ui.look import session

# a session says for whom tables are looked up; here a test looks with its visitor's eyes
assert holder.who is session.visitor
holder.who = lambda: "the one visitor of a test"


@pytest.fixture(scope="session", autouse=True)
def found_and_compiled_once():
    """Packages and pages stay as they are while tests run, and a server too looks for them once.

    The look at the metadata of all packages takes 70 ms, which is most of opening a page.
    """
    scripts = ScriptCache()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            manifest_scanner, "scan_component_manifests", cache(manifest_scanner.scan_component_manifests)
        )
        for module in (app_test, local_script_runner):
            patch.setattr(module, "ScriptCache", lambda: scripts)
        yield


@pytest.fixture(scope="session", autouse=True)
def specifications_are_valid():
    """Each chart that any test draws is held to Vega-Lite's schema by Altair: the pages save themselves that time."""
    to_dict = LayerChart.to_dict

    def held_to_the_schema(chart, *, validate):
        del validate
        return to_dict(chart, validate=True)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(LayerChart, "to_dict", held_to_the_schema)
        yield

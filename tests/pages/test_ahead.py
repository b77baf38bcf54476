"""What the HTML names beyond Streamlit's own: all that the first view fetches, and nothing that is not there."""

import re
from base64 import b64encode
from hashlib import sha256
from pathlib import Path

import pytest
from streamlit import file_util
from streamlit.testing.v1 import AppTest

from pages.ui.look import described as html
from pages.ui.look import look
from pages.ui.look.ahead import CHARTS
from pages.ui.look.described import described
from pages.ui.train.http import content_security_policy

STATIC = Path(file_util.get_static_dir())
HTML = (STATIC / "index.html").read_text(encoding="utf-8")
SCRIPTS = re.compile(r"<script>(.*?)</script>", re.DOTALL)
OWN = set(re.findall(r'static/js/([^"]+)"', HTML))


def named(page):
    """The files that a page's HTML names and Streamlit's does not."""
    return [file for file in re.findall(r'modulepreload" crossorigin href="\./static/js/([^"]+)"', described(HTML, page)) if file not in OWN]  # fmt: skip


@pytest.mark.parametrize("page", ["", "variants", "glossary"])
def test_a_file_is_named_with_all_that_it_imports(page: str):
    """Each once. What is missing would be asked for later, one after the other."""
    files = named(page)
    assert files
    assert len(set(files)) == len(files)
    for file in files:
        text = (STATIC / "static" / "js" / file).read_text(encoding="utf-8")
        imported = set(re.findall(r'import(?:[\w$*{][^"()]*from)?"\./([^"]+)"', text))
        assert imported <= {*files, *OWN}, file


def test_only_pages_that_begin_with_charts_fetch_what_draws_them():
    """The code of the charts is the largest."""
    assert any(file.startswith(f"{CHARTS}.") for file in named(""))
    assert not any(file.startswith(f"{CHARTS}.") for file in named("glossary"))
    assert "import(" not in "".join(SCRIPTS.findall(described(HTML, "glossary")))


@pytest.mark.parametrize("page", ["four_steps", "glossary"])
def test_the_policy_of_contents_lets_the_script_run(page: str):
    """It is the only one of ours in the page."""
    scripts = SCRIPTS.findall(described(HTML, page))
    assert len(scripts) == 2
    for script in scripts:
        assert f"'sha256-{b64encode(sha256(script.encode()).digest()).decode()}'" in content_security_policy()


def test_the_style_sheet_stands_in_the_html_behind_streamlits_own():
    """Streamlit adds its rules to the head: of two that say as much the later one holds."""
    page = described(HTML, "variants")
    assert page.count(html.SHEET) == 1
    assert page.index("<body>") < page.index(html.SHEET) < page.index('<div id="root">')


@pytest.mark.parametrize("served", [True, False])
def test_a_page_brings_the_style_sheet_where_no_server_of_ours_does(served: bool, monkeypatch):
    """Once, in the one place or the other."""

    def page() -> None:
        from pages.ui.look import look

        look.apply()

    monkeypatch.setattr(html, "_serves", served)
    monkeypatch.setattr(look.navigation, "enter", lambda: None)
    (sheet,) = AppTest.from_function(page).run().get("html")
    assert (html.SHEET in sheet.proto.body) is not served
    assert "--lab-paper" in sheet.proto.body

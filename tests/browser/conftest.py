"""For each worker one app and one Chromium; for each test a visitor of its own, who must leave without an error."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from chromium import executable_path
from lab import VIEWPORT, Lab
from serving import Server, serving

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    with serving() as server:
        yield server


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable_path(), args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def visit(server: Server, chromium: Browser) -> Iterator[Callable[..., Lab]]:
    """Makes a new visitor, in a browser context with these options. At the end, no visitor may have seen an error."""
    labs: list[Lab] = []

    def visitor(url: str = server.url, **options: Any) -> Lab:
        context = chromium.new_context(**({"viewport": VIEWPORT} | options))
        labs.append(Lab(context.new_page(), url))
        return labs[-1]

    yield visitor
    errors = [error for lab in labs for error in lab.errors]
    for lab in labs:
        lab.page.context.close()
    assert not errors


@pytest.fixture
def lab(visit: Callable[..., Lab]) -> Lab:
    """A visitor with a screen of 1400 × 900."""
    return visit()

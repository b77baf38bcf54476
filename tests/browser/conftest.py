"""For each worker one app and one Chromium; for each test a visitor of its own, who must leave without an error."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Playwright, ViewportSize, sync_playwright

from chromium import executable_path
from component import Component
from lab import VIEWPORT, Lab
from serving import Server, serving

ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run",
    "--process-per-site", "--num-raster-threads=1",  # a fifth less for opening a page, on two cores
]  # fmt: skip

FAILED = pytest.StashKey[list[bool]]()


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    with serving() as server:
        yield server


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="session")
def profile(
    playwright: Playwright, server: Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[BrowserContext]:
    """One profile on disk for all tests. It keeps Streamlit's compiled code: opening a page costs a third less.

    Its first page stays at the app's address, and with it the process for all others.
    """
    with playwright.chromium.launch_persistent_context(
        tmp_path_factory.mktemp("profile"),
        executable_path=executable_path(),
        args=ARGUMENTS,
        viewport=VIEWPORT,
    ) as context:
        context.pages[0].goto(f"{server.url}/_stcore/health")
        yield context


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    report = yield
    item.stash.setdefault(FAILED, []).append(report.failed)
    return report


@pytest.fixture
def visit(
    server: Server, profile: BrowserContext, request: pytest.FixtureRequest
) -> Iterator[Callable[..., Lab]]:
    """Makes a new visitor, with a screen of this size and these preferences, as `Page.emulate_media` has them.

    The first finds nothing of those of earlier tests. At the end, no visitor may have seen an error.
    """
    labs: list[Lab] = []

    def visitor(url: str = server.url, viewport: ViewportSize | None = None, **preferences: Any) -> Lab:
        page = profile.new_page()
        if not labs:
            left = {"origin": url, "storageTypes": "cookies,local_storage,indexeddb"}
            profile.new_cdp_session(page).send("Storage.clearDataForOrigin", left)
        if viewport:
            page.set_viewport_size(viewport)
        page.emulate_media(**preferences)
        labs.append(Lab(page, url))
        return labs[-1]

    yield visitor
    if any(request.node.stash.get(FAILED, [])):
        print(*(lab.as_it_stands() for lab in labs), sep="\n")
    errors = [error for lab in labs for error in lab.errors]
    for page in profile.pages[1:]:
        page.close()
    assert not errors


@pytest.fixture
def lab(visit: Callable[..., Lab]) -> Lab:
    """A visitor with a screen of 1400 × 900."""
    return visit()


@pytest.fixture
def mounted(profile: BrowserContext) -> Iterator[Callable[..., Component]]:
    """Mounts a component on a page of its own: see `Component`. At the end, none may have said an error."""
    components: list[Component] = []

    def mount(name: str, data: dict[str, Any], around: str = "", **preferences: Any) -> Component:
        page = profile.new_page()
        page.emulate_media(**preferences)
        components.append(Component(page, name, data, around))
        return components[-1]

    yield mount
    errors = [error for one in components for error in one.errors]
    for one in components:
        one.page.close()
    assert not errors

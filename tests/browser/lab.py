"""The Train page as its user sees it: fields, buttons and charts by their names, and waits instead of sleeps."""

import re
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import ConsoleMessage, Error, Locator, Page, TimeoutError, expect

from gd_core.settings.examples import OPENING
from gd_core.settings.experiment import Experiment
from pages.ui.look.palette import palette

WATCH = (Path(__file__).parent / "watch.js").read_text(encoding="utf-8")
PATIENCE = 60_000  # milliseconds; two cores may be busy with other tests
VIEWPORT = {"width": 1400, "height": 900}
PHONE = {"width": 390, "height": 844}
# Streamlit looks for these beside the page's own address first, and finds them at the root.
STREAMLITS_OWN = re.compile(r"/_stcore/(health|host-config)$")
CHART = ".stVegaLiteChart"
MENU = "[data-testid=stPopoverBody]"  # what a button has opened over the page
# What a theme can change in what axe-core finds; all its other rules read markup, which is the same in both.
RULES_OF_COLOUR = {"runOnly": ["color-contrast", "link-in-text-block"]}
# What can be pressed, read or dragged and lies beyond the window, or beyond a box that cuts it off and cannot be scrolled
# by keys; text that runs over the edge of its cell in a table; a legend that leaves its chart at the top; and the page, where it
# scrolls sideways.
OUT_OF_REACH = """() => {
    const found = new Set(), main = document.querySelector('[data-testid=stMain]'), whole = document.documentElement;
    const parent = (one) => one.assignedSlot ?? one.parentElement ?? one.getRootNode().host ?? null;
    const name = (one) => `${one.tagName} ${one.ariaLabel || one.textContent.trim().slice(0, 40)}`;
    const small = ({ width, height }) => width < 3 || height < 3;
    function cut(inner, { left, right }) {
        for (let box = inner; box && box !== document.body; box = parent(box)) {
            const style = getComputedStyle(box), edge = box.getBoundingClientRect();
            if (style.overflowX === 'visible' || box === main) continue;
            if (small(edge)) return false; // for screen readers alone
            const inside = edge.left + box.clientLeft, end = inside + box.clientWidth;
            if (left >= inside - 1 && right <= end + 1) continue;
            if (!['auto', 'scroll'].includes(style.overflowX)) return true;
            return !(box.tabIndex >= 0 || box.querySelector('a, button, [tabindex]'));
        }
        return left < -1 || right > innerWidth + 1;
    }
    function judge(one, inner, boxes) {
        const cell = one.closest('td, th')?.getBoundingClientRect();
        for (const box of boxes) {
            if (small(box)) continue;
            if (cut(inner, box) || (cell && (box.right > cell.right + 2 || box.left < cell.left - 2))) found.add(name(one));
        }
    }
    function walk(one) {
        if (one.matches('.vega-bindings, .katex-mathml, style') || getComputedStyle(one).display === 'none') return;
        if (one.checkVisibility({ visibilityProperty: true })) {
            if (one.matches('button, a, input, select, textarea, [role=tab], svg.marks')) judge(one, parent(one), [one.getBoundingClientRect()]);
            if (one.matches('svg.marks') && [...one.querySelectorAll('.role-legend-entry')].some((entry) =>
                entry.getBoundingClientRect().top < one.getBoundingClientRect().top - 1)) found.add(`legend of ${name(one)}`);
            for (const node of one.childNodes) {
                if (node.nodeType !== Node.TEXT_NODE || !node.data.trim()) continue;
                const range = document.createRange();
                range.selectNodeContents(node);
                judge(one, one, range.getClientRects());
            }
        }
        for (const child of [...one.children, ...(one.shadowRoot?.children ?? [])]) walk(child);
    }
    for (const part of [main, document.querySelector('[data-testid=stHeader]')]) if (part) walk(part);
    for (const one of [main, whole]) if (one.scrollWidth > one.clientWidth) found.add(`${one.tagName} scrolls sideways`);
    return [...found];
}"""
# What of the player and the keys beside it lies under something else: what its middle shows is another.
COVERED = """() => {
    const within = (place) => [...place.querySelectorAll('*')].flatMap((one) => one.shadowRoot ? [one, ...within(one.shadowRoot)] : [one]);
    function shown(x, y) {
        let one = document.elementFromPoint(x, y);
        for (let inner; (inner = one?.shadowRoot?.elementFromPoint(x, y)) && inner !== one;) one = inner;
        return one;
    }
    return [...document.querySelectorAll('.st-key-transport, .st-key-keys')].flatMap(within)
        .filter((one) => one.matches('button, select, input, output') && one.checkVisibility({ visibilityProperty: true }))
        .filter((one) => {
            const { left, top, width, height } = one.getBoundingClientRect();
            const middle = shown(left + width / 2, top + height / 2);
            return width > 2 && !one.contains(middle) && !one.closest('label')?.contains(middle);
        })
        .map((one) => one.ariaLabel || one.textContent.trim());
}"""
# What is wider than the window: the page, or a chart or table on it.
TOO_WIDE = """(charts) => {
    const main = document.querySelector('[data-testid=stMain]'), name = (one) => one.className || one.tagName;
    const scrolls = (one) => one.scrollWidth > one.clientWidth;
    const found = [document.documentElement, main, ...main.querySelectorAll('.sheet')].filter(scrolls);
    const outside = ({ left, right, width }) => width > 0 && (left < 0 || right > innerWidth + 1);
    const parts = [...main.querySelectorAll(`${charts}, ${charts} svg.marks, table`)];
    return [...found, ...parts.filter((one) => outside(one.getBoundingClientRect()))].map((one) => `${name(one)}`);
}"""
# Until no chart, and nothing beside them, has changed its size for some frames.
STILL = """async (charts) => {
    const sizes = () => [document.documentElement, ...document.querySelectorAll(`${charts}, ${charts} svg.marks, table`)]
        .map((one) => one.getBoundingClientRect()).map(({ x, width, height }) => [x, width, height].join()).join();
    for (let same = 0, before = ''; same < 6;) {
        await new Promise(requestAnimationFrame);
        const now = sizes();
        same = now === before ? same + 1 : 0;
        before = now;
    }
}"""
# Whether all that was asked of the server is answered, and its script has ended.
ANSWERED = """() => document.querySelector('[data-testid=stApp]')?.dataset.testScriptState === 'notRunning'
    && watch.answered === watch.asked"""
# Whether that is so, what was sent has come, no element waits for its code, and each chart is drawn as wide as its place, on a
# projector as many times as wide as its type is larger (see projector.css): one that was drawn while the page was still laid out
# is drawn once more.
AT_REST = """(charts) => {
    const drawn = (chart) => {
        const svg = chart.querySelector('svg.marks');
        const place = chart.getBoundingClientRect().width * (chart.currentCSSZoom ?? 1);
        return svg?.querySelector('path') && Math.abs(svg.getBoundingClientRect().width - place) < 2;
    };
    return (ANSWERED)() && watch.calm > 4 && document.querySelector('h1') && !document.querySelector('[data-testid=stSkeleton]')
        && [...document.querySelectorAll(charts)].every(drawn);
}""".replace("ANSWERED", ANSWERED)
# Whether the page has changed to a theme: it has run once more, and each chart is drawn anew.
IN_THEME = """([theme, ours]) => {
    const app = document.querySelector('[data-testid=stApp]');
    const paper = (one) => getComputedStyle(one).backgroundColor;
    return getComputedStyle(app).colorScheme === theme && app.dataset.testScriptState === 'notRunning'
        && getComputedStyle(document.documentElement).getPropertyValue('--lab-paper').trim() === ours
        && !document.getAnimations().some((one) => one instanceof CSSTransition && one.playState === 'running')
        && [...document.querySelectorAll('svg.marks')]
            .every((one) => [paper(app), 'rgba(0, 0, 0, 0)'].includes(paper(one)));
}"""
AS_IT_STANDS = """() => JSON.stringify({
    script: document.querySelector('[data-testid=stApp]')?.dataset.testScriptState, watch, focus:
    document.activeElement?.outerHTML.slice(0, 200), toasts: document.querySelector('[data-testid=stToastContainer]')?.innerText,
    player: [...document.querySelectorAll('.st-key-transport *')].map((one) => one.shadowRoot?.querySelector('.player')?.innerText).join(''),
    text: document.querySelector('[data-testid=stMain]')?.innerText.slice(0, 2000),
}, null, 1)"""
FIT, MAP, ERROR = "Data as points", "Level lines", "Root mean squared error"
expect.set_options(timeout=PATIENCE)


class Lab:
    """One visitor's tab.

    Attributes:
        page: Playwright's page.
        errors: What the console and the page complained about.
    """

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.errors: list[str] = []
        page.set_default_timeout(PATIENCE)
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.errors.append(f"page error: {error}"))
        page.add_init_script(WATCH)

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not STREAMLITS_OWN.search(message.location.get("url", "")):
            self.errors.append(f"console: {message.text}")

    def as_it_stands(self) -> str:
        """What a page that a test failed on says of itself: two cores and a race are seldom seen twice."""
        try:
            return f"{self.page.url}\n{self.page.evaluate(AS_IT_STANDS)}\n{self.errors}"
        except Error as error:
            return f"{self.page.url} does not answer: {error}"

    # ------------------------------------------------------------------------------------------------ the page

    def open_page(self, path: str = "/") -> "Lab":
        self.page.goto(self.url + path)
        return self.settled()

    def settled(self) -> "Lab":
        """Wait until the script rests, what it said is on the page, every chart is drawn and the player is there."""
        self.player.wait_for()
        self.charts.first.wait_for()
        return self.at_rest()

    def at_rest(self) -> "Lab":
        """The same on a page which may have neither charts nor a player."""
        self.page.wait_for_function(AT_REST, arg=CHART)
        return self

    def in_theme(self, theme: Any) -> "Lab":
        """Change the system's theme in the middle of the visit, and wait for the page to follow."""
        self.page.emulate_media(color_scheme=theme)
        self.page.wait_for_function(IN_THEME, arg=[theme, palette(theme).paper])
        return self.at_rest()

    @property
    def theme(self) -> str:
        """The theme that the page is drawn in."""
        return self.page.get_by_test_id("stApp").evaluate("app => getComputedStyle(app).colorScheme")

    def serious_faults(self, context: Any = None, **options: Any) -> list[tuple[str, str, str]]:
        """What axe-core finds moderate, serious or critical: the rule, the element and what to do.

        Not `region`: Streamlit's menus and dialogs float outside of every landmark. See docs/accessibility.md.

        Args:
            context: What to look at and what to leave out, as axe-core has it.
            options: Of axe-core's, such as the rules to be tried.
        """
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(Axe().axe_script)
        violations = self.page.evaluate(
            "([context, options]) => axe.run(context ?? document, options).then((found) => found.violations)",
            [context, {"resultTypes": ["violations"]} | options],
        )
        return [
            (violation["id"], node["html"], node["failureSummary"])
            for violation in violations
            if violation["impact"] != "minor" and violation["id"] != "region"
            for node in violation["nodes"]
        ]

    def serious_faults_by_theme(self, context: Any = None) -> dict[str, list[tuple[str, str, str]]]:
        """The same in the theme that the page has, and then in the other, in which it stays; none for one without a fault."""
        first = self.theme
        other = "dark" if first == "light" else "light"
        faults = {first: self.serious_faults(context)}
        faults[other] = self.in_theme(other).serious_faults(context, **RULES_OF_COLOUR)
        return {theme: found for theme, found in faults.items() if found}

    def in_window(self, size: Any) -> "Lab":
        """Change the window's size in the middle of the visit, and wait for everything to take its place."""
        self.page.set_viewport_size(size)
        self.page.evaluate(STILL, CHART)
        return self

    def too_wide(self) -> list[str]:
        """What reaches beyond the window at its side, or scrolls sideways."""
        return self.page.evaluate(TOO_WIDE, CHART)

    def out_of_reach(self) -> list[str]:
        """What can be pressed, read or dragged, and cannot be come to without scrolling the page sideways."""
        return self.page.evaluate(OUT_OF_REACH)

    def covered(self) -> list[str]:
        """What of the player and the keys beside it lies under something else."""
        return self.page.evaluate(COVERED)

    # --------------------------------------------------------------------------------------------------- a lesson

    def answer(self, words: str) -> "Lab":
        """Answer a lesson's question (or press Skip, or Ask again), and wait for the page to take it in."""
        with self.rerun():
            self.page.locator(".st-key-answers").get_by_role("button", name=words, exact=True).click()
        return self

    def follow(self, label: str) -> "Lab":
        """Click a link under "Try next", or the button to the next lesson, and wait for the page behind it."""
        with self.rerun():
            self.page.locator(".st-key-try_next, .st-key-next_lesson").get_by_role("link", name=label).click()
        return self

    @contextmanager
    def rerun(self, *, player: bool = True) -> Generator[None]:
        """Do what makes the page's script run, and wait until it has; with `player`, also for the player and a chart.

        What was done before is answered first: else its run would pass for this one.
        """
        self.page.wait_for_function(ANSWERED)
        before = self.count("runs")
        yield
        self.page.wait_for_function("(before) => watch.runs > before", arg=before)
        self.settled() if player else self.at_rest()

    @property
    def query(self) -> dict[str, str]:
        """The settings in the address, without whether "More settings" is open: `control` opens it by the way."""
        query = dict(parse_qsl(urlsplit(self.page.url).query))
        return {name: text for name, text in query.items() if (name, text) != ("settings", "open")}

    @property
    def experiment(self) -> Experiment:
        """What the address says, a bare one the opening example; one that needs a correction fails the test."""
        if not self.query:
            return OPENING.experiment
        experiment, sentences = Experiment.from_query(self.query)
        assert not sentences
        return experiment

    def wait_for_query(self, **fields: str) -> None:
        """Until the address holds these settings."""
        self.page.wait_for_function(
            "(fields) => Object.entries(fields).every("
            "([name, text]) => new URLSearchParams(location.search).get(name) === text)",
            arg=fields,
        )

    # -------------------------------------------------------------------------------------------- the side bar

    @property
    def sidebar(self) -> Locator:
        return self.page.get_by_test_id("stSidebar")

    @property
    def more(self) -> Locator:
        """What opens and closes "More settings"; not there on a lesson."""
        return self.sidebar.get_by_text("More settings", exact=True)

    def control(self, role: Any, name: str) -> Locator:
        """A control of the side bar; where it stands under "More settings", that is opened."""
        control = self.sidebar.get_by_role(role, name=name, exact=True)
        closed = self.sidebar.locator("details:not([open])").filter(has_text="More settings")
        if closed.count() and not control.count():
            with self.rerun(player=False):
                self.more.click()
            control.wait_for()
            # A list that is opened while it moves is closed again.
            self.page.evaluate(STILL, "[data-testid=stExpander]")
        return control

    def field(self, label: str) -> Locator:
        return self.control("textbox", label)

    def type(self, label: str, text: str) -> None:
        """Type into a field, press Enter, and wait for the page to take it in."""
        field = self.field(label)
        with self.rerun():
            field.fill(text)
            field.press("Enter")

    def choose(self, label: str, option: str) -> None:
        control = self.control("combobox", label)
        wanted = self.page.get_by_role("option", name=option, exact=True)
        with self.rerun():
            for _ in range(4):
                control.click()
                try:
                    wanted.wait_for(timeout=5000)
                    break
                except TimeoutError:  # the page has run again under the list and closed it, or this press has
                    continue
            wanted.click()

    def chosen(self, label: str) -> str:
        return self.control("combobox", label).input_value()

    @property
    def scale(self) -> Locator:
        return self.control("switch", "Scale features")

    @property
    def complaint(self) -> Locator:
        """Sentences about bad values."""
        return self.sidebar.locator("[data-testid=stMarkdown]").filter(has_text="Got ")

    @property
    def menu(self) -> Locator:
        """What the button Examples opens."""
        return self.page.get_by_test_id("stPopoverBody")

    def example(self, title: str) -> None:
        with self.rerun():
            self.sidebar.get_by_role("button", name="Examples").click()
        with self.rerun():
            self.menu.get_by_role("button", name=re.compile(rf"^{re.escape(title)}\s")).click()
        expect(self.menu).to_be_hidden()

    # ---------------------------------------------------------------------------------------------- the player

    @property
    def player(self) -> Locator:
        return self.page.get_by_role("group", name="Player")

    @property
    def slider(self) -> Locator:
        return self.player.get_by_role("slider", name="Epoch")

    def button(self, name: str) -> Locator:
        """A button of the player."""
        return self.player.get_by_role("button", name=name, exact=True)

    def command(self, name: str) -> Locator:
        """A button beside the player: Train, Stop, Reset, New start."""
        return self.page.locator(".st-key-buttons").get_by_role("button", name=name, exact=True)

    def train(self) -> "Lab":
        """Press Train and wait until the player has started on the new run."""
        before = self.count("starts")
        self.command("Train").click()
        self.page.wait_for_function("(before) => watch.starts > before", arg=before)
        return self

    def to_end(self) -> "Lab":
        if self.player.get_by_role("button", name="More keys", expanded=False).is_visible():
            self.button("More keys").click()
        self.button("To end").click()
        return self.ended()

    def ended(self) -> "Lab":
        """Wait until the player rests at the end of a whole run."""
        expect(self.button("Play")).to_be_visible()
        # beside other settings than its own a run's verdict is not said
        self.player.locator(".summary:not([hidden]), .note:not(:empty)").first.wait_for()
        expect(self.slider).to_have_value(str(self.last))
        return self

    def paused(self) -> "Lab":
        expect(self.button("Play")).to_be_visible()
        return self

    def play_through(self) -> "Lab":
        """Let a run that plays come to its end on a player's clock of a quarter of a second a frame, frame by frame.

        Playwright's clock is one for the whole browser, and could not be taken away again for the visitors to come.
        """
        self.page.evaluate("watch.hurry = 250")
        self.ended()
        self.page.evaluate("watch.hurry = 0")
        return self

    def seek(self, epoch: int) -> "Lab":
        """Move the slider to an epoch, as a drag does."""
        self.slider.fill(str(epoch))
        return self

    def epoch(self) -> int:
        return int(self.slider.input_value())

    def speed(self, label: str) -> "Lab":
        self.player.get_by_role("combobox", name="Speed").select_option(label)
        return self

    def passed(self, epoch: int) -> "Lab":
        """Wait until the charts are beyond an epoch."""
        self.page.wait_for_function(
            f"(epoch) => +document.querySelector('{CHART} input[name=epoch]').value > epoch", arg=epoch
        )
        return self

    @property
    def last(self) -> int:
        """The end of the slider."""
        return int(self.slider.get_attribute("max") or 0)

    @property
    def summary(self) -> Locator:
        """The sentences about the whole run, shown at its end."""
        return self.player.locator(".summary")

    def verdict(self) -> str:
        """The sentence that the player shows."""
        return " ".join(self.player.locator(".said p:visible").all_inner_texts())

    @property
    def judgement(self) -> Locator:
        """What a lesson's box says of the answer, from the end of the run on."""
        return self.page.locator(".judged.lit p")

    def judged(self) -> str:
        """The same as text."""
        return self.judgement.inner_text()

    @property
    def note(self) -> Locator:
        return self.player.locator(".note")

    def closer(self, name: str) -> Locator:
        """What opens numbers, parameters, steps and the rest under the player."""
        return self.page.locator(".st-key-tab").get_by_role("radio", name=name, exact=True)

    # ---------------------------------------------------------------------------------------- charts and numbers

    @property
    def charts(self) -> Locator:
        return self.page.locator(CHART)

    def chart(self, text: str) -> Locator:
        """A chart by the first words of its text; `FIT`, `MAP` and `ERROR` are the three beside the numbers."""
        return self.page.locator(f"{CHART}[aria-label^='{text}'] svg.marks")

    def chart_epochs(self) -> set[str]:
        """Where each chart stands, from the input that the player moves."""
        return set(
            self.page.locator(f"{CHART} input[name=epoch]").evaluate_all("all => all.map((i) => i.value)")
        )

    def charts_at(self, epoch: int) -> "Lab":
        """Wait until every chart, also one that was drawn anew, stands at this epoch."""
        self.page.wait_for_function(
            f"(epoch) => [...document.querySelectorAll('{CHART} input[name=epoch]')].every((i) => +i.value === epoch)",
            arg=epoch,
        )
        return self

    def drawing(self, text: str) -> str:
        """All marks of a chart as text."""
        return self.chart(text).evaluate("svg => svg.innerHTML")

    def ticks(self, text: str, axis: str) -> tuple[float, float]:
        """Slope and intercept that turn pixels of a chart's plot into values, read off the labels of axis X or Y."""
        labels = self.chart(text).locator(f"[aria-label^='{axis}-axis'] .role-axis-label text")
        marked = labels.evaluate_all(
            """all => all.filter((label) => label.textContent && label.getAttribute('text-anchor') !== 'start')
            .map((label) => [label.transform.baseVal[0].matrix, parseFloat(getComputedStyle(label).fontSize), label])
            .map(([at, size, label]) => [at.e, at.f - 0.3 * size, label.textContent])"""
        )
        (x0, y0, first), *_, (x1, y1, last) = marked
        low, high = (x0, x1) if axis == "X" else (y0, y1)
        slope = (number(last) - number(first)) / (high - low)
        return slope, number(first) - slope * low

    def live(self) -> dict[str, str]:
        """The live numbers, by the column that they show, with all their digits."""
        return self.page.locator("[data-live]").evaluate_all(
            "all => Object.fromEntries(all.map((one) => [one.dataset.live, one.title || one.textContent]))"
        )

    # --------------------------------------------------------------------------------------------- from page to page

    def go(self, path: str) -> "Lab":
        """Come to another address of the app without loading it anew, as Back and Forward do."""
        with self.rerun():
            self.page.evaluate(
                "path => { history.pushState(null, '', path); dispatchEvent(new PopStateEvent('popstate')); }",
                path,
            )
        return self

    def count(self, what: str) -> int:
        """How many frames were painted, charts embedded, scripts run, players started since the last mark."""
        return self.page.evaluate("(what) => watch[what]", what)

    def mark(self) -> None:
        self.page.evaluate("watch.mark()")


@contextmanager
def claim(words: str) -> Generator[None]:
    """One claim of a visit with several: what fails inside says which it was."""
    try:
        yield
    except (AssertionError, Error) as error:
        error.add_note(f"The claim was: {words}")
        raise


def number(text: str) -> float:
    """The value of a number as the page writes it."""
    return float(text.replace("−", "-").replace("∞", "inf").replace(",", ""))


def same_digits(text: str, value: float, digits: int = 6) -> bool:
    """Whether `text` shows `value` to so many digits; the last may differ by one, since the browser has 32 bits."""
    shown = number(text)
    if value == shown:
        return True
    unit = 10.0 ** (int(f"{value:e}".partition("e")[2]) - digits + 1)
    return abs(shown - value) <= 1.5 * unit

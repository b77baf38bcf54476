"""The bones that every lesson has: heading, predict first, the player, the formula, what to notice, what to try next."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from html import escape
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlencode

import streamlit as st

from gd_core.lessons.glossary import spoken
from gd_core.settings.experiment import Experiment
from gd_core.settings.fields import Flag
from pages.ui.classroom import picture, teaching
from pages.ui.classroom.picture import Drawn
from pages.ui.look import formulas, look, navigation, projector, session
from pages.ui.look.navigation import LESSONS
from pages.ui.settings.next_steps import Link
from pages.ui.settings.page_settings import UNSURE, PageSettings

if TYPE_CHECKING:
    from pages.ui.takeaway.takeaway import Taken


FURTHER = Flag(default=False, title="Further", help="What needs more than derivatives.")


class Question(NamedTuple):
    """What is asked before a run, and the answers to choose from, by key."""

    text: str
    answers: Mapping[str, str]
    outcomes: Mapping[str, str] = {}  # the same within a sentence, where it is not the answer itself

    def told(self, key: str) -> str:
        """An answer within a sentence."""
        return _as_clause((self.outcomes or self.answers)[key])


class Then(NamedTuple):
    """Another run to predict: what it is called, and what the lesson loads for it."""

    label: str
    settings: Any
    options: Mapping[str, Any] = {}


def next_of(page: PageSettings[Any], runs: Mapping[str, Any]) -> Then:
    """Of several runs the one after that which the page shows, or the first."""
    labels = list(runs)
    here = [label for label in labels if runs[label] == page.settings]
    label = labels[(labels.index(here[0]) + 1) % len(labels) if here else 0]
    return Then(label, runs[label])


class Judged(NamedTuple):
    """What the trained run says of a question.

    Attributes:
        truth: Key of the answer that the run itself has given; several after a dead heat, each of them right.
        why: Gives a line to a wrong answer's key: why it was tempting, and what it overlooks.
        drawn: What a class's phones are shown of it.
    """

    truth: str | tuple[str, ...]
    why: Callable[[str], str]
    drawn: Callable[[], Drawn] | None = None

    @property
    def truths(self) -> tuple[str, ...]:
        """The keys of the right answers."""
        return (self.truth,) if isinstance(self.truth, str) else self.truth


class Asked(NamedTuple):
    """A question on the page, and the place in its box for the judgement; None while it waits for an answer."""

    page: PageSettings[Any]
    question: Question
    place: Any
    then: Then | None = None

    def judge(self, judged: Callable[[], Judged]) -> None:
        """Mark the answer given and the right one, and say what happened. The player shows it when the run has ended.

        Args:
            judged: Trains the run, whether the page shows it or not, and judges by it. For a class it is asked before.
        """
        if self.place is None:
            return
        if teaching.is_open():
            with self.place:
                teaching.box(lambda: self._for_class(judged))
            return
        said = self.page.guess
        if said not in self.question.answers:  # "skip", or an answer to another of the lesson's questions
            said = None
        found = judged()
        truths, why = found.truths, found.why
        truth = said if said in truths else truths[0]
        told = f"What happened: {self.question.told(truth)}."
        if said == truth:
            told = f"You were right: {self.question.told(truth)}."
        elif said:
            told = f"You said: {self.question.told(said)}. {told}"
        line = why(said) if said and said != truth else ""
        answers = "".join(_answer(key, words, said, truth) for key, words in self.question.answers.items())
        kept = {
            "take": self.page.take,  # of another run it is another judgement
            "lesson": self.page.name,
            "asked": self.question.text,
            "said": self.question.told(said) if said else "",
            "happened": self.question.told(truth),
        }
        marks = " ".join(f'data-{name}="{escape(text)}"' for name, text in kept.items())
        self.place.html(
            f'<div class="judged" data-ended {marks}><ul class="answers">{answers}</ul>'
            f'<p role="status"><span><b>{escape(told)}</b> {escape(line)}</span></p></div>'
        )

    def _for_class(self, judged: Callable[[], Judged]) -> teaching.Put:
        """The question as a class is asked it."""
        page, question, then = self.page, self.question, self.then
        keys = list(question.answers)

        def judgement() -> teaching.Judgement:
            found = judged()
            truths = found.truths
            return teaching.Judgement(
                right=tuple(keys.index(key) for key in truths),
                sentence=f"What happened: {', or '.join(question.told(key) for key in truths)}.",
                why=tuple("" if key in truths else found.why(key) for key in keys),
                picture=picture.svg(found.drawn()) if found.drawn else "",
            )

        return teaching.Put(
            question=teaching.Question(
                title=LESSONS[page.name] + (f", η = {page.rate}" if page.rate else ""),
                text=question.text,
                answers=tuple(question.answers.values()),
                address=f"{page.name}?{urlencode(page.link())}",
            ),
            judgement=judgement,
            shown=page.revealed,
            show=page.show,
            then=then and (then.label, partial(page.load, then.settings, **then.options)),
        )


def _answer(key: str, words: str, said: str | None, truth: str) -> str:
    """An answer in the judged list, with a sign and a word for it."""
    signs = {"right": ("✓", "right"), "wrong": ("✗", "not so")}
    kind = "right" if key == truth else "wrong" if key == said else ""
    mark, meaning = signs.get(kind, ("", ""))
    sign = f'<span class="mark" role="img" aria-label="{meaning}">{mark}</span>' if kind else ""
    yours = '<span class="yours">Your answer: </span>' if key == said else ""
    return f'<li class="{kind} {"said" if key == said else ""}">{sign}{yours}{escape(words)}</li>'


@dataclass
class Doors:
    """The glossary's words that are links on the page already.

    Attributes:
        terms: The entries' terms.
    """

    terms: set[str] = field(default_factory=set)


@dataclass
class InSymbols:
    """What the lesson says in symbols.

    Attributes:
        formula: In LaTeX; "" is none.
    """

    formula: str = ""

    def write(self) -> None:
        if self.formula:
            with st.container(key="formula"):
                st.html(f"<p>{formulas.html(self.formula)}</p>")


def linked(text: str, link: str = '<a href="{url}" target="_blank">{word}</a>') -> str:
    """A text in which a word of the glossary is a link to it, where it stands on the page for the first time."""
    done = ""
    for start, end, term in reversed(spoken(text, session.held(Doors).terms)):
        url = f"glossary?{urlencode({'q': term})}"
        done = link.format(url=url, word=text[start:end]) + text[end:] + done
        text = text[:start]
    return text + done


def first_words() -> None:
    """A page begins: each word of the glossary is a link again where it comes first."""
    session.held(Doors).terms = set()


def heading(title: str, sentence: str, formula: str = "") -> None:
    """The page's name, and one sentence that says what will be seen.

    Args:
        title: The page's name.
        sentence: What will be seen.
        formula: The same in symbols, in LaTeX. It stands below the picture, with what to notice; on a projector, where a key
            shows it, up here.
    """
    look.apply()
    first_words()
    look.title(title, linked(sentence), navigation.place())
    symbols = session.held(InSymbols)
    symbols.formula = formula
    if projector.on():
        symbols.write()


def predict(page: PageSettings[Any], question: Question, then: Then | None = None) -> Asked:
    """Ask before the run is shown. `Asked.judge` puts into the same box what the answer was worth.

    Args:
        page: Holds the answer.
        question: What is asked.
        then: Another run to predict, offered when this one is shown.
    """
    with st.container(key="predict", border=True):
        with st.container(horizontal=True, vertical_alignment="center", key="question"):
            text = linked(question.text, "[{word}]({url})")
            st.markdown(f"**Predict first.** {text}", width="stretch")
            if not projector.on() and not teaching.is_open():
                page.switch("ask")
        if not teaching.is_open():
            teaching.why_not()
        with st.container(horizontal=True, key="answers", gap="small"):
            if teaching.is_open():
                return Asked(page, question, st.container(), then)
            if page.revealed:
                # not `st.empty`, which every run of the page would clear until it has judged
                place = st.container()
                with st.container(key="answered", gap=None, width="content"):
                    if page["ask"]:
                        st.button(
                            "Ask again", key="ask_again", type="tertiary", on_click=page.answer, args=(None,)
                        )
                    if then and not projector.on():
                        st.button(
                            f"Predict another: {then.label}", key="predict_another", type="tertiary",
                            on_click=page.load, args=(then.settings,), kwargs=dict(then.options),
                        )  # fmt: skip
                return Asked(page, question, place)
            for key, words in question.answers.items():
                st.button(words, key=f"{page.name} answer {key}", on_click=page.answer, args=(key,))
            st.button("Skip", key="skip", type="tertiary", on_click=page.answer, args=(UNSURE,))
    return Asked(page, question, None)


def _as_clause(words: str) -> str:
    """An answer inside a sentence."""
    words = words.rstrip(".")
    return words if words[:2].isupper() or not words[1:2].islower() else words[0].lower() + words[1:]


def transport() -> Any:
    """The container for the player: it stays at the foot of the window."""
    return st.container(key="transport")


def waits(page: PageSettings[Any]) -> str:
    """Why the player does not play yet, for its note; on a projector there is no room for it."""
    return (
        ""
        if page.revealed or projector.on() or teaching.is_open()
        else "Answer the question, or skip it. Then the run plays."
    )


def further(page: PageSettings[Any], what: str) -> Any:
    """A closed box for what goes beyond the way that needs derivatives only; None while it is closed: nothing is sent.

    The lesson has the option `further`, which is `FURTHER`, so that a link can open it.
    """
    box = page.draw(st.expander, "further", f"Further: {what}")
    return box if page["further"] else None


def notice(lines: tuple[str, ...], page: PageSettings[Any] | None) -> None:
    """What to notice, in three lines at most; where a question is asked, from the end of the run on."""
    head, when = '<p class="panel-title">What to notice</p>', ""
    if page and not page.revealed:
        lines = ("That comes with the end of the run.",)
    elif page and page.guesses:
        when = f' data-ended data-take="{escape(page.take)}"'
    body = "".join(f"<li>{linked(line)}</li>" for line in lines[:3])
    with st.container(key="notice"):
        st.html(f"{head}<ul{when}>{body}</ul>")


def try_next(*links: Link) -> None:
    """Ways on, each with exactly the experiment that its label promises."""
    with st.container(key="try_next"):
        st.html('<p class="panel-title">Try next</p>')
        for link in links:
            way_to(link)


def way_to(link: Link) -> None:
    """One way on."""
    st.page_link(
        f"pages/{link.page}.py",
        label=link.label,
        icon=":material/arrow_forward:",
        query_params=query_of(link),
    )


def go_on() -> None:
    """The one button to the next lesson; after the last to Train."""
    following = navigation.following(navigation.here())
    label = "Train: try it yourself"
    if following in LESSONS:
        label = f"Next: lesson {[*LESSONS].index(following) + 1}, {LESSONS[following]}"
    with st.container(key="next_lesson"):
        st.page_link(f"pages/{following}.py", label=label, query_params=query_of(Link("", following)))


def closing(
    lines: tuple[str, ...], links: tuple[Link, ...], shown: tuple[PageSettings[Any], Taken] | None = None
) -> None:
    """The formula, what to notice and what to try next, the button to the next lesson, and what can be taken away.

    Args:
        lines: What to notice.
        links: Ways on, besides the next lesson.
        shown: The settings of the page, and the runs that the page shows, by name, or its network; None if it shows none.
    """
    left, right = st.columns([3, 2], gap="large")
    with left:
        if not projector.on():
            session.held(InSymbols).write()
        notice(lines, shown[0] if shown else None)
    with right:
        if links:
            try_next(*links)
        go_on()
        if shown:
            from pages.ui.takeaway import takeaway

            page, runs = shown
            takeaway.button(page.name, LESSONS[page.name], lambda: runs, st.query_params.to_dict)


def query_of(link: Link) -> dict[str, str]:
    """The address behind a link."""
    settings = link.settings.to_query() if link.settings is not None else {}
    return {**settings, **link.options, **projector.query()}


def experiment(dataset: str, **fields: Any) -> Experiment:
    """An experiment with the usual settings of a data set, but for these."""
    return replace(Experiment.default(dataset), **fields)

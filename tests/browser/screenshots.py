"""The pictures of the README, from the real app: `make screenshots`, and `make screenshots ARGS=class` for one of them."""

import sys
from base64 import b64encode
from pathlib import Path

from playwright.sync_api import Browser, ViewportSize, expect, sync_playwright

from chromium import executable_path
from lab import VIEWPORT, Lab
from serving import ROOT, serving

IMAGES = ROOT / "docs" / "images"
PHONE = {"width": 390, "height": 844}
TALL = {"width": 1400, "height": 1300}  # with what is opened under the player
OPENING = "/"
DIVERGES = "/?dataset=noisy-quadratic&learning_rate=5e-5&epochs=1000"
# name: address, epoch to stop at, size, theme
PICTURES = {
    "train-light": (OPENING, 120, VIEWPORT, "light"),
    "train-dark": (OPENING, 120, VIEWPORT, "dark"),
    "diverged": (DIVERGES, None, VIEWPORT, "light"),
    "valleys": ("/?dataset=tide", None, TALL, "light"),
    "phone": (OPENING, 120, PHONE, "light"),
    "learning-rate": ("/learning_rate?ask=false", None, VIEWPORT, "light"),
    "deep-networks": ("/deep_networks?ask=false", None, VIEWPORT, "light"),
}
WALL, HANDS = {"width": 1280, "height": 720}, {"width": 390, "height": 720}
VOTES = ((4, 2, 6, 3, 4, 1), (1, 0, 15, 2, 2, 0))  # by round, of each answer
SIDE_BY_SIDE = (
    """<body style="margin: 0; padding: 16px; display: flex; gap: 16px; background: #888">{}</body>"""
)
FRAMED = '<img style="height: 540px; border-radius: 8px" src="data:image/png;base64,{}">'


def a_class(browser: Browser, url: str) -> None:
    """A lesson on the wall and two phones of the class, when the run has decided the second vote."""

    def opened(path: str, size: ViewportSize) -> Lab:
        lab = Lab(browser.new_context(viewport=size, color_scheme="light").new_page(), url)
        lab.page.goto(url + path)
        return lab

    wall = opened("/one_parameter", WALL).settled()
    wall.page.get_by_role("button", name="With a class").click()
    code = wall.page.locator(".ways-in .code").inner_text().replace(" ", "")
    wall.page.keyboard.press("p")
    words = [f"phone{number:017d}" for number in range(sum(VOTES[1]) - 2)]
    for word in words:
        wall.page.request.post(f"{url}/join/enter", data={"room": code, "word": word})
    phones = [opened(f"/join?room={code}", HANDS) for _ in range(2)]
    for round, votes in enumerate(VOTES, 1):
        wall.page.keyboard.press("a" if round == 1 else "g")
        answers = [answer for answer, count in enumerate(votes) for _ in range(count)]
        for word, answer in zip(words, answers[2:] if round == 2 else answers, strict=False):
            vote = {"room": code, "word": word, "answer": answer, "number": 1, "round": round}
            expect(wall.page.locator(".st-key-class_show")).to_be_visible()
            wall.page.request.post(f"{url}/join/vote", data=vote)
        for phone, answer in zip(phones, answers[:2] if round == 2 else (0, 4), strict=True):
            phone.page.locator("button.answer").nth(answer).click()
            expect(phone.page.locator("button.answer").nth(answer)).to_have_attribute("aria-pressed", "true")
    wall.page.keyboard.press("r")
    expect(wall.page.locator("table.run .lit")).to_be_visible()
    wall.page.mouse.move(1, 1)
    wall.page.evaluate(
        "document.activeElement.blur(), document.querySelector('[data-testid=stMain]').scrollTo(0, 0)"
    )
    wall.settled()
    shots = [b64encode(one.page.screenshot(animations="disabled")).decode() for one in (wall, *phones)]
    both = browser.new_page(viewport={"width": 1616, "height": 572})
    both.set_content(SIDE_BY_SIDE.format("".join(map(FRAMED.format, shots))))
    both.locator("body").screenshot(path=IMAGES / "class.png")
    for key in ("class_end", "class_delete"):
        wall.page.locator(f".st-key-{key} button").click()
    expect(wall.page.locator(".st-key-class")).to_have_count(0)


def main() -> None:
    """Take every picture anew, or those that are named."""
    asked = sys.argv[1:] or [*PICTURES, "class"]
    IMAGES.mkdir(parents=True, exist_ok=True)
    with serving() as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=executable_path(), args=["--no-sandbox", "--disable-gpu"]
        )
        for name in (one for one in PICTURES if one in asked):
            path, epoch, size, theme = PICTURES[name]
            context = browser.new_context(viewport=size, color_scheme=theme)
            lab = Lab(context.new_page(), server.url).open_page(path)
            if lab.command("Train").count():
                lab.train()
            if (more := lab.player.get_by_role("button", name="More keys", expanded=False)).is_visible():
                more.click()  # on a phone
            while not lab.summary.is_visible():  # a long run goes on coming in
                lab.button("To end").click()
            if epoch is not None:
                lab.page.evaluate("document.fonts.ready")
                lab.seek(epoch)
            if size is TALL:
                with lab.rerun():
                    lab.page.get_by_role("radio", name="In relief").click()
            lab.page.mouse.move(1, 1)
            lab.page.evaluate("document.querySelector('[data-testid=stMain]').scrollTo(0, 0)")
            lab.settled()
            lab.page.screenshot(path=IMAGES / f"{name}.png", animations="disabled")
            print(Path("docs", "images", f"{name}.png"))
            context.close()
        if "class" in asked:
            a_class(browser, server.url)
        browser.close()


if __name__ == "__main__":
    main()

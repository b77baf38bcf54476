"""The pictures of the README, from the real app: `make screenshots`."""

from pathlib import Path

from playwright.sync_api import sync_playwright

from chromium import executable_path
from lab import VIEWPORT, Lab
from serving import ROOT, serving

IMAGES = ROOT / "docs" / "images"
PHONE = {"width": 390, "height": 844}
OPENING = "/"
DIVERGES = "/?dataset=noisy-quadratic&learning_rate=5e-5&epochs=1000"
# name: address, epoch to stop at, size, theme
PICTURES = {
    "train-light": (OPENING, 120, VIEWPORT, "light"),
    "train-dark": (OPENING, 120, VIEWPORT, "dark"),
    "diverged": (DIVERGES, None, VIEWPORT, "light"),
    "phone": (OPENING, 120, PHONE, "light"),
    "learning-rate": ("/learning_rate?ask=false", None, VIEWPORT, "light"),
    "deep-networks": ("/deep_networks?ask=false", None, VIEWPORT, "light"),
}


def main() -> None:
    """Take every picture anew."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    with serving() as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=executable_path(), args=["--no-sandbox", "--disable-gpu"]
        )
        for name, (path, epoch, size, theme) in PICTURES.items():
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
            lab.page.mouse.move(1, 1)
            lab.page.evaluate("document.querySelector('[data-testid=stMain]').scrollTo(0, 0)")
            lab.settled()
            lab.page.screenshot(path=IMAGES / f"{name}.png", animations="disabled")
            print(Path("docs", "images", f"{name}.png"))
            context.close()
        browser.close()


if __name__ == "__main__":
    main()

"""A link to hand on: its full address, a field to copy it from, and a QR code large enough for a projector."""

from collections.abc import Mapping
from io import BytesIO
from urllib.parse import urlencode, urlsplit

import streamlit as st

from gd_core.words import counted

LARGEST_CODE = 25  # the version with 117 × 117 modules; a telephone at the back of a class sees no finer ones
_ON_CLOUD = "/~/+"  # Streamlit Community Cloud shows an app in a frame at this path of its public address


def app(page: str = "") -> str:
    """The full address of the app on this server, as the visitor of one of its pages sees it, without a slash at its end."""
    base = (st.context.url or "/").split("?")[0].split(_ON_CLOUD)[0]
    return base.rstrip("/").removesuffix(f"/{page}")


def address(query: Mapping[str, str]) -> str:
    """The full address of Train on this server, as its visitor sees it, with these settings."""
    return f"{app()}/?{urlencode(query)}"


def is_of_this_computer(link: str) -> bool:
    """Whether a link leads to the very computer on which it is opened."""
    return urlsplit(link).hostname in ("localhost", "127.0.0.1", "::1")


def qr(link: str) -> str | None:
    """A QR code as SVG, black on white in any theme; None if the link is too long for one that can be scanned."""
    import segno  # when a code is wanted

    try:
        code = segno.make(link, error="l", micro=False)  # a better level is taken where it costs no size
    except segno.DataOverflowError:
        return None
    if int(code.version) > LARGEST_CODE:
        return None
    out = BytesIO()
    code.save(out, kind="svg", scale=10, border=4, dark="#000", light="#fff", xmldecl=False, omitsize=True)
    return out.getvalue().decode()


def field(link: str) -> None:
    """The link, with a button that copies it."""
    st.code(link, language=None, wrap_lines=True)
    if is_of_this_computer(link):
        st.caption(
            "The app runs on this computer, so link and code work here only: no phone can open them. For a class, open this "
            "page by the computer’s address in the network."
        )


def code(link: str, file: str) -> None:
    """The link's QR code, also to download under this name; or a sentence where there is none."""
    picture = qr(link)
    if picture is None:
        st.markdown(
            f":orange[:material/info:] The link has {counted(len(link), 'character')}, too many for a QR code that can be "
            "scanned from a distance. Hand on the link itself."
        )
        return
    with st.container(key="qr"):
        st.image(picture, alt="QR code of the link", width="stretch")
    st.download_button(
        "Download the code (SVG)", picture, file_name=f"{file}.svg", mime="image/svg+xml",
        icon=":material/download:", on_click="ignore", key=f"download_{file}",
    )  # fmt: skip

"""A link to hand on: its full address, a field to copy it from, and a QR code large enough for a projector."""

from collections.abc import Mapping
from io import BytesIO
from urllib.parse import urlencode

import segno
import streamlit as st

from gd_core.words import counted

LARGEST_CODE = 25  # the version with 117 × 117 modules; a telephone at the back of a class sees no finer ones
_ON_CLOUD = "/~/+"  # Streamlit Community Cloud shows an app in a frame at this path of its public address


def address(query: Mapping[str, str]) -> str:
    """The full address of Train on this server, as its visitor sees it, with these settings."""
    base = (st.context.url or "/").split("?")[0].split(_ON_CLOUD)[0]
    return f"{base.rstrip('/')}/?{urlencode(query)}"


def qr(link: str) -> str | None:
    """A QR code as SVG, black on white in any theme; None if the link is too long for one that can be scanned."""
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

"""Data in a link that notices when it was changed: JSON, deflated, in base64url, with a checksum. No torch.

Honesty, not secrecy: whoever has this file can read such a link and make another one.
"""

import base64
import hashlib
import json
import zlib
from typing import Any

from gd_core.settings.fields import ParameterError, quoted

VERSION = "1"
LONGEST = 20_000  # characters of a link that is read,
LARGEST = 200_000  # and bytes that it may unfold to
_CHECK_BYTES = 6  # eight characters; one changed link in 2⁴⁸ would pass
_CHECK = 8
# What most links hold, for the compressor to point at. It is a part of the format: another text is another version.
_USUAL = (
    b'{"e":{"dataset":"noisy-quadratic","two-features","one-parameter","points":"noise":"data_seed":"optimizer":'
    b'"gradient-descent","momentum","nesterov","adagrad","rmsprop","adam","alpha":"beta1":"beta2":"epsilon":'
    b'"batch_size":"start":"random","seed":"before":"loss":"mse-broadcast","scale_features":"true","learning_rate":'
    b'"0.01","epochs":"1000"},"f":"learning_rate","l":"dataset,epochs,optimizer","f":"dataset,points,noise,data_seed,'
    b"loss,optimizer,learning_rate,momentum,alpha,beta1,beta2,epsilon,batch_size,scale_features,start,seed,before,"
    b'epochs,theory","t":"Find a learning rate ","q":"Why","r":1.5,"n":100'
)


def pack(kind: str, data: dict[str, Any]) -> str:
    """A link's text for JSON data; `kind` is what it says of itself, such as "task"."""
    plain = json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()
    deflate = zlib.compressobj(9, wbits=-15, zdict=_USUAL)
    body = VERSION + _letters(deflate.compress(plain) + deflate.flush())
    return body + _checksum(kind, body)


def unpack(kind: str, text: str) -> dict[str, Any]:
    """The inverse of `pack`.

    Raises:
        ParameterError: If anything in the link was changed or cut off, or another version made it.
    """
    body, check = text[:-_CHECK], text[-_CHECK:]
    whole = len(text) <= LONGEST and check == _checksum(kind, body)
    if whole and body[:1] != VERSION:
        raise ParameterError(
            kind, f"{kind} must be a link of version {VERSION}: ask for a new one. Got {body[:1]}."
        )
    try:
        if not whole:
            raise ValueError(text)
        inflate = zlib.decompressobj(wbits=-15, zdict=_USUAL)
        plain = inflate.decompress(base64.urlsafe_b64decode(body[1:] + "=" * (-len(body[1:]) % 4)), LARGEST)
        data = json.loads(plain.decode())
        if not isinstance(data, dict):
            raise TypeError(text)
    except (ValueError, TypeError, RecursionError, zlib.error):  # UnicodeError is a ValueError
        raise ParameterError(
            kind,
            f"{kind} must be a whole link: its checksum does not fit, so it was changed or cut off on its way. "
            f"Got {quoted(text)}.",
        ) from None
    return data


def _letters(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _checksum(kind: str, body: str) -> str:
    data = f"{kind} {body}".encode(errors="surrogatepass")
    return _letters(hashlib.blake2s(data, digest_size=_CHECK_BYTES).digest())

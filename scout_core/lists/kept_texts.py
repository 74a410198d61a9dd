"""Typed texts under names that may stand in an address, for a search may be a phone or a name.

The texts stay in the memory of this process: another process, or one that was started later, does
not know a name that this one gave, and a list under such a name is empty, never unfiltered.
"""

import hashlib
import hmac
import os
import threading
from collections import OrderedDict

from scout_core.lists import filters

MARK = "~"
MOST = 10_000

_key = os.urandom(32)
_texts: OrderedDict[str, str] = OrderedDict()
_lock = threading.Lock()


def in_address(text: str) -> str:
    """What an address says for a typed text: the text where it is part of a key or a number of a
    row, else a name for it. The same text has the same name; the oldest of 10,000 is forgotten."""
    if not text or filters.is_like_a_key(text):
        return text
    name = MARK + hmac.new(_key, text.encode(errors="replace"), hashlib.sha256).hexdigest()[:32]
    with _lock:
        _texts[name] = text
        _texts.move_to_end(name)
        while len(_texts) > MOST:
            _texts.popitem(last=False)
    return name


def from_address(said: str) -> str:
    """The text that an address stands for; a name that is not known here comes back as it is."""
    with _lock:
        return _texts.get(said, said)

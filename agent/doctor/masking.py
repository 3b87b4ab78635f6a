"""A text without its secrets, however they are written there."""

import base64
import json
import math
import re
from collections.abc import Iterable, Iterator
from typing import Final
from urllib.parse import quote, quote_plus

HIDDEN: Final = "***"
SHORT: Final = 4  # characters; shorter ones are hidden where they stand alone
LINE: Final = 8  # characters of one line of a secret of several
BEGIN: Final = 16  # characters that are enough to know a long one by, where a text was cut
CORE: Final = 8  # characters of base64 that are no accident
URL_SAFE: Final = "!#$%&'()*+,/:;=?@[]~"  # as the kind json writes its requests

WORD: Final = (
    r"[\w.-]*(?:pass|pwd|secret|token|api[_-]?key|credential|kennwort|cookie|session[_-]?id"
    r"|private[_-]?key|access[_-]?key|psk)[\w.-]*"
)
VALUE: Final = r"(\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'|[^\s,;&\"'}\])]+)"
HARMLESS: Final = r"(?!\s*(?:null|true|false|none|\*\*\*|\"\*\*\*\"|\{))"
HEADER: Final = r"(?i)(\b(?:(?:proxy-)?authorization|(?:set-)?cookie)[\"']?\s*[:=]\s*)"
OF_JSON: Final = r"[ \t]*(?:[,}\]]|\n|\Z)"  # what follows a text there
NO_HEADER: Final = rf"(?!\s|\"\*\*\*\"{OF_JSON}|\{{\s*[\"']?(?:env|file)\b)"
PATTERNS: Final = (
    (re.compile(r"-----BEGIN [^-\n]+-----.*?(?:-----END [^-\n]+-----|\Z)", re.DOTALL), HIDDEN),
    (re.compile(rf"{HEADER}\"(?:[^\"\\\n]|\\.)*\"(?={OF_JSON})"), rf'\1"{HIDDEN}"'),
    (re.compile(rf"{HEADER}{NO_HEADER}[^\n]+"), rf"\1{HIDDEN}"),
    (re.compile(r"(?i)(\b(?:bearer|basic|digest)\s+)[A-Za-z0-9+/=._~-]{6,}"), rf"\1{HIDDEN}"),
    (re.compile(r"([a-zA-Z][a-zA-Z0-9+.-]*://)[^/\s@\"']+@"), rf"\1{HIDDEN}@"),
    (re.compile(r"([?&][\w.%~-]+=)[^&\s\"'#<>]+"), rf"\1{HIDDEN}"),
    (re.compile(rf"(?i)(\b{WORD}[\"']?\s*=\s*){HARMLESS}{VALUE}"), rf"\1{HIDDEN}"),
    (re.compile(r"(?im)^(\s*SetCredential\w*=).*$"), rf"\1{HIDDEN}"),
)  # fmt: skip
# In texts of others: our own say "password: found ...", and never the password.
COLON: Final = re.compile(rf"(?i)(\b{WORD}[\"']?\s*:\s+){HARMLESS}{VALUE}")
URL: Final = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*://[^\s\"'<>]+")
AFTER_WORD: Final = re.compile(
    r"(?i)(?<![\w-])((?:api|keys?|tokens?|api[_-]?keys?|auth|secrets?)/(?:v\d[\d.]*/)*)"
    r"(?!v\d[\d.]*(?:/|\b))[^/\s\"'<>?#]+"
)
KEY_IN_PATH: Final = re.compile(r"(?<=/)(?=[\w-]*\d)(?=[\w-]*[A-Za-z])[\w-]{20,}")
MAC: Final = re.compile(
    r"(?i)\b((?:[0-9a-f]{2}([:-]))(?:[0-9a-f]{2}\2){2})(?:[0-9a-f]{2}\2){2}[0-9a-f]{2}\b"
)
UUID: Final = re.compile(r"(?i)\b([0-9a-f]{8})-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")
UID: Final = re.compile(r"(?i)\b([0-9a-f]{8})[0-9a-f]{16,}\b")


class Mask:
    """Hides known secrets, and what looks like one.

    Args:
        secrets: Texts that must not be seen.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        whole: set[str] = set()
        words: set[str] = set()
        for secret in {each.strip() for each in secrets} - {"", HIDDEN}:
            (whole if len(secret) >= SHORT else words).add(secret)
            whole |= {line.strip() for line in secret.splitlines() if len(line.strip()) >= LINE}
        forms = {form for secret in whole for form in written(secret)}
        parts = [re.escape(form) for form in sorted(forms, key=len, reverse=True)]
        parts += [rf"(?<!\w){re.escape(word)}(?!\w)" for word in sorted(words)]
        self._known = re.compile("|".join(parts)) if parts else None

    def __call__(self, text: str, *, is_ours: bool = False) -> str:
        """The text without them; ``is_ours`` for sentences of the agent itself."""
        if self._known is not None:
            text = self._known.sub(HIDDEN, text)
        for pattern, instead in PATTERNS:
            text = pattern.sub(instead, text)
        if not is_ours:
            text = COLON.sub(rf"\1{HIDDEN}", text)
        text = URL.sub(lambda found: KEY_IN_PATH.sub(HIDDEN, _hide_after_word(found[0])), text)
        text = MAC.sub(r"\1xx\2xx\2xx", text)
        return UID.sub(r"\1...", UUID.sub(r"\1-...", text))


def _hide_after_word(url: str) -> str:
    return AFTER_WORD.sub(rf"\1{HIDDEN}", url)


def written(secret: str) -> Iterator[str]:
    """The ways in which a secret may stand in a text.

    >>> "a%20b%2Fc1" in set(written("a b/c1"))
    True
    """
    data = secret.encode("utf-8", "surrogateescape")
    texts = {
        secret, repr(secret)[1:-1], json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        secret.encode("unicode_escape").decode("ascii"),
        "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in secret),
        quote(data, safe=""), quote(data), quote(data, safe=URL_SAFE),
        quote(data, safe=f"{URL_SAFE}%"), quote_plus(data),
        data.hex(), data.hex().upper(), data.hex(" "),
    }  # fmt: skip
    texts |= {re.sub("%[0-9A-F]{2}", lambda found: found[0].lower(), text) for text in texts}
    yield from (text for text in texts if len(text) >= SHORT)
    if len(secret) > 2 * BEGIN:
        yield secret[:BEGIN]
    for core in base64_cores(data):
        yield core
        yield core.replace("+", "-").replace("/", "_")


def base64_cores(data: bytes) -> Iterator[str]:
    """What base64 always has of some bytes, whatever stands before and after them.

    >>> [core in "dXNlcjpodW50ZXIyMw==" for core in base64_cores(b"hunter23")]
    [False, False, True]
    """
    for before in range(3):
        text = base64.b64encode(bytes(before) + data).decode("ascii")
        first = math.ceil(before * 8 / 6)
        last = (before + len(data)) * 8 // 6
        core = text[first:last]
        if len(core) >= CORE:
            yield core

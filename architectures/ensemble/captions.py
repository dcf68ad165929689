"""The caption language: one sentence form, decidable from tags, box and keypoints."""

from architectures.ensemble.attributes import (
    CATEGORIES,
    COLOURS,
    PATTERNS,
    PLACES,
    SIZES,
    TILTS,
)

END = 0
"""Token that ends a caption, and starts its decoding."""

LENGTH = 11
"""Most tokens of a caption, its end included."""

_GLUE = ("a", "on", "in", "the", "tilted")
VOCABULARY = (
    "",
    *sorted({*_GLUE, *CATEGORIES, *COLOURS, *PATTERNS, *SIZES, *PLACES, *TILTS}),
)
_TOKENS = {word: token for token, word in enumerate(VOCABULARY)}


def compose(*, size: str, colour: str, pattern: str, category: str, place: str, tilt: str) -> str:
    """The caption of an image, for example ``a small red striped hat on the left tilted right``."""
    where = "in the center" if place == "center" else f"on the {place}"
    how = tilt if tilt == "upright" else f"tilted {tilt}"
    return f"a {size} {colour} {pattern} {category} {where} {how}"


def tokens(caption: str) -> list[int]:
    """A caption as ``LENGTH`` tokens, filled up with ``END``."""
    known = [_TOKENS[word] for word in caption.split()]
    return known + [END] * (LENGTH - len(known))


def text(row: list[int]) -> str:
    """The caption that a row of tokens spells, up to its first ``END``."""
    stop = row.index(END) if END in row else len(row)
    return " ".join(VOCABULARY[token] for token in row[:stop])

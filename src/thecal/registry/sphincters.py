"""What a ward writes of bladder, bowel and anal examination, and the registry's word for it.

The words stay as they were written; what is derived is a **convention of this program**. A disorder that is
named without its degree ("retention", "incontinence") is ``impaired``, as the published cases are understood
(`thecal.registry.literature`); ``none`` only where it is written that nothing is left ("complete retention",
"no voluntary control"). How urine is led off ("catheter") tells neither, and nor does what this list does
not hold: then it is asked for.
"""

from __future__ import annotations

import re
from typing import Final

from thecal.errors import InputError

CONVENTION: Final = (
    "Retention, incontinence and the like count as impaired, and as none only where nothing was left "
    "(complete retention, no voluntary control): a convention of this program."
)
BLADDER: Final[dict[str, tuple[str, ...]]] = {
    "normal": ("normal", "normal function", "normal bladder", "normal bladder function", "normal voiding"),
    "impaired": (
        *("impaired", "retention", "urinary retention", "acute retention", "acute urinary retention"),
        *("partial retention", "incomplete retention", "residual urine", "incomplete emptying"),
        *(
            "incontinence",
            "urinary incontinence",
            "incontinent",
            "incontinent of urine",
            "partial incontinence",
        ),
        *("overflow", "overflow incontinence", "dysfunction", "bladder dysfunction", "urinary dysfunction"),
        *("urinary disorder", "neurogenic bladder", "voiding difficulty", "difficulty voiding", "straining"),
    ),
    "none": (
        *("none", "complete retention", "complete urinary retention", "total retention"),
        *("complete incontinence", "complete urinary incontinence", "total incontinence"),
        *("no control", "no voluntary control", "no voluntary voiding", "unable to void", "cannot void"),
    ),
}
BOWEL: Final[dict[str, tuple[str, ...]]] = {
    "normal": ("normal", "normal function", "normal bowel", "normal bowel function", "normal defecation"),
    "impaired": (
        *("impaired", "incontinence", "faecal incontinence", "fecal incontinence", "bowel incontinence"),
        *("incontinent", "partial incontinence", "soiling", "constipation", "constipated"),
        *("retention", "faecal retention", "fecal retention", "dysfunction", "bowel dysfunction"),
        *("defecation disorder", "neurogenic bowel"),
    ),
    "none": (
        *("none", "complete incontinence", "complete faecal incontinence", "complete fecal incontinence"),
        *("total incontinence", "no control", "no voluntary control"),
    ),
}
ANAL: Final[dict[str, tuple[str, ...]]] = {
    "yes": (
        *("yes", "y", "present", "preserved", "intact", "normal", "felt"),
        *("weak", "reduced", "decreased", "diminished", "impaired", "partial"),
    ),
    "no": ("no", "n", "none", "absent", "lost", "not present", "not felt", "abolished"),
}
"""ISNCSCI asks whether there is any: what is weak or reduced is there."""
WORDS: Final = {"bladder": BLADDER, "bowel": BOWEL, "anal_contraction": ANAL, "anal_pressure": ANAL}
"""By scale; within each the registry's word, and what is read as it."""
OTHER: Final = {"bladder": "bowel", "bowel": "bladder"}
LED_OFF: Final = re.compile(r"\b(?:catheter\w*|foley|cystostom\w*|urostom\w*|stoma|colostom\w*|[ci]ic|isc)\b")
"""How urine or stool leave, which says nothing of whether she could hold or pass them."""
_BETWEEN: Final = re.compile(r"\s*(?:[,;/+&()]|\band\b|\bwith\b)\s*")


def read_sphincter(scale: str, text: str) -> str | None:
    """The registry's word for what was written; None where it is nothing that is read.

    Several disorders in one place ("retention with overflow") count as the worst of them. Beside one of them
    a catheter is passed over, and so is what is said of the other of bladder and bowel.

    Raises
    ------
    InputError
        Where only a catheter or a stoma was written.
    """
    known = {each: word for word, several in WORDS[scale].items() for each in several}
    plain = " ".join(text.lower().replace("-", " ").split()).strip(" .")
    if plain in known:
        return known[plain]
    if scale not in ("bladder", "bowel"):
        return None
    pieces = [piece.strip(" .") for piece in _BETWEEN.split(plain) if piece.strip(" .")]
    told = [piece for piece in pieces if not LED_OFF.search(piece)]
    if pieces and not told:
        raise InputError(
            f"A catheter or stoma does not say what is left of the {scale}: normal, impaired or none, or "
            "what there was (retention, incontinence)"
        )
    other = {each for several in WORDS[OTHER[scale]].values() for each in several} - set(known)
    found = {known.get(piece) for piece in told if piece not in other}
    if not found or None in found or ("normal" in found and len(pieces) > 1):
        return None
    return "none" if "none" in found else "impaired"

"""Sources as BibTeX; what is not known has no field, and how surely a source is known is its note."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from thecal.registry.literature.library import CERTAINTY_WORDS, Source

SPECIAL: Final = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
}
"""Characters that BibTeX and LaTeX read as commands."""


def to_bibtex(sources: Iterable[Source]) -> str:
    """The sources as one BibTeX file, in their order.

    Parameters
    ----------
    sources : iterable of Source

    Returns
    -------
    str
        UTF-8 text; identifiers are written as they are, names and titles with LaTeX's signs escaped.
    """
    return "\n".join(_entry(source) for source in sources)


def _entry(source: Source) -> str:
    fields = {
        "author": _authors(source.authors),
        "title": None if source.title is None else f"{{{_escaped(source.title)}}}",
        "journal": source.journal and _escaped(source.journal),
        "year": None if source.year is None else str(source.year),
        "volume": source.volume,
        "number": source.issue,
        "pages": source.pages and source.pages.replace("-", "--"),
        "doi": source.doi,
        "pmid": source.pmid,
        "pmcid": source.pmcid,
        "url": source.url,
        "note": _escaped(_note(source)),
    }
    kind = "article" if source.journal and source.title else "misc"
    lines = [f"  {name} = {{{value}}}" for name, value in fields.items() if value]
    return f"@{kind}{{{source.id},\n" + ",\n".join(lines) + "\n}\n"


def _note(source: Source) -> str:
    certain = CERTAINTY_WORDS[source.certainty]
    read = f"{certain[0].upper()}{certain[1:]}; {source.read}, {source.read_on.isoformat()}"
    return f"{read}. {source.note}" if source.note else read


def _authors(names: str | None) -> str | None:
    """Names as ``family, initials``, joined by ``and``; a family name alone stays alone."""
    if names is None:
        return None
    made = []
    for name in names.split("; "):
        family, _, initials = name.rpartition(" ")
        made.append(f"{family}, {initials}" if family else name)
    return _escaped(" and ".join(made))


def _escaped(text: str) -> str:
    return "".join(SPECIAL.get(sign, sign) for sign in text)

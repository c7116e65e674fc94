"""The key images and the page for paper as DICOM objects in the study of the images."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from thecal import __version__
from thecal.report.palette import FAINT, INK
from thecal.terms import RESEARCH_USE
from thecal.volume import Volume

if TYPE_CHECKING:
    from thecal.report.drawing import Picture

EDGE_PX: Final = 24
# The words under a narrow picture are no narrow column.
LEAST_PX: Final = 1100
WORDS_PX: Final = 22
LINE_PX: Final = 30


def write_key_images(folder: Path, volume: Volume, pictures: Mapping[str, Picture]) -> None:
    """Write each picture of the page as a Secondary Capture, ``key_image_<name>.dcm``.

    Parameters
    ----------
    folder : Path
    volume : Volume
        Of DICOM images that can be referred to (``originals.why_not_referable``).
    pictures : mapping
        Those of :func:`thecal.report.html.draw_pictures`.

    Raises
    ------
    InputError
        Where the input can no longer be read.
    """
    from thecal.dicom.originals import originals_of
    from thecal.dicom.secondary_capture import Capture, make_captures

    captures = [
        Capture(name, with_words(picture, simulated=volume.source.simulated), picture.caption)
        for name, picture in pictures.items()
    ]
    for capture, data in zip(
        captures, make_captures(captures, originals_of(volume.source), version=__version__), strict=True
    ):
        data.save_as(folder / key_image_file(capture.name), enforce_file_format=True)


def write_pdf_document(folder: Path, volume: Volume, pdf: bytes, *, identified: bool) -> None:
    """Write the page for paper as Encapsulated PDF, ``report_pdf.dcm``; ``volume`` as for the key images."""
    from thecal.dicom.encapsulated_pdf import make_encapsulated_pdf
    from thecal.dicom.originals import originals_of
    from thecal.report.pdf import TITLE

    data = make_encapsulated_pdf(
        pdf,
        f"{TITLE} (research use only)",
        originals_of(volume.source),
        version=__version__,
        identified=identified,
    )
    data.save_as(folder / "report_pdf.dcm", enforce_file_format=True)


def key_image_file(name: str) -> str:
    """The file of a picture of that name."""
    return f"key_image_{name}.dcm"


def with_words(picture: Picture, *, simulated: bool = False) -> npt.NDArray[np.uint8]:
    """A picture with its caption and what it may be used for written under it, (rows, columns, 3).

    An archive shows it without the page around it.
    """
    from PIL import Image, ImageDraw

    height, drawn = picture.pixels.shape[:2]
    width = max(drawn, LEAST_PX)
    plain, bold = _typeface("DejaVuSans"), _typeface("DejaVuSans-Bold")
    usual = "average words in a caption"
    letters = int(width / plain.getlength(usual) * len(usual))
    lines = textwrap.wrap(picture.caption, letters - 4)
    maker = f"thecal {__version__}" + (" · simulated scan, no patient" if simulated else "")
    total = height + LINE_PX * (len(lines) + 2) + 3 * EDGE_PX
    sheet = Image.new("RGB", (width + 2 * EDGE_PX, total), "white")
    sheet.paste(Image.fromarray(picture.pixels), (EDGE_PX, EDGE_PX))
    pen, y = ImageDraw.Draw(sheet), height + 2 * EDGE_PX
    for line in lines:
        pen.text((EDGE_PX, y), line, font=plain, fill=FAINT)
        y += LINE_PX
    pen.text((EDGE_PX, y), RESEARCH_USE, font=bold, fill=INK)
    pen.text((EDGE_PX, y + LINE_PX), maker, font=plain, fill=FAINT)
    return np.asarray(sheet)


def _typeface(name: str) -> Any:
    from matplotlib import get_data_path
    from PIL import ImageFont

    return ImageFont.truetype(str(Path(get_data_path()) / "fonts" / "ttf" / f"{name}.ttf"), WORDS_PX)

"""One compressed frame to stored values, for each transfer syntax that a permissive decoder exists for."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

NATIVE: Final = {
    "1.2.840.10008.1.2": "<",
    "1.2.840.10008.1.2.1": "<",
    "1.2.840.10008.1.2.1.99": "<",
    "1.2.840.10008.1.2.2": ">",
}
RLE: Final = "1.2.840.10008.1.2.5"
LOSSLESS_JPEG: Final = {"1.2.840.10008.1.2.4.57", "1.2.840.10008.1.2.4.70"}
JPEG_LS: Final = {"1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.81"}
JPEG_2000: Final = {
    "1.2.840.10008.1.2.4.90",
    "1.2.840.10008.1.2.4.91",
    # high-throughput JPEG 2000
    "1.2.840.10008.1.2.4.201",
    "1.2.840.10008.1.2.4.202",
    "1.2.840.10008.1.2.4.203",
}
# What ``decode`` raises on a damaged frame, found by damaging frames at random; the last where a stream gives
# a size that no memory holds.
DAMAGED_FRAME: Final = (ValueError, RuntimeError, MemoryError)
READABLE: Final = set(NATIVE) | {RLE} | LOSSLESS_JPEG | JPEG_LS | JPEG_2000


def decode(data: bytes, syntax: str, rows: int, columns: int, bits_allocated: int) -> npt.NDArray[Any]:
    """One encapsulated frame to its stored values, bits as they are.

    Parameters
    ----------
    data : bytes
        One frame's compressed stream.
    syntax : str
        Transfer syntax UID, one of ``READABLE`` but not native.
    rows, columns, bits_allocated : int

    Returns
    -------
    (rows, columns) array of unsigned integers

    Raises
    ------
    ValueError, RuntimeError, MemoryError
        Where the data is damaged or of another size.
    """
    if syntax == RLE:
        from thecal.dicom.run_lengths import decode as decode_runs

        return decode_runs(data, rows, columns, bits_allocated)
    plain: Any
    if syntax in LOSSLESS_JPEG:
        from thecal.dicom.lossless_jpeg import decode as decode_lossless

        image = decode_lossless(data)
        return _shaped(image.tobytes(), rows, columns)
    elif syntax in JPEG_LS:
        import jpeg_ls

        plain, _ = jpeg_ls.decode_pixel_data(data)
    else:
        import openjpeg

        plain = openjpeg.decode_pixel_data(data, version=2)
    return _shaped(bytes(plain), rows, columns)


def _shaped(plain: bytes, rows: int, columns: int) -> npt.NDArray[Any]:
    size, rest = divmod(len(plain), rows * columns)
    if rest or size not in (1, 2, 4):
        raise ValueError("the image is not of the size that its header gives")
    return np.frombuffer(plain, f"<u{size}").reshape(rows, columns)

"""MetaImage volumes (.mha, .mhd with its raw file), as ITK writes them."""

from __future__ import annotations

import math
import zlib
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from thecal.errors import InputError
from thecal.volume import FloatArray

HEADER_BYTES = 65_536
TYPES = {
    "MET_CHAR": "i1",
    "MET_UCHAR": "u1",
    "MET_SHORT": "i2",
    "MET_USHORT": "u2",
    "MET_INT": "i4",
    "MET_UINT": "u4",
    "MET_LONG": "i4",
    "MET_ULONG": "u4",
    "MET_LONG_LONG": "i8",
    "MET_ULONG_LONG": "u8",
    "MET_FLOAT": "f4",
    "MET_DOUBLE": "f8",
}


def read_metaimage(path: Path) -> tuple[npt.NDArray[Any], FloatArray, bool]:
    """Voxels and geometry of a MetaImage.

    Returns
    -------
    array : (i, j, k) numbers
        First index fastest in memory.
    affine : (4, 4) float64
        Index to LPS mm.
    placed : bool
        Whether the file gives an orientation.

    Raises
    ------
    InputError
        Where the file is damaged, truncated, or no volume of one number a voxel.
    """
    with path.open("rb") as stream:
        head = stream.read(HEADER_BYTES)
    fields, data_at = _fields(head, path.name)
    try:
        size = tuple(int(word) for word in fields["DimSize"].split())
        dtype = np.dtype(TYPES[fields["ElementType"].upper()])
        spacing = _numbers(fields, ("ElementSpacing", "ElementSize"), len(size)) or [1.0] * len(size)
        origin = _numbers(fields, ("Offset", "Position", "Origin"), len(size)) or [0.0] * len(size)
        cosines = _numbers(fields, ("TransformMatrix", "Rotation", "Orientation"), len(size) ** 2)
        channels = int(fields.get("ElementNumberOfChannels", "1"))
        header_bytes = max(int(fields.get("HeaderSize", "0") or 0), 0)
    except (KeyError, ValueError) as error:
        raise InputError(f"The MetaImage header of {path.name} is not complete.") from error
    if len(size) == 4 and size[3] == 1:
        turned = np.array(cosines).reshape(4, 4)[:3, :3].ravel().tolist() if cosines else None
        size, spacing, origin, cosines = size[:3], spacing[:3], origin[:3], turned
    if len(size) != 3 or channels != 1 or min(size) < 1:
        raise InputError(f"{path.name} is not one volume of one number a voxel.")
    plain = _voxels(path, fields, data_at, header_bytes, math.prod(size) * dtype.itemsize)
    order: Literal["<", ">"] = (
        ">" if _yes(fields, "BinaryDataByteOrderMSB") or _yes(fields, "ElementByteOrderMSB") else "<"
    )
    array = np.frombuffer(plain, dtype.newbyteorder(order)).reshape(size, order="F")
    affine = np.eye(4)
    # One row of the file's matrix is the direction of one array axis.
    turned_axes = np.array(cosines or np.eye(3).ravel()).reshape(3, 3).T
    affine[:3, :3] = turned_axes * np.abs(spacing)
    affine[:3, 3] = origin
    return array, affine, cosines is not None


def _fields(head: bytes, name: str) -> tuple[dict[str, str], int]:
    fields: dict[str, str] = {}
    at = 0
    while True:
        end = head.find(b"\n", at)
        if end < 0:
            raise InputError(f"The MetaImage header of {name} has no end.")
        key, _, value = head[at:end].decode("latin-1").partition("=")
        fields[key.strip()] = value.strip()
        at = end + 1
        if key.strip() == "ElementDataFile":
            return fields, at


def _voxels(path: Path, fields: dict[str, str], data_at: int, header_bytes: int, size: int) -> bytes:
    where = fields["ElementDataFile"]
    if where.upper() == "LOCAL":
        source, start = path, data_at
    else:
        if where.upper().startswith("LIST") or "%" in where:
            raise InputError(f"{path.name} spreads its voxels over many files, which is not supported.")
        if "\0" in where:
            raise InputError(f"The MetaImage header of {path.name} is damaged.")
        source, start = path.parent / where, header_bytes
        if source.resolve().parent != path.resolve().parent:
            raise InputError(f"The voxels of {path.name} lie outside its folder, so they are not read.")
        if not source.is_file():
            raise InputError(f"The file {where} that belongs to {path.name} is not there.")
    with source.open("rb") as stream:
        stream.seek(start)
        data = stream.read()
    if _yes(fields, "CompressedData"):
        unpack = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)
        try:
            data = unpack.decompress(data, size)
        except zlib.error as error:
            raise InputError(f"The voxels of {path.name} are damaged.") from error
    if len(data) < size:
        raise InputError(f"{path.name} is truncated: {size - len(data)} bytes of its voxels are missing.")
    return data[:size]


def _numbers(fields: dict[str, str], keys: tuple[str, ...], count: int) -> list[float] | None:
    for key in keys:
        if key in fields:
            numbers = [float(word) for word in fields[key].split()]
            if len(numbers) != count:
                raise ValueError(key)
            return numbers
    return None


def _yes(fields: dict[str, str], key: str) -> bool:
    return fields.get(key, "False").lower() in {"true", "1"}

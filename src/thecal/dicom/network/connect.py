"""An archive by the protocol of its address."""

from __future__ import annotations

from thecal.dicom.network.address import Address, Caller, WebAddress
from thecal.dicom.network.archive import Archive


def open_archive(address: Address, caller: Caller, *, move_port: int | None = None) -> Archive:
    """An archive at an address.

    Parameters
    ----------
    address : Address
    caller : Caller
    move_port : int or None
        For DIMSE: fetch by C-MOVE to this port of ours, in place of C-GET.
    """
    if isinstance(address, WebAddress):
        from thecal.dicom.network.web import WebArchive

        return WebArchive(address, caller)
    from thecal.dicom.network.dimse import DimseArchive

    return DimseArchive(address, caller, move_port=move_port)

"""Needle tracks: where needles went through the pedicles, whatever fills their ways now."""

from thecal.leakage.tracks.find import TracksFound, find_tracks

__all__ = ["TracksFound", "find_tracks"]

"""Reading scans: DICOM and volume files."""

from thecal.dicom.reading import kind_of, list_series, read

__all__ = ["kind_of", "list_series", "read"]

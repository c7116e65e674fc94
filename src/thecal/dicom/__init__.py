"""Reading scans: DICOM and volume files."""

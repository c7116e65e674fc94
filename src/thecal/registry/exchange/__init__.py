"""Cases in and out: CSV, REDCap, FHIR and Parquet. Only `leaving` decides what may go out."""

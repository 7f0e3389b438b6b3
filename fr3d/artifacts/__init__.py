"""What passes between commands: schemas, HDF5 files, CSV tables, provenance, safe writing."""

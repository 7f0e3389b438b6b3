"""How data sets lay out captures on disk, one module a layout."""

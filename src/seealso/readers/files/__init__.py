"""Files of rows: delimited text, JSON and Parquet, each also compressed and in parts."""

from seealso.readers.files.source import FileSource

__all__ = ["FileSource"]

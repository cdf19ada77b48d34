"""Encodes the texts of a catalogue on Spark: ``python encode.py seealso.toml vectors``."""

import sys

from pyspark.sql import SparkSession

from seealso import load_settings
from seealso.indexer.batches import VECTOR_COLUMNS, encode_rows

config, target = sys.argv[1:]
settings = load_settings(config)
spark = SparkSession.builder.appName("seealso").getOrCreate()
rows = spark.read.parquet(str(settings.catalogue.path))
vectors = rows.mapInArrow(encode_rows(settings), VECTOR_COLUMNS)
vectors.write.mode("overwrite").parquet(target)
spark.stop()

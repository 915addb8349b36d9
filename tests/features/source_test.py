"""Keys of several columns as one text, and back."""

from __future__ import annotations

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from features.source import columns_of, text_of


def test_columns_come_back_from_their_text(spark: SparkSession) -> None:
    rows = [
        ("a", "", "b:c"),
        ("3:x", "12:34", ":"),
        ("", "", ""),
        ("é\n", "😀", "1"),
        ("long " * 300, "2", ""),
    ]
    names = ("one", "two", "three")
    frame = spark.createDataFrame(rows, list(names))
    for some in (names, names[1:], names[:1]):
        text = text_of(some)
        back = frame.select(text.alias("text"), *some).select(
            F.struct(*some), *columns_of(F.col("text"), some)
        )
        for row in back.collect():
            assert tuple(row[0]) == tuple(row[1:])
    assert frame.select(text_of(names)).distinct().count() == len(rows)

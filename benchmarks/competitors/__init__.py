"""One file a competitor: ``answer(question)`` writes Parquet with a row per event and a column per feature."""

"""The jobs: read, call, write. Only this package and operations hold a Spark session or a clock."""

"""Storage: raw logs, contracts, ingest, quarantine, tables, runs and locks. Knows no entity, window or model."""

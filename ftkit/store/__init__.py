"""Engine and transactions, migrations, queries, files."""

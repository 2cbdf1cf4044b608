"""Files that are handed over with a model: what another server runs. They import nothing of ftkit and are copied as they are."""

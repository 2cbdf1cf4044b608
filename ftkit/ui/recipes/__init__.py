"""Where the settings of a run come from besides the recipes that ftkit brings."""

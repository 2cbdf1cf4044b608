"""Rating studies: frozen answers, raters, and their ratings."""

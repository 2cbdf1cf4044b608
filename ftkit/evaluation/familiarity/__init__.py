"""How well base models know data before any training: a choice between candidates."""

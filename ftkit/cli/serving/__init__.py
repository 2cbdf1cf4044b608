"""``ftkit serve``, ``ftkit serving`` and ``ftkit keys``: the gateway from the command line."""

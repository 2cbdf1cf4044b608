"""JSON messages over a local connection: no pickles, whoever is on the other side."""

import json
from multiprocessing.connection import Connection
from typing import Any


def send(connection: Connection, message: dict[str, Any]) -> None:
    """Send one message."""
    connection.send_bytes(json.dumps(message).encode())


def receive(connection: Connection) -> dict[str, Any]:
    """Wait for one message.

    Raises:
        EOFError: the other side has gone.
    """
    message: dict[str, Any] = json.loads(connection.recv_bytes())
    return message

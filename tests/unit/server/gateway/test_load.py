"""Many clients at once: no answer is lost or mixed, and none is lost while versions are switched under load."""

import threading
import uuid
from collections import Counter

CLIENTS, ROUNDS = 30, 4


def test_thirty_clients_get_their_own_answers(place, client) -> None:
    place.deploy("run:a")
    place.parrot.pace = 0.005
    wrong: list[str] = []
    answered = Counter[int]()

    def talk(number: int) -> None:
        for turn in range(ROUNDS):
            canary = uuid.uuid4().hex
            said = [{"role": "user", "content": f"client {number} says {canary}"}]
            if (number + turn) % 2:
                pieces = client.chat.completions.create(model="ftkit", messages=said, stream=True)
                text = "".join(chunk.choices[0].delta.content or "" for chunk in pieces)
            else:
                text = client.chat.completions.create(model="ftkit", messages=said).choices[0].message.content
            if text != f"a: client {number} says {canary}":
                wrong.append(text)
            answered[number] += 1

    threads = [threading.Thread(target=talk, args=(number,)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert wrong == []
    assert answered == dict.fromkeys(range(CLIENTS), ROUNDS)
    exchanges = place.log.wait_for(CLIENTS * ROUNDS)
    assert len({exchange.id for exchange in exchanges}) == CLIENTS * ROUNDS
    assert all(exchange.messages[0]["content"] in exchange.answer for exchange in exchanges)


def test_a_rollback_under_load_loses_no_request(place, client) -> None:
    place.deploy("run:old")
    new = place.deploy("run:new")
    place.parrot.pace = 0.02
    texts: list[str] = []
    failures: list[Exception] = []
    ended = threading.Event()

    def keep_asking(number: int) -> None:
        count = 0
        while not ended.is_set():
            count += 1
            words = f"{number} {count} and some words that take their time"
            said = [{"role": "user", "content": words}]
            try:
                pieces = client.chat.completions.create(model="ftkit", messages=said, stream=True)
                text = "".join(chunk.choices[0].delta.content or "" for chunk in pieces)
                version, _, rest = text.partition(": ")
                assert rest == words
                texts.append(version)
            except Exception as error:  # noqa: BLE001 - counted below
                failures.append(error)

    threads = [threading.Thread(target=keep_asking, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for _ in range(4):
        ended.wait(0.3)
        place.serving.rollback()
        ended.wait(0.3)
        place.serving.promote(new)
    ended.set()
    for thread in threads:
        thread.join(60)
    assert failures == []
    assert set(texts) == {"old", "new"}
    assert len(texts) > 50
    assert {exchange.status for exchange in place.log.wait_for(len(texts))} == {200}

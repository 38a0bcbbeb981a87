"""An upstream system in a process of its own: sends transfers, and sends again until each is answered.

`python -m tests.upstream HOME NAME SEED` writes a line for each command that was answered: its id, seq and
verdict. It goes on until its standard input ends.
"""

import random
import select
import sys
import time
from pathlib import Path

from engine.client import EngineClient
from engine.errors import Busy, EngineStopped, EngineUnreachable, OutcomeUnknown
from engine.home import LOCAL_KEY, Home
from engine.log.records import Out, wall_clock
from engine.pipeline import Answer
from engine.proof import proof
from schemas.catalogue import decode_event, encode
from schemas.rejections import CommandRepeated
from schemas.transfers import Transfer

CUSTOMERS = 2


def main(home: Home, name: str, seed: int) -> None:
    chance = random.Random(seed)
    key = home.keyring().keys[LOCAL_KEY]
    sent = 0
    with EngineClient(home.socket) as client:
        while not select.select([sys.stdin], [], [], 0)[0]:
            outs = []
            for _ in range(chance.choice((1, 3, 40, 100))):
                sent += 1
                accounts = ["nostro", *(f"a{number}" for number in range(1, CUSTOMERS + 1))]
                debit, credit = chance.sample(accounts, 2)
                command = Transfer(
                    id=f"{name}-{sent}",
                    book="main",
                    actor="admin",
                    issued_at_ms=wall_clock(),
                    debit=debit,
                    credit=credit,
                    amount=chance.choice((1, 100, 1_000_000)),
                    currency="EUR",
                )
                value = encode(command)
                outs.append(Out(b"main", value, proof(LOCAL_KEY, key, value)))
            for number, answer in enumerate(_answers(client, outs), sent - len(outs) + 1):
                sys.stdout.write(f"{name}-{number} {_seen(answer)}\n")
            sys.stdout.flush()
            time.sleep(0.05)  # load enough, and far below the cap at which a book answers `busy`


def _answers(client: EngineClient, outs: list[Out]) -> list[Answer]:
    while True:
        try:
            return client.submit(outs)
        except (OutcomeUnknown, EngineUnreachable, Busy, EngineStopped):
            time.sleep(0.05)


def _seen(answer: Answer) -> str:
    """The seq and the verdict of the command's one outcome, also where it is told again."""
    first = decode_event(answer[0])
    if isinstance(first, CommandRepeated):
        return f"{first.first_seq} {first.reason or 'accepted'}"
    return f"{first.seq} {getattr(first, 'reason', '') or 'accepted'}"


if __name__ == "__main__":
    main(Home(Path(sys.argv[1])), sys.argv[2], int(sys.argv[3]))

"""A process that delivers alerts, to be killed: `python -m tests.webhooks_process DSN KEY-FILE ALERTS`."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

from gateway.webhooks.backoff import Backoff
from gateway.webhooks.delivering import Delivery, Webhooks
from gateway.webhooks.posting import trusting
from gateway.webhooks.sealing import Seal
from tests.webhooks_test import Listed, alert


def main() -> None:
    dsn, key, count = sys.argv[1:]
    alerts = Listed(*(alert(number) for number in range(int(count))))
    how = Delivery(Backoff(first_s=0.05, factor=1.5, most_s=0.5, attempts=50), timeout_s=1.0, spare_s=0.2)
    Webhooks(dsn, alerts, [0], Seal(Path(key)), how, trusting()).run(threading.Event())


if __name__ == "__main__":
    main()

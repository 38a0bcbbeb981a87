"""What can go wrong. A run that never reached one of these has not tested what it says, and fails."""

from __future__ import annotations

from enum import Enum


class Fault(Enum):
    """A kind of fault. The words are what the count of a run shows."""

    ENGINE_DIED_RECOVERING = "engine died while it recovered"
    ENGINE_DIED_DECIDED = "engine died between deciding and committing"
    ENGINE_DIED_COMMITTED = "engine died behind a commit"
    ACK_LOST = "commit done, its acknowledgement lost"
    COMMIT_LOST = "commit not done, nobody was told"
    TAKEOVER = "another engine was given the partition of a living one"
    ZOMBIE = "engine that was overtaken tried to commit"
    COMMAND_TWICE = "command delivered twice"
    COMMAND_LATE = "command overtaken by another producer's"
    COMMAND_AGAIN = "command sent again by its sender, later"
    ID_REUSED = "id used again for something else"
    NO_COMMAND = "record that is no command"
    WRONG_PARTITION = "command put on the wrong partition"
    READER_LATE = "reader saw a commit late"
    STALLED = "process stood still while others worked"
    CLOCK_BACK = "wall clock set back"
    CLOCK_AHEAD = "wall clock jumped ahead"
    FOLLOWER_DIED_FOLDING = "follower died while it folded"
    FOLLOWER_DIED_SIGNING = "follower died between signing and keeping"
    SNAPSHOT_DAMAGED = "snapshot damaged"
    RECEIPT_TORN = "receipt torn in mid-line"
    PROJECTOR_DIED_READING = "projector died while it read"
    PROJECTOR_DIED_MOVED = "projector died with its position moved"
    PROJECTOR_DIED_MADE = "projector died with its changes made"
    PROJECTOR_DIED_COMMITTED = "projector died behind a commit"
    PROJECTOR_OVERTAKEN = "projector found its position moved"
    PROJECTOR_WAITED = "projector waited for another's transaction"
    RELAY_DIED_READING = "relay died while it read"
    RELAY_DIED_SENDING = "relay died before it sent"
    RELAY_DIED_SENT = "relay died when it had sent a part"
    RELAY_LOST = "relay's commands got lost"
    RELAY_TWICE = "relay's commands delivered twice"
    RELAY_SHUFFLED = "relay's commands delivered out of order"
    RELAY_TWIN = "two relays worked"

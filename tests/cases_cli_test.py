"""Cases from the command line: worked by two people with credentials, from the alert to the report."""

from __future__ import annotations

import json
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest

from engine.credentials import new_secret, set_credential
from engine.home import Home
from tests.terminal import Terminal

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]

CASE = "case-0123456789abcdef0123456789abcdef"
OTHER = "case-fedcba9876543210fedcba9876543210"
PEOPLE = ("ann", "ben", "cleo")
WORK = (
    *("OpenCase", "TakeNextCase", "AssignCase", "HandOverCase", "ProposeDecision", "ConfirmDecision"),
    *("RefuseDecision", "ReopenCase", "MergeCases", "PauseCase", "ResumeCase", "TickItem", "AddCaseNote"),
    *("AttachToCase", "LinkToCase", "RestrictCase", "PrioritiseCase", "ReviewQuality", "DraftReport"),
    *("ApproveReport", "SendReportBack", "FileReport", "BlockAccount"),
)
POLICY = {
    "hours": {"time_zone": "UTC"},
    "teams": [{"id": "first", "members": [{"user": one} for one in PEOPLE]}],
    "kinds": [
        {
            "kind": "aml",
            "checklist": [{"id": "source", "text": "Where does the money come from?"}],
            "clocks": [{"first_touch_m": 60, "resolution_m": 1_440}],
            "quality_per_mille": 1_000,
        }
    ],
}


def alert(number: int, **fields: Any) -> dict[str, Any]:
    at = 1_715_767_200_000
    return {
        "type": "Alert",
        "id": f"alert-{number}",
        "source": "typology",
        "kind": "structuring",
        "version": 1,
        "book": "main",
        "at": at,
        "first_at": at,
        "day": "2024-05-15",
        "party": "alice",
        "account": "alice",
        "currency": "EUR",
        "amount": 970_000 + number,
        "confidence": 800,
        "words": "Twice just below 10,000.00 within a day.",
        **fields,
    }


def opening() -> str:
    people: list[dict[str, Any]] = [
        {"type": kind, **fields}
        for one in PEOPLE
        for kind, fields in (
            ("RegisterPerson", {"person": f"person-{one}", "name": one.title()}),
            ("RegisterUser", {"user": one, "person": f"person-{one}"}),
            ("GrantRole", {"subject": one, "role": "investigator"}),
        )
    ]
    role = {"type": "DefineRole", "role": "investigator", "permits": [{"command": one} for one in WORK]}
    bank: list[dict[str, Any]] = [
        {"type": "RegisterParty", "party": "alice", "kind": "person", "name": "Alice", "country": "DE"},
        {"type": "ChangePartyStatus", "party": "alice", "status": "active", "reason": "known"},
        {"type": "OpenAccount", "account": "alice", "kind": "customer", "currency": "EUR", "party": "alice"},
        {"type": "OpenAccount", "account": "nostro", "kind": "nostro", "currency": "EUR"},
        *(
            {"type": "Transfer", "debit": "nostro", "credit": "alice", "amount": amount, "currency": "EUR"}
            for amount in (980_000, 990_000)
        ),
    ]
    policy = {"type": "PublishDocument", "kind": "case_policy", "document": "cases", "version": 1}
    commands: list[dict[str, Any]] = [role, *people, *bank, {**policy, "body": POLICY}]
    return "".join(json.dumps({"book": "main", **one}) + "\n" for one in commands)


class Office:
    """A home, and people who act in it by their credentials."""

    def __init__(self, home: Terminal) -> None:
        self.home = home
        self.secrets = {}
        for one in PEOPLE:
            secret = new_secret()
            set_credential(Home(home.folder / ".daybook"), one, secret)
            self.secrets[one] = {"DAYBOOK_CREDENTIAL": secret}

    def ok(self, who: str, *words: str | Path) -> dict[str, Any]:
        """What was printed last."""
        return self.home.ok("cases", *words, "--as", who, "--json", **self.secrets[who]).last

    def run(self, who: str, *words: str | Path) -> Any:
        return self.home.run("cases", *words, "--as", who, **self.secrets[who])

    def report(self, case: str, *alerts: dict[str, Any], **fields: Any) -> None:
        said = {"type": "ReportAlerts", "book": "main", "case": case, "party": "alice", "alerts": alerts}
        self.home.ok("submit", "-", "--stamp", stdin=json.dumps({**said, **fields}) + "\n")


@pytest.fixture
def office(tmp_path: Path, postgres_dsn: str) -> Office:
    home = Terminal(tmp_path, DAYBOOK_DATABASE_URL=postgres_dsn, COLUMNS="80")
    home.ok("init", "--book", "main", "--second-admin", "")
    home.ok("submit", "-", "--stamp", stdin=opening())
    return Office(home)


def test_a_case_is_worked_from_the_alert_to_the_report(office: Office) -> None:
    home, folder = office.home, office.home.folder
    seqs = [one["seq"] for one in home.ok("events", "--type", "TransferPosted", "--json").lines]
    evidence = [{"book": "main", "seq": seq} for seq in seqs]
    office.report(CASE, alert(1, evidence=evidence), alert(2), priority=700)
    (row,) = home.ok("cases", "queue", "--json").lines
    assert (row["case_id"], row["rank"], row["amounts"]) == (CASE, 1, {"EUR": 1_940_003})
    taken = office.ok("ann", "take")
    assert taken["case_id"] == CASE
    assert office.run("ben", "take").status == 3, "nobody else gets it"
    assert office.ok("ann", "queue", "--mine")["assignee"] == "ann"
    # The checklist comes before a decision; papers, notes, a pause in between.
    early = office.run("ann", "propose", "case-01", "suspicious", "--because", "it looks so")
    assert early.status == 3
    assert "checklist_open" in early.out
    office.ok("ann", "check", "case-01", "source", "--note", "no answer")
    office.ok("ann", "note", "case-01", "Called, nobody picks up.")
    (folder / "letter.pdf").write_bytes(b"%PDF-1.7 we have nothing to say")
    office.ok("ann", "attach", CASE, "letter.pdf")
    office.ok("ann", "pause", CASE, "--because", "asked in writing")
    assert office.ok("ann", "show", CASE)["case"]["waits_for"] == "asked in writing"
    office.ok("ann", "resume", CASE)
    office.ok("ann", "link", CASE, "--account", "nostro")
    office.ok("ann", "escalate", CASE, "--priority", "900", "--because", "more is coming in")
    why = ("--because", "No source of funds.")
    office.ok("ann", "propose", CASE, "suspicious", *why, "--block-account", "alice", "--report")
    assert office.run("ann", "confirm", CASE).status == 3, "not by the same person"
    assert office.run("ben", "confirm", CASE, "--shown", "1").status == 2
    office.ok("ben", "confirm", CASE)
    assert home.ok("account", "alice", "--json").last["blocks"] != {}
    file = office.ok("ben", "show", CASE)
    assert (file["case"]["status"], file["case"]["label"]) == ("closed", "suspicious")
    assert file["checks"][0]["done_by"] == "ann"
    assert [one["type"] for one in file["history"]][-1] == "CaseClosed"
    assert home.ok("replay", "rebuild", "--json").last["ok"]


def test_a_report_is_filed_with_the_pack_that_went_with_it(office: Office) -> None:
    home, folder = office.home, office.home.folder
    seqs = [one["seq"] for one in home.ok("events", "--type", "TransferPosted", "--json").lines]
    office.report(CASE, alert(1, evidence=[{"book": "main", "seq": seq} for seq in seqs]), alert(2))
    office.ok("ann", "take")
    office.ok("ann", "check", CASE, "source")
    office.ok("ann", "note", CASE, "Called, nobody picks up.")
    (folder / "letter.pdf").write_bytes(b"%PDF-1.7 we have nothing to say")
    office.ok("ann", "attach", CASE, "letter.pdf")
    office.ok("ann", "propose", CASE, "suspicious", "--because", "No source of funds.", "--report")
    office.ok("ben", "confirm", CASE)
    (due,) = home.ok("cases", "reports", "--json").lines
    assert (due["case_id"], due["status"]) == (CASE, "required")
    (folder / "story.txt").write_text("Alice received twice just below the threshold.")
    office.ok("ann", "report", CASE, "story.txt")
    assert office.run("ann", "approve-report", CASE).status == 3
    office.ok("ben", "send-back", CASE, "--because", "say when")
    office.ok("ann", "report", CASE, "story.txt")
    office.ok("ben", "approve-report", CASE)
    made = office.ok("ann", "pack", CASE, "-o", "pack.zip")
    assert (made["alerts"], made["receipt"], made["missing"]) == (2, False, [])
    assert [one["packed"] for one in made["papers"]] == [True]
    again = office.ok("ben", "pack", CASE, "-o", "again.zip")
    assert (folder / "pack.zip").read_bytes() == (folder / "again.zip").read_bytes()
    assert again["digest"] == made["digest"]
    with zipfile.ZipFile(folder / "pack.zip") as pack:
        assert b"nothing to say" in pack.read(f"papers/{made['papers'][0]['digest']}")
        assert [json.loads(one)["seq"] for one in pack.read("proof.jsonl").splitlines()][:2] == seqs
    changed = (folder / "pack.zip").read_bytes().replace(b"nobody picks up", b"nobody picked p")
    (folder / "changed.zip").write_bytes(changed)
    assert home.run("cases", "verify-pack", "changed.zip").status == 1
    assert office.run("ann", "file-report", CASE, "changed.zip", "--reference", "FIU-1").status == 2
    office.ok("ann", "file-report", CASE, "pack.zip", "--reference", "FIU-1")
    filed = office.ok("ann", "show", CASE)["reports"][0]
    assert (filed["status"], filed["reference"], filed["evidence"]) == ("filed", "FIU-1", made["digest"])
    assert home.ok("cases", "verify-pack", "pack.zip", "--json").last["ok"]
    # The second look, by a third person; labels and figures.
    assert home.ok("cases", "sample", "--json").last["cases"][0]["case_id"] == CASE
    office.ok("cleo", "second-look", CASE, "remarks", "--because", "ask in writing first")
    assert home.ok("cases", "sample", "--json").last["looks"][0]["remarks"] == 1
    labels = {one["id"]: one["label"] for one in home.ok("cases", "labels", "--json").lines}
    assert labels == {"alert-1": "suspicious", "alert-2": "suspicious"}
    (outcome,) = home.ok("cases", "outcomes", "--json").lines
    assert (outcome["hits"], outcome["bad"], outcome["precision_per_mille"]) == (2, 2, 1_000)
    home.ok("replay", "verify")
    home.ok("replay", "redecide")


def test_what_people_read_fits_the_terminal(office: Office) -> None:
    office.report(CASE, alert(1), priority=700)
    office.report(OTHER, alert(2), priority=100)
    office.ok("ann", "take")
    for words in (("queue",), ("workload",), ("ageing",), ("outcomes",), ("sample",), ("reports",)):
        printed = office.home.ok("cases", *words).out
        assert printed.strip()
        assert max(map(len, printed.splitlines())) <= 80, (words, printed)
    shown = office.home.ok("cases", "show", "case-01").out
    assert "Twice just below" in shown


def test_a_case_that_is_kept_to_some_is_not_there_for_others(office: Office) -> None:
    office.report(CASE, alert(1))
    office.ok("ann", "take")
    office.ok("ann", "keep-to", CASE, "ann", "ben")
    assert office.ok("ben", "show", CASE)["case"]["people"] == ["ann", "ben"]
    for words in (("show", CASE), ("pack", CASE, "-o", "x.zip"), ("note", CASE, "let me in")):
        refused = office.run("cleo", *words)
        assert (refused.status, "There is no case" in refused.err) == (2, True), words
    assert not (office.home.folder / "x.zip").exists()
    assert "No case is open." in office.home.ok("cases", "queue").out, "nor for an administrator"
    assert office.home.run("cases", "queue", "--as", "ben").status == 2, "nobody is ben by saying so"
    office.ok("ann", "keep-to", CASE)
    assert office.ok("cleo", "show", CASE)["case"]["people"] == []


def test_wrong_use_is_one_sentence(office: Office) -> None:
    home = office.home
    office.report(CASE, alert(1))
    office.report("case-0123abc", alert(2))
    for words, said in (
        (("show", "nothing"), "There is no case nothing"),
        (("show", "case-0123"), "may be case-0123"),
        (("confirm", CASE), "Nothing is proposed"),
        (("approve-report", CASE), "has no draft"),
        (("report", CASE, "nowhere.txt"), "cannot be read"),
        (("attach", CASE, "nowhere.pdf"), "is not there"),
        (("paper", CASE, "abc", "-o", "x"), "No paper"),
        (("pause", CASE, "--because", "x", "--until", "soon"), "is not a time"),
        (("verify-pack", "nowhere.zip"), "cannot be read"),
    ):
        done = home.run("cases", *words)
        assert done.status == 2, (words, done)
        assert said in done.err, (words, done.err)
        assert len(done.err.strip().splitlines()) <= 2


def test_papers_are_kept_found_and_erased(office: Office) -> None:
    home, folder = office.home, office.home.folder
    store = folder / "store"
    home.env["DAYBOOK_ATTACHMENTS"] = f"file://{store}"
    office.report(CASE, alert(1))
    office.ok("ann", "take")
    for name, content in (("a.txt", b"one"), ("empty.bin", b""), ("b.pdf", b"two" * 50_000)):
        (folder / name).write_bytes(content)
        office.ok("ann", "attach", CASE, name)
    assert office.run("ann", "attach", CASE, "a.txt").status == 3
    papers = {one["name"]: one for one in office.ok("ann", "show", CASE)["papers"]}
    assert {name: (one["media_type"], one["size"]) for name, one in papers.items()} == {
        "a.txt": ("text/plain", 3),
        "empty.bin": ("application/octet-stream", 0),
        "b.pdf": ("application/pdf", 150_000),
    }
    for name, one in papers.items():
        office.ok("ben", "paper", CASE, one["digest"][:12], "-o", "out")
        assert (folder / "out").read_bytes() == (folder / name).read_bytes()
    assert b"twotwo" not in b"".join(one.read_bytes() for one in store.iterdir())
    assert home.ok("cases", "attachments", "check", "--json").last["whole"] == 3
    assert home.ok("cases", "attachments", "rotate", "--json").last["keys"] == 3
    # Somebody broke off behind the store; somebody lost a file; a paper has to go.
    left = store / ("0" * 64 + ".attachment")
    left.write_bytes(b"half")
    found = home.ok("cases", "attachments", "check", "--remove", "--json").last
    assert (found["removed"], left.exists()) == ([left.name.partition(".")[0]], False)
    office.ok("ann", "attachments", "erase", CASE, papers["b.pdf"]["digest"][:12], "--because", "by order")
    gone = office.run("ben", "paper", CASE, papers["b.pdf"]["digest"], "-o", "out")
    assert (gone.status, "was erased by ann: by order" in gone.err) == (1, True)
    found = home.ok("cases", "attachments", "check", "--json").last
    assert (found["whole"], found["erased"]) == (2, 1)
    packed = office.ok("ann", "pack", CASE, "-o", "pack.zip")
    assert {one["name"]: one["packed"] for one in packed["papers"]} == {
        "a.txt": True, "empty.bin": True, "b.pdf": False
    }  # fmt: skip
    for one in list(store.iterdir()):
        one.unlink()
    missing = home.run("cases", "attachments", "check")
    assert (missing.status, missing.out.count("PROBLEM")) == (1, 2)
    office.ok("ann", "note", CASE, "the store is lost")
    assert "Erased the paper" in str(office.ok("ann", "show", CASE)["history"])


def test_a_pack_has_a_receipt_when_the_follower_has_signed(office: Office) -> None:
    home = office.home
    office.report(CASE, alert(1))
    process = home.start("up")
    try:
        deadline = time.monotonic() + 60
        made: dict[str, Any] = {"receipt": False}
        while not made["receipt"] and time.monotonic() < deadline:
            time.sleep(0.5)
            made = home.ok("cases", "pack", CASE, "-o", "pack.zip", "--json").last
        assert made["receipt"]
        assert home.ok("cases", "verify-pack", "pack.zip", "--json").last["receipt"]
    finally:
        process.terminate()
        process.wait(60)

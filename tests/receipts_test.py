"""Receipts: made, signed, kept and read again; rubbish is answered with one sentence."""

from __future__ import annotations

import stat
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

from engine.receipts import (
    LINKS_FILE,
    NEWEST_FILE,
    BadReceipt,
    BadSigningKey,
    Receipt,
    Signer,
    append_link,
    is_signed,
    make_signing_key,
    public_key_path,
    read_links,
    read_public_key,
    read_receipt,
    read_signing_key,
)

LINK = bytes(range(32))


@pytest.fixture
def signer(tmp_path: Path) -> Signer:
    return Signer(make_signing_key(tmp_path / "signing.pem"))


def sign(signer: Signer, offset: int = 7) -> Receipt:
    return signer.sign("epoch", offset, {"main": 5, "~system": 2}, LINK, 1_700_000_000_000)


def test_only_the_owner_can_read_the_signing_key(tmp_path: Path, signer: Signer) -> None:
    path = tmp_path / "signing.pem"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert Signer(read_signing_key(path)).key_id == signer.key_id
    assert read_public_key(public_key_path(path)).public_bytes_raw() == signer.public_key.public_bytes_raw()


def test_a_receipt_is_signed_by_its_key_and_no_other(tmp_path: Path, signer: Signer) -> None:
    receipt = sign(signer)
    assert is_signed(receipt, signer.public_key)
    assert not is_signed(receipt, make_signing_key(tmp_path / "other.pem").public_key())


@pytest.mark.parametrize(
    "change",
    [
        {"partition": 1},
        {"epoch_id": "other"},
        {"offset": 8},
        {"books": {"main": 6, "~system": 2}},
        {"link": bytes(32).hex()},
        {"signed_at_ms": 0},
        {"key": "0" * 16},
        {"signature": "00" * 64},
        {"signature": "no hex"},
        {"signature": ""},
    ],
    ids=str,
)
def test_every_part_of_a_receipt_is_signed(signer: Signer, change: dict[str, object]) -> None:
    assert not is_signed(msgspec.structs.replace(sign(signer), **change), signer.public_key)


def test_what_is_signed_can_be_made_by_anyone_who_knows_json(signer: Signer) -> None:
    assert sign(signer).signed_bytes() == (
        b"daybook receipt 1\n"
        b'{"books":{"main":5,"~system":2},"epoch_id":"epoch","key":"'
        + signer.key_id.encode()
        + b'","link":"'
        + LINK.hex().encode()
        + b'","offset":7,"partition":0,"receipt":1,"signed_at_ms":1700000000000}'
    )


def test_the_order_of_the_books_does_not_matter(signer: Signer) -> None:
    receipt = sign(signer)
    turned = msgspec.structs.replace(receipt, books={"~system": 2, "main": 5})
    assert is_signed(turned, signer.public_key)


def test_links_are_kept_and_the_newest_can_be_handed_out(tmp_path: Path, signer: Signer) -> None:
    receipts = [sign(signer, offset) for offset in (1, 5, 9)]
    for receipt in receipts:
        append_link(tmp_path, receipt)
    assert read_links(tmp_path) == receipts
    assert read_receipt(tmp_path / NEWEST_FILE) == receipts[-1]


def test_there_are_no_links_before_the_first(tmp_path: Path) -> None:
    assert read_links(tmp_path) == []


def test_a_torn_last_line_never_was_a_receipt(tmp_path: Path, signer: Signer) -> None:
    receipts = [sign(signer, offset) for offset in (1, 5)]
    append_link(tmp_path, receipts[0])
    path = tmp_path / LINKS_FILE
    whole = path.read_bytes()
    line = receipts[1].encoded()
    for length in (1, 2, len(line) // 2, len(line) - 1, len(line)):
        path.write_bytes(whole + line[:length])
        assert read_links(tmp_path) == receipts[:1]
        append_link(tmp_path, receipts[1])
        assert read_links(tmp_path) == receipts


def test_a_torn_first_line_is_dropped_and_long_lines_are_whole(tmp_path: Path, signer: Signer) -> None:
    path = tmp_path / LINKS_FILE
    path.write_bytes(b'{"receipt":1')
    many = {f"book-{number}": number for number in range(2_000)}
    receipts = [signer.sign("epoch", offset, many, LINK, 0) for offset in (1, 2)]
    append_link(tmp_path, receipts[0])
    with path.open("ab") as stream:
        stream.write(receipts[1].encoded()[:-1])
    append_link(tmp_path, receipts[1])
    assert read_links(tmp_path) == receipts


def test_a_damaged_line_is_named(tmp_path: Path, signer: Signer) -> None:
    for offset in (1, 2, 3):
        append_link(tmp_path, sign(signer, offset))
    path = tmp_path / LINKS_FILE
    path.write_bytes(path.read_bytes().replace(b'"offset":2', b'"offset":"2"'))
    with pytest.raises(BadReceipt, match=r"Line 2 of .* is not a receipt: "):
        read_links(tmp_path)


def rubbish(signer: Signer) -> dict[str, bytes]:
    good = sign(signer)
    replace = msgspec.structs.replace
    return {
        "empty": b"",
        "text": b"a receipt, honestly",
        "list": b"[]",
        "object": b"{}",
        "not UTF-8": good.encoded().replace(b"epoch", b"ep\xffch"),
        "deep": b"[" * 100_000,
        "another version": good.encoded().replace(b'"receipt":1', b'"receipt":2'),
        "unknown field": good.encoded()[:-1] + b',"more":1}',
        "two": good.encoded() + b"\n" + good.encoded(),
        "short link": replace(good, link="00" * 31).encoded(),
        "no hex": replace(good, link="x" * 64).encoded(),
        "no signature": replace(good, signature="").encoded(),
        "negative": replace(good, offset=-1).encoded(),
    }


def test_rubbish_is_answered_with_one_sentence(tmp_path: Path, signer: Signer) -> None:
    path = tmp_path / "receipt.json"
    for name, content in rubbish(signer).items():
        path.write_bytes(content)
        with pytest.raises(BadReceipt) as caught:
            read_receipt(path)
        assert caught.value.what.startswith(f"{path} is not a receipt: "), name
        assert "\n" not in str(caught.value), name


def test_a_missing_receipt_is_answered_with_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(BadReceipt, match=r"cannot be read: No such file or directory\."):
        read_receipt(tmp_path / "nowhere.json")


def test_a_key_that_is_none_is_answered_with_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    with pytest.raises(BadSigningKey, match="cannot be read"):
        read_signing_key(path)
    path.write_bytes(b"rubbish")
    with pytest.raises(BadSigningKey, match="holds no private key"):
        read_signing_key(path)
    with pytest.raises(BadSigningKey, match="holds no public key"):
        read_public_key(path)
    other = generate_private_key(SECP256R1())
    path.write_bytes(
        other.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    with pytest.raises(BadSigningKey, match="is not an Ed25519 key"):
        read_signing_key(path)

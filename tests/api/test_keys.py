"""API keys and signing keys on disk: what is kept, who may read it, what damage does."""

import asyncio
import hashlib
import inspect
import json
from datetime import timedelta
from pathlib import Path

import jwt
import pytest
from guarded import StillClock

from skill_agent.access import keys as keys_module
from skill_agent.access.keys import KeyRing
from skill_agent.access.tokens import InvalidToken, TokenMint
from skill_agent.errors import NotFound, StoreError, UsageError


@pytest.fixture
def still() -> StillClock:
    return StillClock()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "api-keys.json"


@pytest.fixture
def ring(file: Path, still: StillClock) -> KeyRing:
    return KeyRing(file, still)


@pytest.fixture
def mint(tmp_path: Path, still: StillClock) -> TokenMint:
    return TokenMint(tmp_path / "signing-keys.json", still)


# -- API keys --------------------------------------------------------------------------------


def test_a_key_is_kept_as_its_fingerprint_only(ring: KeyRing, file: Path) -> None:
    key, text = ring.create(" laptop ", ["chat", "read", "chat"])
    assert text.startswith("ska_")
    assert len(bytes.fromhex(text.removeprefix("ska_"))) == 32
    assert (key.name, key.scopes) == ("laptop", ("read", "chat"))
    written = file.read_text()
    assert text not in written
    assert text.removeprefix("ska_") not in written
    assert hashlib.sha256(text.encode()).hexdigest() in written
    assert file.stat().st_mode & 0o777 == 0o600


def test_keys_are_found_by_their_text_alone(ring: KeyRing) -> None:
    key, text = ring.create("a", ["read"])
    ring.create("b", ["chat"])
    assert ring.matching(text) == key
    for wrong in (text[:-1], text + "0", text.upper(), "ska_", "", key.id, "ska_" + "0" * 64, "é"):
        assert ring.matching(wrong) is None


def test_fingerprints_are_compared_in_constant_time() -> None:
    source = inspect.getsource(keys_module.KeyRing.matching)
    assert "compare_digest" in source
    assert "==" not in source


def test_another_process_sees_a_revocation(ring: KeyRing, file: Path, still: StillClock) -> None:
    key, text = ring.create("a", ["read"])
    other = KeyRing(file, still)
    assert other.matching(text) == key
    still.advance(minutes=1)
    ring.revoke(key.id)
    seen = other.matching(text)
    assert seen is not None
    assert (seen.state(still()), seen.revoked_at) == ("revoked", still())


def test_revoking_twice_keeps_the_first_time(ring: KeyRing, still: StillClock) -> None:
    key, _ = ring.create("a", ["read"])
    first, ended = ring.revoke(key.id)
    still.advance(hours=1)
    again, ended_again = ring.revoke(key.id)
    assert (ended, ended_again) == (True, False)
    assert again.revoked_at == first.revoked_at != still()


def test_expiry(ring: KeyRing, still: StillClock) -> None:
    key, _ = ring.create("a", ["read"], timedelta(days=1))
    assert key.state(still()) == "active"
    assert ring.any_active()
    still.advance(days=1)
    assert key.state(still()) == "expired"
    assert not ring.any_active()


def test_ids_by_beginning_name_and_nearness(ring: KeyRing) -> None:
    key, _ = ring.create("laptop", ["read"])
    assert ring.get(key.id[:6]) == key
    with pytest.raises(NotFound) as near:
        ring.get(key.id[:-2] + "zz")
    assert key.id in near.value.hint
    with pytest.raises(NotFound) as named:
        ring.get("laptop")
    assert key.id in named.value.hint
    with pytest.raises(NotFound) as unknown:
        ring.get("quite another thing")
    assert unknown.value.hint == "ska keys list"


@pytest.mark.parametrize(
    ("name", "scopes", "span"),
    [
        ("", ["read"], None),
        ("x" * 81, ["read"], None),
        ("a\x1b[31m", ["read"], None),
        ("a", [], None),
        ("a", ["raed"], None),
        ("a", ["read"], timedelta(0)),
        ("a", ["read"], timedelta(days=999_999_000)),
    ],
)
def test_keys_that_make_no_sense(
    ring: KeyRing, file: Path, name: str, scopes: list[str], span: timedelta | None
) -> None:
    with pytest.raises(UsageError):
        ring.create(name, scopes, span)
    assert not file.exists()


def test_an_unknown_scope_names_the_nearest(ring: KeyRing) -> None:
    with pytest.raises(UsageError) as error:
        ring.create("a", ["memry"])
    assert "memory" in error.value.hint


@pytest.mark.parametrize(
    "damage",
    [
        b"", b"{", b"[]", b"null", b"\xff\xfe", b"{}", b'{"version": 1}',
        b'{"version": 2, "keys": []}', b'{"version": 1, "keys": [{}]}',
        b'{"version": 1, "keys": {"a": 1}}', b"[" * 100_000,
    ],
)  # fmt: skip
def test_a_damaged_file_lets_nobody_in(ring: KeyRing, file: Path, damage: bytes) -> None:
    _, text = ring.create("a", ["read"])
    file.write_bytes(damage)
    for attempt in (lambda: ring.matching(text), ring.listed, lambda: ring.create("b", ["read"])):
        with pytest.raises(StoreError) as error:
            attempt()
        assert str(file) in error.value.message
        assert error.value.hint
    assert file.read_bytes() == damage


@pytest.mark.parametrize("change", [{"hash": ""}, {"scopes": []}, {"scopes": ["root"]}])
def test_a_forged_entry_damages_the_file(ring: KeyRing, file: Path, change: dict) -> None:
    ring.create("a", ["read"])
    document = json.loads(file.read_text())
    document["keys"][0].update(change)
    file.write_text(json.dumps(document))
    with pytest.raises(StoreError):
        ring.listed()


def test_a_lost_file_lets_nobody_in(ring: KeyRing, file: Path) -> None:
    key, text = ring.create("a", ["read"])
    file.unlink()
    assert ring.matching(text) is None
    ring.used(key.id, key.created_at)
    assert not file.exists()


def test_other_users_rights_are_taken_off(ring: KeyRing, file: Path, still: StillClock) -> None:
    ring.create("a", ["read"])
    file.chmod(0o644)
    KeyRing(file, still).listed()
    assert file.stat().st_mode & 0o777 == 0o600


async def test_many_writers_lose_nothing(file: Path, still: StillClock) -> None:
    def make(number: int) -> None:
        KeyRing(file, still).create(f"key {number}", ["read"])

    await asyncio.gather(*(asyncio.to_thread(make, number) for number in range(16)))
    names = {key.name for key in KeyRing(file, still).listed()}
    assert names == {f"key {number}" for number in range(16)}


def test_no_home_is_one_sentence(tmp_path: Path, still: StillClock) -> None:
    ring = KeyRing(tmp_path / "nowhere" / "api-keys.json", still)
    assert ring.listed() == ()
    with pytest.raises(UsageError) as error:
        ring.create("a", ["read"])
    assert error.value.hint == "ska init"


# -- tokens ----------------------------------------------------------------------------------


def test_a_token_says_who_and_what(mint: TokenMint, still: StillClock) -> None:
    token = mint.mint("k1", ["chat", "read"])
    claims = mint.verify(token.text)
    assert (claims.key_id, claims.scopes) == ("k1", ("read", "chat"))
    assert claims.expires_at == still() + timedelta(minutes=30)
    said = jwt.decode(token.text, options={"verify_signature": False})
    assert {"iss", "sub", "jti", "iat", "exp"} <= set(said)
    assert jwt.get_unverified_header(token.text).keys() == {"alg", "typ", "kid"}
    assert mint.mint("k1", ["read"]).text != token.text
    assert mint.file.stat().st_mode & 0o777 == 0o600


def test_a_token_runs_out(mint: TokenMint, still: StillClock) -> None:
    token = mint.mint("k1", ["read"])
    still.advance(minutes=29, seconds=59)
    mint.verify(token.text)
    still.advance(seconds=1)
    with pytest.raises(InvalidToken, match="run out"):
        mint.verify(token.text)


def test_signing_keys_change_each_day_and_are_dropped(mint: TokenMint, still: StillClock) -> None:
    mint.mint("k1", ["read"])
    (first,) = mint.live()
    still.advance(hours=23, minutes=59)
    late = mint.mint("k1", ["read"])
    assert mint.live() == (first,)
    still.advance(minutes=2)
    mint.mint("k1", ["read"])
    new, old = mint.live()
    assert (old.kid, new.kid != old.kid) == (first.kid, True)
    mint.verify(late.text)
    still.advance(minutes=32)
    with pytest.raises(InvalidToken):
        mint.verify(late.text)
    mint.mint("k1", ["read"])
    assert first.secret not in mint.file.read_text()
    assert [key.kid for key in mint.live()] == [new.kid]


def test_rotation_by_another_process(mint: TokenMint, still: StillClock) -> None:
    before = mint.mint("k1", ["read"])
    new = TokenMint(mint.file, still).rotate()
    mint.verify(before.text)
    after = mint.mint("k1", ["read"])
    assert jwt.get_unverified_header(after.text)["kid"] == new.kid


def _forged(mint: TokenMint, still: StillClock, **changes: object) -> dict[str, object]:
    now = int(still().timestamp())
    plain: dict[str, object] = {
        "iss": "skill-agent", "sub": "k1", "jti": "j", "iat": now, "exp": now + 60,
        "scopes": ["admin"],
    }  # fmt: skip
    return {name: value for name, value in {**plain, **changes}.items() if value is not None}


def test_forged_tokens(mint: TokenMint, still: StillClock) -> None:
    mint.mint("k1", ["read"])
    (key,) = mint.live()
    head, now = {"kid": key.kid}, int(still().timestamp())
    good = _forged(mint, still)

    def signed(claims: dict, secret: str = key.secret, algorithm: str = "HS256", **header) -> str:
        return jwt.encode(claims, secret, algorithm, headers={**head, **header})

    mint.verify(signed(good))
    wrong = [
        jwt.encode(good, "", algorithm="none", headers=head),
        signed(good, "x" * 64),
        signed(good, algorithm="HS512"),
        signed(good, kid="other"),
        jwt.encode(good, key.secret, "HS256"),
        signed(_forged(mint, still, iss="else")),
        signed(_forged(mint, still, exp=now + 10_000)),
        signed(_forged(mint, still, iat=now + 600, exp=now + 700)),
        signed(_forged(mint, still, exp="never")),
        signed(_forged(mint, still, scopes=["root"])),
        signed(_forged(mint, still, scopes=[])),
        signed(_forged(mint, still, scopes="admin")),
        *(
            signed(_forged(mint, still, **{name: None}))
            for name in ("iss", "sub", "jti", "iat", "exp", "scopes")
        ),
        *("", ".", "..", "a.b.c", "eyJ", "é.é.é", "x" * 5000, signed(good)[:-4] + "AAAA"),
    ]
    for text in wrong:
        with pytest.raises(InvalidToken):
            mint.verify(text)


def test_a_public_key_is_never_taken_for_a_secret(mint: TokenMint, still: StillClock) -> None:
    from cryptography.hazmat.primitives.asymmetric import rsa

    mint.mint("k1", ["read"])
    (key,) = mint.live()
    private = rsa.generate_private_key(65537, 2048)
    text = jwt.encode(_forged(mint, still), private, "RS256", headers={"kid": key.kid})
    with pytest.raises(InvalidToken):
        mint.verify(text)


def test_a_damaged_signing_file(mint: TokenMint) -> None:
    token = mint.mint("k1", ["read"])
    mint.file.write_text('{"version": 1, "keys": [{"kid": "a", "secret": "00"}]}')
    for attempt in (lambda: mint.verify(token.text), lambda: mint.mint("k1", ["read"])):
        with pytest.raises(StoreError):
            attempt()


def test_a_signing_key_does_not_show_itself(mint: TokenMint) -> None:
    key = mint.rotate()
    assert key.secret not in repr(key)

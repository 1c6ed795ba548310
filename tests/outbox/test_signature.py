"""Messages are signed as Standard Webhooks says, which its own package confirms."""

from datetime import UTC, datetime

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from shipledger.outbox.signature import SecretMaker, shown_secret, signature_headers

PUBLISHED_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
PUBLISHED_ID = "msg_p5jXN8AQM9LWM0D4loKWxJek"
PUBLISHED_TIMESTAMP = 1614265330
PUBLISHED_BODY = b'{"test": 2432232314}'
PUBLISHED_SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def raw(secret: str) -> bytes:
    return Webhook(secret)._whsecret


def test_the_published_vector_is_reproduced() -> None:
    headers = signature_headers(PUBLISHED_ID, PUBLISHED_TIMESTAMP, PUBLISHED_BODY, [raw(PUBLISHED_SECRET)])
    assert headers["webhook-signature"] == PUBLISHED_SIGNATURE


@pytest.mark.parametrize("body", [b"{}", '{"sku":"Ä ☃"}'.encode(), b'{"a":"' + b"x" * 100_000 + b'"}'])
def test_every_signature_is_verified_by_the_package(body: bytes) -> None:
    secret = SecretMaker(b"k" * 32).secret(b"salt")
    now = int(datetime.now(UTC).timestamp())
    headers = signature_headers("42", now, body, [secret])
    Webhook(shown_secret(secret)).verify(body, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(shown_secret(secret)).verify(body + b" ", headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(shown_secret(SecretMaker(b"k" * 32).secret(b"other"))).verify(body, headers)


def test_while_a_secret_is_replaced_either_verifies() -> None:
    secrets = [SecretMaker(b"k" * 32).secret(salt) for salt in (b"new", b"old")]
    headers = signature_headers("42", int(datetime.now(UTC).timestamp()), b"{}", secrets)
    for secret in secrets:
        Webhook(shown_secret(secret)).verify(b"{}", headers)


def test_a_secret_needs_both_the_salt_and_the_key_of_the_server() -> None:
    maker = SecretMaker(b"k" * 32)
    assert maker.secret(b"a") == SecretMaker(b"k" * 32).secret(b"a")
    found = {maker.secret(b"a"), maker.secret(b"b"), SecretMaker(b"l" * 32).secret(b"a"), maker.check()}
    assert len(found) == 4
    assert maker.check() != SecretMaker(b"l" * 32).check()
    assert len(maker.secret(b"a")) == 32

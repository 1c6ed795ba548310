"""The server's own key, which the secrets of webhooks are derived from: a setting, or a file beside the ledger."""

import os
import secrets
from pathlib import Path

from shipledger.outbox.signature import SecretMaker

KEY_BYTES = 32


class ServerKey:
    """Without a setting and without an embedded ledger there is none, and no webhooks."""

    def __init__(self, setting: str, file: Path | None) -> None:
        self._setting = setting
        self._file = file
        self._maker: SecretMaker | None = None

    def find(self) -> SecretMaker | None:
        """What derives secrets; None where no key was needed so far. Raises OSError where the file cannot be read."""
        if self._maker is None and self._setting:
            self._maker = SecretMaker(self._setting.encode())
        if self._maker is None and self._file is not None and self._file.exists():
            self._maker = SecretMaker(bytes.fromhex(self._file.read_text(encoding="ascii")))
        return self._maker

    def require(self) -> SecretMaker | None:
        """As `find`, with a key made at the first need where there is a place for it."""
        if self.find() is None and self._file is not None:
            _write(self._file, secrets.token_hex(KEY_BYTES))
        return self.find()


def _write(file: Path, text: str) -> None:
    """The file appears complete, and only its owner can read it."""
    new = file.with_name(file.name + ".new")
    new.unlink(missing_ok=True)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as opened:
        opened.write(text)
        opened.flush()
        os.fsync(opened.fileno())
    new.rename(file)

"""The clearinghouses of a deployment, by name, from one JSON file; a payer of master data names the one it is reached by.

    {"clearinghouses": {
        "metro": {"kind": "sftp", "host": "sftp.example", "user": "clinic", "private_key_file": "metro.key",
                  "host_key": "ssh-ed25519 AAAA...", "outbound": "in", "taken": "archive", "inbound": "out"},
        "swift": {"kind": "rest", "base_url": "https://api.example", "token_file": "swift.token", "real_time": true,
                  "webhook_secret_file": "swift.webhook"}}}

Files are named relative to this one. The name `files` is the exchange folder's. `real_time` says that it answers 270 and
276 while we wait; a webhook secret stands on a line of its own, two while one is rotated.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from chassis.setting_files import read_setting_file
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from claims.adapters.clearinghouses.rest import RestAccess, RestClearinghouse
from claims.adapters.clearinghouses.sftp import SftpClearinghouse, SftpFolders
from claims.adapters.secret_files import NoSecrets, secrets_in, webhook_secrets_in

EXCHANGE_FOLDER = "files"
Clearinghouse = SftpClearinghouse | RestClearinghouse


class WrongClearinghouses(ValueError):
    """The file of the clearinghouses cannot be read, or says what cannot be; nothing of it is shown."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class _Sftp(SftpFolders):
    kind: Literal["sftp"]

    def opened(self, folder: Path) -> Clearinghouse:
        return SftpClearinghouse(self.access(folder))


class _Rest(_Strict):
    kind: Literal["rest"]
    base_url: str = Field(pattern=r"^https?://[^\s]+$")
    token_file: Path
    real_time: bool = False
    webhook_secret_file: Path | None = None

    def opened(self, folder: Path) -> RestClearinghouse:
        (token,) = secrets_in(folder / self.token_file, "token_file", at_most=1)
        return RestClearinghouse(RestAccess(self.base_url, token))

    def webhook_secrets(self, folder: Path) -> tuple[SecretStr, ...]:
        return webhook_secrets_in(folder, self.webhook_secret_file)


class _Content(_Strict):
    clearinghouses: dict[
        Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,30}$")], Annotated[_Sftp | _Rest, Field(discriminator="kind")]
    ]


@dataclass(frozen=True, slots=True)
class Clearinghouses:
    """All of a deployment by name, those that answer in real time, and the secrets of those that send webhooks."""

    all: Mapping[str, Clearinghouse] = field(default_factory=dict)
    in_real_time: Mapping[str, RestClearinghouse] = field(default_factory=dict)
    webhook_secrets: Mapping[str, tuple[SecretStr, ...]] = field(default_factory=dict)


def load_clearinghouses(path: Path | None) -> Clearinghouses:
    """The clearinghouses of the file; none where there is no file.

    Raises:
        WrongClearinghouses: the file is not as described above.
    """
    if path is None:
        return Clearinghouses()
    content = read_setting_file(path, _Content, WrongClearinghouses)
    if EXCHANGE_FOLDER in content.clearinghouses:
        raise WrongClearinghouses(f"{path.name}: {EXCHANGE_FOLDER!r} is the name of the exchange folder")
    try:
        return _opened(content, path.parent)
    except NoSecrets as error:
        raise WrongClearinghouses(str(error)) from None


def _opened(content: _Content, folder: Path) -> Clearinghouses:
    opened: dict[str, Clearinghouse] = {}
    in_real_time: dict[str, RestClearinghouse] = {}
    secrets: dict[str, tuple[SecretStr, ...]] = {}
    for name, each in content.clearinghouses.items():
        if isinstance(each, _Rest):
            rest = each.opened(folder)
            opened[name] = rest
            if each.real_time:
                in_real_time[name] = rest
            if own := each.webhook_secrets(folder):
                secrets[name] = own
        else:
            opened[name] = each.opened(folder)
    return Clearinghouses(opened, in_real_time, secrets)

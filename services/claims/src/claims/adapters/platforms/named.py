"""The external platforms of a deployment, by name, from one JSON file; an entity of master data names the one that works its claims.

    {"platforms": {
        "northstar": {"kind": "rest", "base_url": "https://api.example", "token_url": "https://login.example/token",
                      "client_id": "throughline", "client_secret_file": "northstar.secret", "webhook_secret_file": "northstar.webhook"},
        "westgate": {"kind": "sftp", "host": "sftp.example", "user": "clinic", "private_key_file": "westgate.key",
                     "host_key": "ssh-ed25519 AAAA...", "outbound": "batches", "taken": "batches-taken",
                     "inbound": "reports", "done": "reports-done"},
        "eastgate": {"kind": "folder", "folder": "/srv/eastgate"}}}

Each may say `answer_hours` (24), within which it acknowledges a batch, and `report_hours` (48), within which it reports anything
while it has claims; 0 expects nothing. Files are named relative to this one. A webhook secret stands on a line of its own, two while one is rotated.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

from chassis.setting_files import read_setting_file
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from claims.adapters.clearinghouses.sftp import SftpClearinghouse, SftpFolders
from claims.adapters.platforms.folder import FolderPlatform
from claims.adapters.platforms.rest import PlatformAccess, RestPlatform
from claims.adapters.secret_files import NoSecrets, secrets_in, webhook_secrets_in
from claims.application.ports import RcmPlatform
from claims.domain.platform_watch import Expectation

HOURS_MAX = 24 * 365


class WrongPlatforms(ValueError):
    """The file of the platforms cannot be read, or says what cannot be; nothing of it is shown."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class _Expected(_Strict):
    answer_hours: int = Field(default=24, ge=0, le=HOURS_MAX)
    report_hours: int = Field(default=48, ge=0, le=HOURS_MAX)

    @property
    def expectation(self) -> Expectation:
        return Expectation(timedelta(hours=self.answer_hours), timedelta(hours=self.report_hours))


class _Folder(_Expected):
    kind: Literal["folder"]
    folder: Path

    def opened(self, beside: Path) -> RcmPlatform:
        return FolderPlatform(beside / self.folder)

    def webhook_secrets(self, beside: Path) -> tuple[SecretStr, ...]:
        return ()


class _Sftp(_Expected, SftpFolders):
    kind: Literal["sftp"]
    inbound: str = Field(default="reports", min_length=1)

    def opened(self, beside: Path) -> RcmPlatform:
        return SftpClearinghouse(self.access(beside))

    def webhook_secrets(self, beside: Path) -> tuple[SecretStr, ...]:
        return ()


class _Rest(_Expected):
    kind: Literal["rest"]
    base_url: str = Field(pattern=r"^https?://[^\s]+$")
    token_url: str = Field(pattern=r"^https?://[^\s]+$")
    client_id: str = Field(min_length=1)
    client_secret_file: Path
    scope: str = ""
    webhook_secret_file: Path | None = None

    def opened(self, beside: Path) -> RcmPlatform:
        (secret,) = secrets_in(beside / self.client_secret_file, "client_secret_file", at_most=1)
        return RestPlatform(PlatformAccess(self.base_url, self.token_url, self.client_id, secret, self.scope))

    def webhook_secrets(self, beside: Path) -> tuple[SecretStr, ...]:
        return webhook_secrets_in(beside, self.webhook_secret_file)


class _Content(_Strict):
    platforms: dict[
        Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,30}$")],
        Annotated[_Folder | _Sftp | _Rest, Field(discriminator="kind")],
    ]


@dataclass(frozen=True, slots=True)
class Platforms:
    """All of a deployment by name, what is expected of each, and the secrets of those that send webhooks."""

    all: Mapping[str, RcmPlatform] = field(default_factory=dict)
    expected: Mapping[str, Expectation] = field(default_factory=dict)
    webhook_secrets: Mapping[str, tuple[SecretStr, ...]] = field(default_factory=dict)


def load_platforms(path: Path | None, taken: Collection[str] = ()) -> Platforms:
    """The platforms of the file; none where there is no file. `taken` are names of other receivers.

    Raises:
        WrongPlatforms: the file is not as described above.
    """
    if path is None:
        return Platforms()
    content = read_setting_file(path, _Content, WrongPlatforms)
    try:
        opened = {name: each.opened(path.parent) for name, each in content.platforms.items()}
        secrets = {name: each.webhook_secrets(path.parent) for name, each in content.platforms.items()}
    except NoSecrets as error:
        raise WrongPlatforms(str(error)) from None
    if twice := sorted(set(taken) & set(opened)):
        raise WrongPlatforms(f"{path.name}: {', '.join(twice)} is the name of a clearinghouse")
    expected = {name: each.expectation for name, each in content.platforms.items()}
    return Platforms(opened, expected, {name: own for name, own in secrets.items() if own})

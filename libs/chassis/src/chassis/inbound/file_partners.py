"""The partners whose files are fetched, by name, from one JSON file; files that it names lie relative to it.

    {"partners": {
        "metro": {"host": "sftp.example", "user": "clinic", "private_key_file": "metro.key",
                  "host_key": "ssh-ed25519 AAAA...", "folder": "out", "afterwards": "move", "moved_to": "archive",
                  "marker": ".done", "pgp_key_file": "our.pgp", "pgp_passphrase_file": "our.pass", "pgp_signer_file": "metro.pgp"}}}

`afterwards` is what becomes of a file when it is durable here: leave, move or delete.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from chassis.inbound.file_shelf import FileShelf, Report
from chassis.inbound.pgp import PgpOpening, UnusableKey
from chassis.inbound.remote_folder import Afterwards, RemoteFolder, RemotePlan
from chassis.setting_files import read_setting_file
from chassis.sftp import SftpServer

PARTNERS_MAX = 50
SPOOL = "sftp-spool"
_FOLDER = r"^[^\x00\n]{1,200}$"


class WrongPartners(ValueError):
    """The file of the partners cannot be read, or says what cannot be; nothing of it is shown."""


class FilePartner(SftpServer):
    """One partner as the file has it."""

    folder: str = Field(pattern=_FOLDER)
    afterwards: Afterwards = Afterwards.LEAVE
    moved_to: str = ""
    marker: str = Field(default="", pattern=r"^(\.[A-Za-z0-9]{1,20})?$")
    settle_seconds: float = Field(default=10.0, ge=0, le=3600)
    poll_seconds: float = Field(default=60.0, ge=0.1, le=86_400)
    pgp_key_file: Path | None = None
    pgp_passphrase_file: Path | None = None
    pgp_signer_file: Path | None = None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if (self.afterwards is Afterwards.MOVE) != bool(self.moved_to):
            raise ValueError("moved_to: given where, and only where, files are moved afterwards")
        if self.pgp_key_file is None and (self.pgp_passphrase_file or self.pgp_signer_file):
            raise ValueError("pgp_key_file: given where another file of OpenPGP is")
        return self

    @property
    def plan(self) -> RemotePlan:
        return RemotePlan(
            self.folder, self.afterwards, self.moved_to, self.marker, self.settle_seconds, self.poll_seconds
        )

    def opening(self, folder: Path) -> PgpOpening | None:
        """How what it sends is opened; raises UnusableKey."""
        if self.pgp_key_file is None:
            return None
        rest = (each and folder / each for each in (self.pgp_passphrase_file, self.pgp_signer_file))
        return PgpOpening(folder / self.pgp_key_file, *rest)


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    partners: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,30}$")], FilePartner] = Field(
        max_length=PARTNERS_MAX
    )


def remote_folders(path: Path | None, exchange: Path, shelf: FileShelf, report: Report) -> list[RemoteFolder]:
    """The folders of the partners of a file, ready to be polled; none where there is no file.

    Raises:
        WrongPartners: the file is not as described above, or a key that it names cannot be used.
    """
    if path is None:
        return []
    folders = []
    for name, partner in read_setting_file(path, _File, WrongPartners).partners.items():
        missing = partner.missing_file(path.parent)
        if missing:
            raise WrongPartners(f"{path.name}: {name}: {missing}")
        try:
            unseal = partner.opening(path.parent)
        except (UnusableKey, OSError) as fault:
            raise WrongPartners(f"{path.name}: {name}: {fault}") from None
        login = partner.login(path.parent)
        folders.append(RemoteFolder(name, login, partner.plan, shelf, report, exchange / SPOOL, unseal=unseal))
    return folders

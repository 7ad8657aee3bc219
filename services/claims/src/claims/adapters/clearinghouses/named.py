"""The clearinghouses of a deployment, by name, from one JSON file; a payer of master data names the one it is reached by.

    {"clearinghouses": {
        "metro": {"kind": "sftp", "host": "sftp.example", "user": "clinic", "private_key_file": "metro.key",
                  "host_key": "ssh-ed25519 AAAA...", "outbound": "in", "taken": "archive", "inbound": "out"},
        "swift": {"kind": "rest", "base_url": "https://api.example", "token_file": "swift.token"}}}

Files are named relative to this one. The name `files` is the exchange folder's.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from claims.adapters.clearinghouses.rest import RestAccess, RestClearinghouse
from claims.adapters.clearinghouses.sftp import SftpAccess, SftpClearinghouse

EXCHANGE_FOLDER = "files"
Clearinghouse = SftpClearinghouse | RestClearinghouse


class WrongClearinghouses(ValueError):
    """The file of the clearinghouses cannot be read, or says what cannot be; nothing of it is shown."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class _Sftp(_Strict):
    kind: Literal["sftp"]
    host: str = Field(min_length=1)
    port: int = Field(default=22, ge=1, le=65535)
    user: str = Field(min_length=1)
    private_key_file: Path
    host_key: str = Field(pattern=r"^(ssh|ecdsa)-[a-z0-9-]+ [A-Za-z0-9+/=]+( .*)?$")
    outbound: str = "outbound"
    taken: str = ""
    inbound: str = ""
    done: str = ""

    def opened(self, folder: Path) -> Clearinghouse:
        key = folder / self.private_key_file
        if not key.is_file():
            raise WrongClearinghouses("private_key_file: no such file")
        plain = self.model_dump(exclude={"kind", "private_key_file"})
        return SftpClearinghouse(SftpAccess(private_key_file=key, **plain))


class _Rest(_Strict):
    kind: Literal["rest"]
    base_url: str = Field(pattern=r"^https?://[^\s]+$")
    token_file: Path

    def opened(self, folder: Path) -> Clearinghouse:
        try:
            token = (folder / self.token_file).read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError):
            raise WrongClearinghouses("token_file: no such file, or no token in it") from None
        return RestClearinghouse(RestAccess(self.base_url, SecretStr(token)))


class _Content(_Strict):
    clearinghouses: dict[
        Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,30}$")], Annotated[_Sftp | _Rest, Field(discriminator="kind")]
    ]


def load_clearinghouses(path: Path | None) -> dict[str, Clearinghouse]:
    """The clearinghouses of the file by name; none where there is no file.

    Raises:
        WrongClearinghouses: the file is not as described above.
    """
    if path is None:
        return {}
    try:
        content = _Content.model_validate_json(path.read_bytes())
    except OSError as error:
        raise WrongClearinghouses(f"{path.name}: {error.strerror}") from None
    except ValidationError as error:
        places = "; ".join(".".join(map(str, fault["loc"])) + ": " + fault["msg"] for fault in error.errors())
        raise WrongClearinghouses(f"{path.name}: {places}") from None
    if EXCHANGE_FOLDER in content.clearinghouses:
        raise WrongClearinghouses(f"{path.name}: {EXCHANGE_FOLDER!r} is the name of the exchange folder")
    return {name: each.opened(path.parent) for name, each in content.clearinghouses.items()}

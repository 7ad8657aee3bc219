"""What intake is told by its environment."""

from __future__ import annotations

import ssl
from pathlib import Path

from chassis.domain import UnsafeSetting
from chassis.runtime.settings import Settings
from pydantic import Field

from intake.adapters.hl7v2 import server_tls


class IntakeSettings(Settings):
    """What intake is told beside what every service is.

    `fhir_namespace` begins the identifier systems by which the sources name entities, payers, visits and charges. MLLP is
    spoken over TLS where a certificate is given; with authorities, only to who shows a certificate of theirs. `mllp_client`
    is the client whose port it is, for senders that show none. `file_partners` names those whose files are fetched by SFTP.
    Threads take long turns: whoever sends a message waits for its batch anyway.
    """

    thread_turn_seconds: float = Field(default=0.02, gt=0, le=1)

    mllp_port: int = 0
    mllp_tls_certificate: Path | None = None
    mllp_tls_key: Path | None = None
    mllp_tls_client_authorities: Path | None = None
    mllp_client: str = ""
    hl7_profiles_path: Path | None = None
    fhir_namespace: str = "urn:sandbox"
    file_partners_path: Path | None = None
    raw_retention_path: Path | None = None

    def mllp_tls(self) -> ssl.SSLContext | None:
        """How MLLP is spoken over TLS, None where it is not.

        Raises:
            UnsafeSetting: there is a certificate without its key, or one of the files cannot be.
        """
        if self.mllp_tls_certificate is None:
            return None
        if self.mllp_tls_key is None:
            raise UnsafeSetting("THROUGHLINE_MLLP_TLS_KEY", "not given", "given where a certificate is")
        return server_tls(self.mllp_tls_certificate, self.mllp_tls_key, self.mllp_tls_client_authorities)

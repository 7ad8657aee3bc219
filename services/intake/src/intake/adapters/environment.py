"""What intake is told by its environment."""

from __future__ import annotations

from pathlib import Path

from chassis.runtime.settings import Settings


class IntakeSettings(Settings):
    """What intake is told beside what every service is.

    `fhir_namespace` begins the identifier systems by which the sources name entities, payers, visits and charges. MLLP is
    spoken over TLS where a certificate is given; with authorities, only to who shows a certificate of theirs. `mllp_client` is the client whose port it is, for senders that show none. `file_partners`
    names those whose files are fetched by SFTP.
    """

    mllp_port: int = 0
    mllp_tls_certificate: Path | None = None
    mllp_tls_key: Path | None = None
    mllp_tls_client_authorities: Path | None = None
    mllp_client: str = ""
    hl7_profiles_path: Path | None = None
    fhir_namespace: str = "urn:sandbox"
    file_partners_path: Path | None = None
    raw_retention_path: Path | None = None

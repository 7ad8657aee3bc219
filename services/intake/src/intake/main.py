"""Intake, configured, wired and started."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from chassis.domain import UnsafeSetting
from chassis.eventstore import EventStore
from chassis.eventstore.work import CrashPoint, no_crash
from chassis.inbound.file_partners import WrongPartners, remote_folders
from chassis.inbound.file_shelf import FileShelf
from chassis.inbound.giving_way import GivingWay
from chassis.inbound.receiving_queue import ReceivingQueue
from chassis.inbound.refused_files import report_refused_files
from chassis.inbound.retention import RawRetention, RetentionPolicy, WrongRetention, read_retention
from chassis.inbound.taken_files import TakenFiles
from chassis.inbound.watched_folder import WatchedFolder
from chassis.keys import Sealer
from chassis.master_data_file import MasterDataFile
from chassis.rpc import GrpcService
from chassis.runtime import ServiceCore, ServiceShape, Sweep
from chassis.runtime.doors import Door
from chassis.runtime.opening import open_event_store, open_key_store
from chassis.runtime.service import EXIT_SETTINGS, run
from chassis.runtime.settings import WrongSettings
from chassis.security import TokenVerifier
from chassis.whole_files import replace_whole, write_whole
from starlette.applications import Starlette
from x12.policy import UnusablePolicy, policies_of

from intake.adapters.answer_files import AnswerFiles, policies_today
from intake.adapters.charge_batches import ChargeBatchDoor
from intake.adapters.environment import IntakeSettings
from intake.adapters.explaining import Explaining
from intake.adapters.fhir import FhirDoor, FhirNames, fhir_app, no_more_routes
from intake.adapters.fhir.clients import SourcesOf
from intake.adapters.fhir.import_door import ImportDoor
from intake.adapters.fhir.import_files import LineReading, NdjsonFolder
from intake.adapters.grpc import intake_service
from intake.adapters.grpc_keyed import keyed_remittance_service
from intake.adapters.grpc_master_data import master_data_service
from intake.adapters.grpc_reading import reading_service
from intake.adapters.hl7v2 import (
    BatchDoor,
    MllpDoor,
    SiteProfiles,
    UnusableProfiles,
    read_profiles,
)
from intake.adapters.intake_folder import IntakeFolder
from intake.adapters.keyed_files import KeyedFiles
from intake.adapters.rereading import Rereading
from intake.application.answering import AnswerWriting
from intake.application.answering import Write as WriteAnswer
from intake.application.bulk_importing import BulkImporting, ImportFolder, ReadLine
from intake.application.case_guides import GUIDES
from intake.application.changing_master_data import MasterDataKeeping
from intake.application.changing_master_data import Replace as ReplaceFile
from intake.application.deliveries import InboundDelivery, Outcome
from intake.application.keying import AsFile, Keying
from intake.application.merging import distinguish_dismissed
from intake.application.ports import MasterDataSource
from intake.application.publishing import publish
from intake.application.receiving import Receiving
from intake.application.receiving_files import ReceivingFiles
from intake.application.releasing_mapped import MappedReleasing
from intake.application.reprocessing import Reprocessing
from intake.application.showing_resources import ResourceShowing
from intake.application.what_is_kept import AGGREGATES, KEPT_TABLES, PROJECTIONS
from intake.domain.patient_match import CASE_CODES

ANSWERS_OUTBOUND = "answers-outbound"
ANSWER_SECONDS = 2.0
IMPORT_SECONDS = 2.0
EXPIRE_SECONDS, EXPIRE_REST_SECONDS = 3600.0, 60.0
MASTER_DATA_SECONDS = 2.0
KEYED_SECONDS = 2.0
DISMISSING = dict.fromkeys(CASE_CODES.values(), distinguish_dismissed)
SHAPE = ServiceShape(
    name="intake",
    aggregates=AGGREGATES,
    tables=KEPT_TABLES,
    projections=PROJECTIONS,
    publishing=publish,
    guides=GUIDES,
)


@dataclass(frozen=True)
class Intake:
    """The service without its transports: `messages`, `files` and, where there is a folder, `importing` are what doors call."""

    core: ServiceCore
    messages: Receiving
    files: ReceivingFiles
    importing: BulkImporting | None = None
    keeping: MasterDataKeeping | None = None
    keying: Keying | None = None


def assemble(
    store: EventStore,
    clock: Callable[[], datetime],
    sealer: Sealer,
    master_data: MasterDataSource,
    *,
    write_answer: WriteAnswer | None = None,
    imports: tuple[ImportFolder, ReadLine] | None = None,
    replace_master_data: ReplaceFile | None = None,
    keyed_file: AsFile | None = None,
    retention: Callable[[], RetentionPolicy] = RetentionPolicy,
    done: Path | None = None,
    way: GivingWay | None = None,
    crash_point: CrashPoint = no_crash,
) -> Intake:
    """The service without its transports. It consumes nothing: everything comes in through its doors.

    Answers to partners are written by `write_answer`, and wait where there is none. `imports` are a folder and how a line
    of its files is read. Versions of master data are written by `replace_master_data`; without it nobody can change it.
    What people key from paper is written by `keyed_file`.
    Bulk gives `way` to whoever waits at a door.
    """
    releasing = MappedReleasing(store, clock, sealer, master_data, crash_point=crash_point)
    sweeps = [Sweep("release-mapped", MASTER_DATA_SECONDS, releasing.run)]
    expiring = RawRetention(store, clock, retention, SHAPE.name, done)
    sweeps.append(Sweep("expire-raw", EXPIRE_SECONDS, expiring.run, EXPIRE_REST_SECONDS))
    if write_answer:
        sweeps.append(Sweep("write-answers", ANSWER_SECONDS, AnswerWriting(store, clock, write_answer).run))
    keeping = None
    if replace_master_data:
        keeping = MasterDataKeeping(store, clock, master_data, replace_master_data, crash_point=crash_point)
        sweeps.append(Sweep("write-master-data", MASTER_DATA_SECONDS, keeping.write))
    messages = Receiving(store, clock, sealer, master_data, crash_point=crash_point)
    importing = None
    if imports:
        importing = BulkImporting(store, clock, messages.receive, *imports, way=way, crash_point=crash_point)
        sweeps.append(Sweep("import-files", IMPORT_SECONDS, importing.run))
    files = ReceivingFiles(store, clock, sealer, master_data, crash_point=crash_point)
    keying = None
    if keyed_file:
        keying = Keying(store, clock, master_data, keyed_file, files.receive)
        sweeps.append(Sweep("receive-keyed", KEYED_SECONDS, keying.receive_checked))
    return Intake(
        ServiceCore(shape=SHAPE, store=store, clock=clock, consumers={}, sweeps=tuple(sweeps), dismissing=DISMISSING),
        messages,
        files,
        importing,
        keeping,
        keying,
    )


def main() -> int:
    """Runs the service by its environment; the exit code."""
    try:
        return serve(IntakeSettings.from_environment(os.environ))
    except (WrongSettings, UnsafeSetting, UnusablePolicy, UnusableProfiles, WrongPartners, WrongRetention) as refused:
        sys.stderr.write(f"intake: {refused}\n")
        return EXIT_SETTINGS


def serve(settings: IntakeSettings) -> int:
    """Runs the service until it is told to stop.

    Raises:
        UnsafeSetting: a setting that intake cannot do without is not given.
        UnusablePolicy: master data has a trading partner whose rules cannot be.
        UnusableProfiles: the site profiles of HL7 cannot be.
    """
    if settings.http_port and not settings.jwks_url:
        raise UnsafeSetting("THROUGHLINE_JWKS_URL", "not given", "given where an HTTP port is")
    master_data = MasterDataFile(settings.master_data_path)
    sealer = Sealer(open_key_store(settings))
    clock = partial(datetime.now, UTC)
    policies_of(master_data().trading_partners, clock().date())
    profiles = read_profiles(settings.hl7_profiles_path)
    read_retention(settings.raw_retention_path)
    crash_point = settings.crash_points(SHAPE.name)
    answers = settings.exchange_dir / ANSWERS_OUTBOUND if settings.exchange_dir else None
    names = FhirNames(settings.fhir_namespace)
    way = GivingWay()
    reading = Rereading(profiles, names, partial(policies_today, master_data, clock), way)
    intake = assemble(
        open_event_store(settings, SHAPE),
        clock,
        sealer,
        master_data,
        write_answer=partial(write_whole, answers) if answers else None,
        imports=(NdjsonFolder(settings.exchange_dir), LineReading(names)) if settings.exchange_dir else None,
        replace_master_data=partial(replace_whole, master_data.path),
        keyed_file=KeyedFiles(master_data, partial(policies_today, master_data, clock)),
        retention=partial(read_retention, settings.raw_retention_path),
        done=settings.exchange_dir / "intake-done" if settings.exchange_dir else None,
        way=way,
        crash_point=crash_point,
    )
    assert intake.keeping is not None
    assert intake.keying is not None
    queue: ReceivingQueue[InboundDelivery, Outcome] = ReceivingQueue(
        intake.messages.receive, on_delivery=way.note_delivery
    )
    try:
        return run(
            replace(intake.core, master_data_version=lambda: master_data.version),
            settings,
            grpc=[
                intake_service(intake.core, sealer, master_data),
                _reading(intake, sealer, master_data, reading),
                master_data_service(intake.core, intake.keeping),
                keyed_remittance_service(intake.core, intake.keying),
            ],
            http_app=_fhir_door(settings, intake, queue, names, sealer, master_data.recent),
            doors=_file_doors(settings, intake, way, sealer, master_data, profiles),
            answering_doors=_mllp_doors(settings, intake, queue, master_data.recent, profiles),
        )
    finally:
        queue.stop()


def _reading(intake: Intake, sealer: Sealer, master_data: MasterDataSource, reading: Rereading) -> GrpcService:
    """Content that is explained, and kept messages that are read again."""
    core = intake.core
    known = TakenFiles(core.store, core.clock, sealer, "file-drop")
    return reading_service(
        core,
        Explaining(reading.profiles, reading.names, intake.messages.rehearse),
        Reprocessing(core.store, core.clock, sealer, master_data, reading, intake.files, known),
    )


def _fhir_door(
    settings: IntakeSettings,
    intake: Intake,
    queue: ReceivingQueue[InboundDelivery, Outcome],
    names: FhirNames,
    sealer: Sealer,
    master_data: MasterDataSource,
) -> Starlette:
    clock, sources_of = intake.core.clock, _sources_of(master_data, intake.core.clock)
    showing = ResourceShowing(intake.core.store, sealer)

    verifier = TokenVerifier(settings.jwks_url, settings.jwt_issuer, settings.jwt_audience)
    imports = ImportDoor(intake.importing, clock).routes if intake.importing else no_more_routes
    return fhir_app(FhirDoor(queue.submit, showing, clock, names, verifier, sources_of, settings.token_url, imports))


def _sources_of(master_data: MasterDataSource, clock: Callable[[], datetime]) -> SourcesOf:
    """The sources that a client may speak for today, whichever door it comes by."""
    return lambda client_id: master_data().sources_of(client_id, clock().date())


def _mllp_doors(
    settings: IntakeSettings,
    intake: Intake,
    queue: ReceivingQueue[InboundDelivery, Outcome],
    master_data: MasterDataSource,
    profiles: SiteProfiles,
) -> list[Door]:
    if not settings.mllp_port:
        return []
    mllp = MllpDoor(
        queue.submit,
        intake.core.clock,
        profiles=profiles,
        tls=settings.mllp_tls(),
        sources_of=_sources_of(master_data, intake.core.clock),
        client=settings.mllp_client,
    )
    return [partial(mllp.serve, settings.bind_host, settings.mllp_port)]


def _file_doors(
    settings: IntakeSettings,
    intake: Intake,
    way: GivingWay,
    sealer: Sealer,
    master_data: MasterDataSource,
    profiles: SiteProfiles,
) -> list[Door]:
    """The watched folder and the partners' folders, where there is an exchange."""
    exchange = settings.exchange_dir
    if exchange is None:
        return []
    folder = _intake_folder(settings, exchange, intake, way, sealer, master_data, profiles)
    report = report_refused_files(intake.core.store, intake.core.clock, "intake")
    watched = WatchedFolder(exchange, "intake", folder.take, report).serve
    shelf = FileShelf(exchange, "intake", folder.take, report)
    return [watched, *(each.serve for each in remote_folders(settings.file_partners_path, exchange, shelf, report))]


def _intake_folder(
    settings: IntakeSettings,
    exchange: Path,
    intake: Intake,
    way: GivingWay,
    sealer: Sealer,
    master_data: MasterDataSource,
    profiles: SiteProfiles,
) -> IntakeFolder:
    """Files of every format, wherever they come from."""
    store, clock, receive = intake.core.store, intake.core.clock, intake.messages.receive
    answers = partial(write_whole, exchange / ANSWERS_OUTBOUND)

    return IntakeFolder(
        receive,
        way,
        AnswerFiles(intake.files, master_data, clock, way),
        BatchDoor(receive, way, profiles, clock, report_refused_files(store, clock, "intake"), answers),
        ChargeBatchDoor(receive, way, answers),
        FhirNames(settings.fhir_namespace),
        TakenFiles(store, clock, sealer, "file-drop"),
    )


if __name__ == "__main__":
    raise SystemExit(main())

"""Everything that intake keeps: its aggregates, its read models, and what makes their rows."""

from __future__ import annotations

from chassis.inbound import INBOUND_MESSAGES, InboundMessage, project_inbound_messages
from chassis.inbound.taken_files import TakenFile

from intake.application.charge_places import CHARGE_PLACES, project_charge_places
from intake.application.held_codes import HELD_TABLES, project_held_codes
from intake.application.import_rows import IMPORT_TABLES, project_imports
from intake.application.keying import KEYED_REMITTANCES, project_keyed
from intake.application.master_data_rows import MASTER_DATA_TABLES, project_master_data
from intake.application.patient_rows import project_patients
from intake.application.queries import TABLES, project, project_encounters
from intake.domain.access import Disclosure
from intake.domain.bulk_import import BulkImport
from intake.domain.encounter import Encounter
from intake.domain.keyed_remittance import KeyedRemittance
from intake.domain.master_data_change import MasterDataBook, MasterDataChange
from intake.domain.partner_answer import AnswerNumbers, PartnerAnswer
from intake.domain.patient import Patient
from intake.domain.patient_match import PatientMatch
from intake.domain.payer_answer import PayerAnswer
from intake.domain.received_interchange import ReceivedInterchange
from intake.domain.remittance_receipt import RemittanceReceipt
from intake.domain.reported_money import ReportedAdjustment, ReportedPayment
from intake.domain.source_reference import SourceReference
from intake.domain.unmapped_code import UnmappedCode

AGGREGATES = (
    InboundMessage,
    Patient,
    PatientMatch,
    SourceReference,
    Encounter,
    ReportedPayment,
    ReportedAdjustment,
    ReceivedInterchange,
    RemittanceReceipt,
    KeyedRemittance,
    PayerAnswer,
    PartnerAnswer,
    AnswerNumbers,
    Disclosure,
    BulkImport,
    TakenFile,
    MasterDataChange,
    MasterDataBook,
    UnmappedCode,
)
KEPT_TABLES = (
    INBOUND_MESSAGES,
    *TABLES,
    CHARGE_PLACES,
    *IMPORT_TABLES,
    *HELD_TABLES,
    *MASTER_DATA_TABLES,
    KEYED_REMITTANCES,
)
PROJECTIONS = (
    project_inbound_messages,
    project_patients,
    project,
    project_encounters,
    project_charge_places,
    project_imports,
    project_held_codes,
    project_master_data,
    project_keyed,
)

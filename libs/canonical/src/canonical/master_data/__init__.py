"""Master data: the payers, entities, departments, providers, locations and crosswalks that a deployment knows, by date."""

from canonical.master_data.content import KnownMasterData, MasterData
from canonical.master_data.files import UnusableMasterData, checked, load_master_data, master_data_bytes
from canonical.master_data.lists import LISTS, MasterDataList, list_called
from canonical.master_data.rows import (
    CLAIMS_PER_INTERCHANGE_MAX,
    ChargeMasterRow,
    CostCenter,
    Crosswalk,
    Dated,
    Department,
    DunningStepRow,
    Entity,
    FeeScheduleRow,
    Location,
    Payer,
    Plan,
    PriceConcession,
    Provider,
    SourceClient,
    TradingPartner,
    UnknownMasterData,
)
from canonical.master_data.rules import Fault, faults_in

__all__ = [
    "CLAIMS_PER_INTERCHANGE_MAX",
    "LISTS",
    "ChargeMasterRow",
    "CostCenter",
    "Crosswalk",
    "Dated",
    "Department",
    "DunningStepRow",
    "Entity",
    "Fault",
    "FeeScheduleRow",
    "KnownMasterData",
    "Location",
    "MasterData",
    "MasterDataList",
    "Payer",
    "Plan",
    "PriceConcession",
    "Provider",
    "SourceClient",
    "TradingPartner",
    "UnknownMasterData",
    "UnusableMasterData",
    "checked",
    "faults_in",
    "list_called",
    "load_master_data",
    "master_data_bytes",
]

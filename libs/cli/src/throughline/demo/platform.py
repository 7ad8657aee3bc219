"""The external platform that works the claims of one entity of the demo: what the services are told of it."""

from __future__ import annotations

import json

from sandbox.folders import write_private
from sandbox.world.known_world import sandbox_master_data

from throughline.stack.composition import Stack

PLATFORM = "northstar"
ENTITY_OF_THE_PLATFORM = "SOUTH"
PLATFORMS = "platforms.json"


def tell_of_platform(stack: Stack) -> None:
    """Writes the master data in which the entity names the platform, and the file that says where it is."""
    known = sandbox_master_data()
    entities = tuple(
        each.model_copy(update={"claims_worked_by": PLATFORM}) if each.code == ENTITY_OF_THE_PLATFORM else each
        for each in known.entities
    )
    write_private(stack.master_data_file, known.model_copy(update={"entities": entities}).model_dump_json())
    way = {"kind": "folder", "folder": str(stack.exchange / PLATFORM)}
    write_private(stack.folder / PLATFORMS, json.dumps({"platforms": {PLATFORM: way}}))


def settings_of_platform(stack: Stack) -> dict[str, str]:
    """What claims is told: where the file is, and to look for reports often."""
    return {"PLATFORMS_PATH": str(stack.folder / PLATFORMS), "FETCH_SECONDS": "1.0", "PLATFORM_PATIENCE_SECONDS": "5"}

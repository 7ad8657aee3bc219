"""Keys and sealing: every patient's data under a random key of their own, and no data where the key is gone."""

from chassis.keys.master import FileMasterKey, MasterKey, MasterKeyRefused, WrongMasterKey
from chassis.keys.sealing import SealBroken, Sealer, ToSeal
from chassis.keys.store import DEPLOYMENT_KEY, ErasedKey, KeyStore, MemoryKeyStore, entity_key_id

__all__ = [
    "DEPLOYMENT_KEY",
    "ErasedKey",
    "FileMasterKey",
    "KeyStore",
    "MasterKey",
    "MasterKeyRefused",
    "MemoryKeyStore",
    "SealBroken",
    "Sealer",
    "ToSeal",
    "WrongMasterKey",
    "entity_key_id",
]

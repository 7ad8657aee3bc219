"""The ways to clearinghouses and payers: folders, SFTP, and a REST interface, each by its name in the settings."""

"""The ledger: approvals asked for and given in Mimamori, and the media that residents' data leaves on."""

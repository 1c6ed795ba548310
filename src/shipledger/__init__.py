"""Shipledger: the ledger of what was shipped.

The modules beside this file are the domain: plain Python, no database, no network, no clock.
Each folder is a technology around it. ARCHITECTURE.md walks through one request.
"""

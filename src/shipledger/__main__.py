"""`python -m shipledger` is the command `shipledger`."""

from shipledger.cli.main import main

main()

"""The only code that knows the engines: ClickHouse clients by purpose, migrations, and the state database."""

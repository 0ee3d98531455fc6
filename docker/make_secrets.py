"""Writes the secrets that compose.yaml names into docker/secrets/, each once: `python3 docker/make_secrets.py`.

Needs nothing but Python. The folder is its owner's alone; the files in it can be read by the users in the containers.
"""

import base64
import json
import os
import secrets
from pathlib import Path

FOLDER = Path(__file__).parent / "secrets"


def made() -> dict[str, str]:
    """New contents of every secret file, by name."""
    postgres, neo4j = secrets.token_hex(24), secrets.token_hex(16)
    return {
        "postgres_password": postgres,
        "neo4j_password": neo4j,
        "neo4j_auth": f"neo4j/{neo4j}",
        "airflow_database": f"postgresql+psycopg2://airflow:{postgres}@postgres:5432/airflow",
        "airflow_fernet_key": base64.urlsafe_b64encode(os.urandom(32)).decode(),
        "airflow_secret_key": secrets.token_hex(32),
        "airflow_jwt_secret": secrets.token_hex(32),
        "airflow_passwords": json.dumps({"admin": secrets.token_urlsafe(12)}),
    }


def main() -> None:
    FOLDER.mkdir(mode=0o700, exist_ok=True)
    contents = made()
    there = [name for name in contents if (FOLDER / name).exists()]
    if there:
        raise SystemExit(f"{FOLDER} holds secrets already ({', '.join(there)}); servers that run were made with them.")
    for name, value in contents.items():
        (FOLDER / name).write_text(value)
        (FOLDER / name).chmod(0o644)
    print(
        f"{FOLDER}: user admin of Airflow has the password in airflow_passwords, user neo4j the one in neo4j_password"
    )


if __name__ == "__main__":
    main()

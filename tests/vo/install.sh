#!/bin/bash
# Debian 12 packages for a private TAP server: GAVO DaCHS on PostgreSQL with pg_sphere and Q3C. As root, once.
# Not gavodachs2-server: its installation wants a running system PostgreSQL and an init.
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends \
    python3-gavo postgresql-15 postgresql-15-pgsphere postgresql-15-q3c postgresql-client-15 >/dev/null
id dachs >/dev/null 2>&1 || useradd --system --no-create-home --shell /bin/sh dachs

# PostgreSQL 15.20 refuses pg_sphere 1.2.0 as packaged ("operator @> is already the commutator of operator <@"): some
# operators claim a commutator or negator that belongs to another one. Every claim that is not mutual is dropped; only
# hints for the planner are lost. A second run changes nothing.
python3 - <<'PATCH'
import glob
import re

CREATE = re.compile(r"CREATE OPERATOR\s+(\S+)\s*\((.*?)\);", re.S)


def word(body, key):
    found = re.search(rf"\b{key}\s*=\s*'?([^\s',)]+)", body, re.I)
    return found and found.group(1)


for path in glob.glob("/usr/share/postgresql/15/extension/pg_sphere--1.2.0.sql"):
    with open(path) as stream:
        text = stream.read()
    operators = {(m[1], word(m[2], "LEFTARG"), word(m[2], "RIGHTARG")): m[2] for m in CREATE.finditer(text)}

    def mended(match):
        name, left, right = match[1], word(match[2], "LEFTARG"), word(match[2], "RIGHTARG")
        out = match[0]
        for key, arguments in (("COMMUTATOR", (right, left)), ("NEGATOR", (left, right))):
            target = word(match[2], key)
            other = operators.get((target, *arguments)) if target else None
            if target and (other is None or word(other, key) != name):
                out = re.sub(rf",?\s*\b{key}\s*=\s*'?[^\s',)]+'?", "", out, flags=re.I)
        return out

    new = CREATE.sub(mended, text)
    if new != text:
        with open(path, "w") as stream:
            stream.write(new)
PATCH

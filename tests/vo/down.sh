#!/bin/bash
# Stop both servers in the folder $D.
: "${D:?the folder of the server}"
[ -f "$D/serve.pid" ] && kill -TERM -- "-$(cat "$D/serve.pid")" 2>/dev/null
[ -f "$D/pg/postmaster.pid" ] && kill -INT "$(head -1 "$D/pg/postmaster.pid")" 2>/dev/null
for _ in $(seq 1 100); do
    [ -f "$D/pg/postmaster.pid" ] || break
    sleep 0.1
done
rm -f "$D/serve.pid"

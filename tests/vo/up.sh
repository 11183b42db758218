#!/bin/bash
# Make (the first time) and start a private PostgreSQL and DaCHS in the folder $D, on 127.0.0.1, port $PORT.
# As root, which becomes the user dachs (PostgreSQL refuses root), or as any other user. If $OWNER is the number of a
# process, everything stops, and the folder is removed, when that process is gone.
set -euo pipefail
: "${D:?the folder of the server}" "${PORT:?its port}"
PGBIN=/usr/lib/postgresql/15/bin
mkdir -p "$D"
if [ "$(id -u)" = 0 ]; then
    cp "$(dirname "$0")"/*.sh "$D"
    chown -R dachs "$D"
    exec setpriv --reuid=dachs --regid=dachs --clear-groups \
        env -i HOME="$D" PATH=/usr/bin:/bin LANG=C.UTF-8 LC_ALL=C.UTF-8 USER=dachs LOGNAME=dachs D="$D" PORT="$PORT" \
        OWNER="${OWNER:-}" bash "$D/up.sh"
fi
here=$(cd "$(dirname "$0")" && pwd)
cd "$D"
export HOME="$D" LANG=C.UTF-8 LC_ALL=C.UTF-8 GAVOSETTINGS="$D/gavo.rc" GAVOCUSTOM=/nonexistent
me=$(id -un)
group=$(id -gn)
new=
if [ ! -d pg ]; then
    new=yes
    "$PGBIN/initdb" -D pg -U "$me" -A trust --no-sync --encoding=UTF8 --locale=C.UTF-8 >initdb.log
    mkdir -p run
    cat >>pg/postgresql.conf <<SETTINGS
listen_addresses = ''
unix_socket_directories = '$D/run'
port = 5499
fsync = off
synchronous_commit = off
full_page_writes = off
jit = off
SETTINGS
fi
"$PGBIN/pg_ctl" -D pg status >/dev/null || "$PGBIN/pg_ctl" -D pg -l pg.log -w -t 60 start >/dev/null
if [ -n "$new" ]; then
    cat >gavo.rc <<SETTINGS
[general]
rootDir: $D/gavo
group: $group
gavoGroup: $group
maintainerAddress:
[web]
serverURL: http://127.0.0.1:$PORT
bindAddress: 127.0.0.1
serverPort: $PORT
user:
sitename: stellarlabels test TAP
maxSyncUploadSize: 2000000
[ivoa]
authority: x-stellarlabels.test
[async]
maxTAPRunning: 2
defaultMAXREC: 20000
SETTINGS
    "$PGBIN/createdb" -h "$D/run" -p 5499 --encoding=UTF8 --template template0 gavo
    dachs init -d "host=$D/run port=5499 dbname=gavo user=$me" >init.log 2>&1
    dachs pub //tap >pub.log 2>&1
    if [ -n "${OWNER:-}" ]; then
        [ "$here" = "$D" ] || cp "$here/down.sh" .
        setsid bash -c 'while [ -d "/proc/$OWNER" ] && [ -d "$D" ]; do sleep 1; done
            [ -d "$D" ] && bash "$D/down.sh"; cd /; rm -rf "$D"' >/dev/null 2>&1 </dev/null &
    fi
fi
setsid dachs serve start -f >>serve.log 2>&1 </dev/null &
echo $! >serve.pid
for _ in $(seq 1 240); do
    if bash -c "exec 3<>/dev/tcp/127.0.0.1/$PORT" 2>/dev/null; then exit 0; fi
    kill -0 "$(cat serve.pid)" 2>/dev/null || break
    sleep 0.1
done
tail -n 30 serve.log >&2
exit 1

# Sourced by the tests of packages, with their arguments: runs the script again in mount and process namespaces of its own, so
# that whatever it mounts and starts ends with it; gives it a folder, `work`, and a few words. Needs root and unshare.

if [ "${IN_NAMESPACES:-}" != 1 ]; then
    IN_NAMESPACES=1 exec unshare --mount --pid --fork --kill-child --mount-proc "$0" "$@"
fi
unset IN_NAMESPACES

work=$(mktemp -d)
root=$work/root
clean_up() {
    kill -s KILL -- -1 2>/dev/null || true # all but this script, which is the first process of its namespace
    umount --recursive --lazy "$work" 2>/dev/null || true
    rm -rf "$work"
}
trap clean_up EXIT
mount -t tmpfs -o size=1g none "$work"

fail() {
    echo "FAILED: $1; $(cat "$work/log" 2>/dev/null)" >&2
    exit 1
}

# wait_for COMMAND…: until it succeeds, for ten seconds.
wait_for() {
    for _ in $(seq 100); do
        if "$@" >/dev/null 2>&1; then return; fi
        sleep 0.1
    done
    return 1
}

# value NAME FOLDER: a line of the credentials that a store has made in its data folder.
value() { sed -n "s/^$1 = \"\(.*\)\"/\1/p" "$2/credentials.toml"; }

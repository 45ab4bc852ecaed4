#!/bin/sh
# Reads the container image with Python instead of what wrote it, unpacks it, and starts it as a container engine would:
# as the first process of its own process and network namespaces, on a read-only root, as the image's user and as one that
# a platform chose, of group 0. Uploads a file there. Needs root, unshare, nsenter, curl, python3. Usage: image.sh IMAGE.tar
set -eu

. "$(dirname "$0")/frame.sh"
image=$1
chroot=$(command -v chroot)
# The interface of a new network namespace is down (SIOCSIFFLAGS, IFF_UP).
loopback_up='import fcntl, socket, struct; fcntl.ioctl(socket.socket(), 0x8914, struct.pack("16sh", b"lo", 1))'

mkdir "$work/layout" "$root"
tar -xf "$image" -C "$work/layout"
python3 - "$work" <<'END'
import gzip, hashlib, json, pathlib, re, subprocess, sys
work = pathlib.Path(sys.argv[1])
layout = work / "layout"
def blob(descriptor):
    algorithm, digest = descriptor["digest"].split(":")
    data = (layout / "blobs" / algorithm / digest).read_bytes()
    assert hashlib.sha256(data).hexdigest() == digest and len(data) == descriptor["size"], descriptor
    return data
assert json.loads((layout / "oci-layout").read_text())["imageLayoutVersion"] == "1.0.0"
[entry] = json.loads((layout / "index.json").read_text())["manifests"]
manifest = json.loads(blob(entry))
image = json.loads(blob(manifest["config"]))
config = image["config"]
assert (image["os"], config["User"]) == ("linux", "65532:65532"), image
assert list(config["Volumes"]) == ["/data"] and "9817/tcp" in config["ExposedPorts"], config
assert config["Entrypoint"] == ["/usr/bin/countersign"], config
assert config["Cmd"] == ["store", "--data", "/data", "--listen", "0.0.0.0:9817"], config
assert config["Healthcheck"]["Test"] == ["CMD", "/usr/bin/countersign", "health", "--data", "/data"], config
assert not [line for line in config["Env"] if re.search("KEY|SECRET|TOKEN", line)], config
layers = [blob(layer) for layer in manifest["layers"]]
layers = [gzip.decompress(layer) if layer[:2] == b"\x1f\x8b" else layer for layer in layers]
assert ["sha256:" + hashlib.sha256(layer).hexdigest() for layer in layers] == image["rootfs"]["diff_ids"]
for layer in layers:
    subprocess.run(["tar", "-x", "--numeric-owner", "-C", work / "root"], input=layer, check=True)
END
[ -z "$(find "$root" -perm -4000)" ] || fail "the image has programs that give another user's rights"
grep -q '^\* aws-lc-sys ' "$root/usr/share/doc/countersign/THIRD-PARTY-NOTICES.txt" || fail "no notices of third parties"
[ "$(stat -c '%a %u:%g' "$root/data")" = "770 65532:0" ] || fail "the data folder: $(stat -c '%a %u:%g' "$root/data")"

# start USER:GROUP ARGUMENTS: the container in the background; `first` is its first process as this system counts it.
start() {
    user=$1
    shift
    mount --bind "$root" "$root"
    mount -o remount,bind,ro "$root"
    mount -t tmpfs -o uid=65532,gid=0,mode=0770 none "$root/data"
    unshare --pid --net --fork --kill-child sh -c 'python3 -c "$0"; exec "$@"' "$loopback_up" \
        env -i COUNTERSIGN_DATA=/data "$chroot" --userspec="$user" "$root" /usr/bin/countersign "$@" >"$work/log" 2>&1 &
    container=$!
    wait_for healthy || fail "not healthy as $user"
}
healthy() {
    first=$(cat "/proc/$container/task/$container/children" 2>/dev/null | tr -d ' ')
    [ -n "$first" ] && inside "$user" health --data /data --quiet
}
inside() {
    as=$1
    shift
    nsenter -t "$first" --net env -i "$chroot" --userspec="$as" "$root" /usr/bin/countersign "$@"
}
stop() {
    kill -TERM "$first"
    wait "$container" || fail "SIGTERM did not end it with 0"
    umount "$root/data"
    umount "$root"
}

# As it is by default.
start 65532:65532 store --data /data --listen 0.0.0.0:9817
[ "$(stat -c %a "$root/data/credentials.toml")" = 600 ] || fail "the key is for others to read"
if grep -q "$(value access-key-secret "$root/data")" "$work/log"; then
    fail "the secret is in the log"
fi
stop

# As a platform that gives each container a user of its own, with an upload and its callback.
user=1234567:0
start $user store --data /data --listen 0.0.0.0:9817 --bucket photos --callback-allow 127.0.0.1/32
store=http://127.0.0.1:9817
nsenter -t "$first" --net env -i COUNTERSIGN_ACCESS_KEY_ID="$(value access-key-id "$root/data")" \
    COUNTERSIGN_ACCESS_KEY_SECRET="$(value access-key-secret "$root/data")" "$chroot" --userspec=$user "$root" /usr/bin/countersign app \
    --data /data --listen 127.0.0.1:9818 --host $store/photos --root up/ --callback-url http://127.0.0.1:9818/callback \
    --callback-key "$store/_countersign/callback_pub_key_v1.pem=/data/callback_pub_key_v1.pem" >"$work/app" 2>&1 &
helper=$!
echo "a real file" >"$root/data/file.txt"
chmod 644 "$root/data/file.txt"
wait_for nsenter -t "$first" --net curl -fs http://127.0.0.1:9818/healthz || fail "the application server is not healthy"
inside $user upload /data/file.txt --to http://127.0.0.1:9818 || fail "not uploaded: $(cat "$work/app")"
kill -TERM $helper
wait $helper || fail "the application server did not end with 0"
stop
echo "read, unpacked, started, used and ended, as two users"

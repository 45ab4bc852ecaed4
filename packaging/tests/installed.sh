#!/bin/sh
# Installs the Debian package into a copy-on-write view of this system (overlayfs), starts what it brings as its own user,
# uploads a file, upgrades, removes and purges. Nothing of it reaches the system itself. Needs root and Debian or Ubuntu.
# Usage: installed.sh PACKAGE.deb
set -eu

. "$(dirname "$0")/frame.sh"
package=$1
mkdir "$work/upper" "$work/work" "$root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$work/upper,workdir=$work/work" "$root"
cp "$package" "$root/tmp/one.deb"
inside() { chroot "$root" env LC_ALL="${LOCALE:-C}" DEBIAN_FRONTEND=noninteractive "$@"; }
as_service() { chroot --userspec=countersign:countersign "$root" env -i PATH=/usr/bin "$@"; }
# In the background: what is stopped later must be the program itself, not a shell around it.
as_daemon() { exec chroot --userspec=countersign:countersign "$root" env -i PATH=/usr/bin "$@"; }
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
data=/var/lib/countersign

# A person's account of that name is refused before anything is unpacked, and so is a group.
inside useradd --uid 4321 countersign
if inside dpkg -i /tmp/one.deb >"$work/said" 2>&1; then fail "a person's account was taken"; fi
grep -q "is a person's account" "$work/said" || fail "the refusal does not say why: $(cat "$work/said")"
[ ! -e "$root/etc/countersign" ] || fail "something was unpacked"
inside userdel countersign 2>/dev/null
inside groupdel countersign 2>/dev/null || true

# Over settings that were made by hand, and with a locale that is not there.
echo 'listen = "127.0.0.1:1"' >"$root/etc/countersign.toml"
LOCALE=zh_CN.UTF-8 inside dpkg -i /tmp/one.deb >"$work/said" 2>&1 || fail "not installed: $(cat "$work/said")"
grep -q "/etc/countersign.toml is not read" "$work/said" || fail "the older settings are not mentioned"
[ "$(inside stat -c '%a %U:%G' /etc/countersign/secrets.env)" = "640 root:countersign" ] || fail "secrets.env"
[ "$(inside stat -c '%a %U:%G' $data)" = "700 countersign:countersign" ] || fail "the data folder"
[ -e "$root/usr/share/man/man1/countersign-store.1.gz" ] || fail "no manual page"
gunzip -c "$root/usr/share/doc/countersign/THIRD-PARTY-NOTICES.txt.gz" | grep -q '^\* aws-lc-sys ' ||
    fail "no notices of third parties"

start_store() {
    as_daemon /usr/bin/countersign store --config /etc/countersign/countersign.toml --listen "127.0.0.1:$1" \
        --bucket photos --callback-allow 127.0.0.1/32 >>"$work/log" 2>&1 &
    store=$!
    wait_for as_service /usr/bin/countersign health --data $data --quiet || fail "the store is not healthy"
}
stop() {
    kill -TERM "$1"
    wait "$1" || fail "the end was not clean"
}

start_store "$(free_port)"
at=$(free_port)
address=$(as_service /usr/bin/countersign health --data $data | sed 's| .*||; s|/$||')
as_daemon COUNTERSIGN_ACCESS_KEY_ID="$(value access-key-id "$root$data")" \
    COUNTERSIGN_ACCESS_KEY_SECRET="$(value access-key-secret "$root$data")" \
    /usr/bin/countersign app --config /etc/countersign/app.toml --data $data --listen "127.0.0.1:$at" \
    --host "$address/photos" --root up/ --callback-url "http://127.0.0.1:$at/callback" \
    --callback-key "$address/_countersign/callback_pub_key_v1.pem=$data/callback_pub_key_v1.pem" >>"$work/log" 2>&1 &
app=$!
echo "a real file" >"$root/tmp/file.txt"
wait_for curl -fs "http://127.0.0.1:$at/healthz" || fail "the application server is not healthy"
as_service /usr/bin/countersign upload /tmp/file.txt --to "http://127.0.0.1:$at" --keep-name ||
    fail "not uploaded"
stop $app
stop $store

# An upgrade keeps settings and data.
echo '#mine' >>"$root/etc/countersign/countersign.toml"
key=$(value access-key-id "$root$data")
dpkg-deb -R "$package" "$work/next"
sed -i 's/^Version: .*/Version: 99.0-1/' "$work/next/DEBIAN/control"
dpkg-deb --root-owner-group -Znone --build "$work/next" "$root/tmp/two.deb" >/dev/null
inside dpkg -i /tmp/two.deb >"$work/said" 2>&1 || fail "not upgraded: $(cat "$work/said")"
tail -n 1 "$root/etc/countersign/countersign.toml" | grep -qx '#mine' || fail "the settings were replaced"
[ "$(value access-key-id "$root$data")" = "$key" ] || fail "the access key was replaced"
start_store "$(free_port)"
as_service /usr/bin/countersign bucket list --data $data | grep -q photos || fail "the bucket is gone"
stop $store

# A removal keeps both; purging keeps what was stored, and says so.
inside dpkg --remove countersign >/dev/null 2>&1 || fail "not removed"
[ -e "$root/etc/countersign/countersign.toml" ] && [ -e "$root$data/catalog.sqlite" ] || fail "a removal took something"
inside dpkg --purge countersign >"$work/said" 2>&1 || fail "not purged: $(cat "$work/said")"
[ ! -e "$root/etc/countersign" ] || fail "settings are left"
[ -e "$root$data/catalog.sqlite" ] || fail "purging took what was stored"
grep -q "is kept in /var/lib/countersign" "$work/said" || fail "it does not say what is kept"
echo "installed, started, used, upgraded, removed and purged"

#!/bin/bash
# Boots a machine's disk in user-mode Linux, in a network namespace of its own:
#
#   boot-uml.sh <disk> <the folder that it lies in> <the root that has linux.uml>
#
# A bridge joins the machine's interface to the tap that slirp4netns answers. All ends with this process.
set -e
disk=$1 directory=$2 root=$3
if [ "$4" != inside ]; then
  exec unshare --net --mount --fork --kill-child=KILL "$0" "$disk" "$directory" "$root" inside
fi
mount --make-rprivate /
mount -t proc proc "$root/proc"
mount --bind /dev "$root/dev"
mount --bind "$directory" "$root/mnt"
ip link set lo up
ip link add br0 type bridge
ip link set br0 up
for tap in tap0 tap1; do
  ip tuntap add "$tap" mode tap
  ip link set "$tap" master br0 up mtu 1400
done
# seccomp: threads of the machine's processes enter its kernel without ptrace, which is five times as quick. Node's
# io_uring makes the kernel panic.
exec chroot "$root" /usr/bin/env -i -C /mnt HOME=/root TMPDIR=/dev/shm /usr/bin/linux.uml \
  seccomp=on mem=4G "ubd0=/mnt/$(basename "$disk")" root=/dev/ubda rw \
  vec0:transport=tap,ifname=tap1,depth=128 con=null con0=null,fd:1 panic=1 ssl=null \
  security=apparmor sysctl.kernel.io_uring_disabled=2 </dev/null

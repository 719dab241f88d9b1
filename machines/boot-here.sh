#!/bin/bash
# Boots a machine's disk in namespaces of its own, on the kernel of this machine:
#
#   boot-here.sh <disk> <an empty folder> <the name of its control groups> <its name>
#
# All mounts are made in its own mount namespace and go with it. It ends when its init ends.
set -e
disk=$1 root=$2 group=$3 name=$4
if [ "$5" != inside ]; then
  # A group in each hierarchy is the root of the machine's own.
  while read -r _ path type _; do
    [[ $type == cgroup || $type == cgroup2 ]] || continue
    mkdir -p "$path/$group"
    if [ -e "$path/$group/cpuset.cpus" ] && [ "$type" = cgroup ]; then
      for file in cpuset.cpus cpuset.mems; do cat "$path/$file" >"$path/$group/$file"; done
    fi
    echo $$ >"$path/$group/cgroup.procs"
  done </proc/self/mounts
  exec unshare --mount --pid --net --uts --ipc --cgroup --fork --kill-child=KILL "$0" "$disk" "$root" "$group" "$name" inside
fi
mount --make-rprivate /
mount -o loop,noatime "$disk" "$root"
controllers=$(awk '$3 == "cgroup" { n = split($2, part, "/"); print part[n] }' /proc/self/mounts)
cd "$root"
hostname "$name"
mount -t proc proc proc
mount -t sysfs sysfs sys
init=(/sbin/init)
if [ -z "$controllers" ]; then
  mount -t cgroup2 cgroup2 sys/fs/cgroup
else
  # This machine's kernel has its controllers in v1, and then no other hierarchy can have them.
  mount -t tmpfs -o mode=755 tmpfs sys/fs/cgroup
  for controller in $controllers; do
    mkdir "sys/fs/cgroup/$controller"
    option=$controller
    [ "$controller" = systemd ] && option=none,name=systemd
    mount -t cgroup -o "$option" cgroup "sys/fs/cgroup/$controller"
  done
  init+=(systemd.unified_cgroup_hierarchy=0 SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE=1)
fi
mount -t tmpfs -o mode=755 tmpfs dev
mkdir dev/net dev/pts dev/shm
for node in null zero full random urandom tty fuse kmsg net/tun loop-control; do
  [ -e "/dev/$node" ] && cp -a "/dev/$node" "dev/$node"
done
mount -t devpts -o newinstance,ptmxmode=666,mode=620,gid=5 devpts dev/pts
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
ln -s fd/0 dev/stdin
ln -s fd/1 dev/stdout
ln -s fd/2 dev/stderr
mount -t tmpfs tmpfs run
mount -t tmpfs tmpfs tmp
mkdir run/outer
pivot_root . run/outer
cd /
umount -l /run/outer
# systemd takes it for a container and leaves the kernel's own settings alone.
exec /usr/bin/env -i container=other TERM=dumb "${init[@]}" </dev/null

# Boots systemd as process 1 of namespaces of its own: it sees the host's network, /run and bpf file system, may write
# nowhere else, and starts nothing but the two units of the node. Arguments: folder of the units, cgroup to live in.
set -eu
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mkdir "/sys/fs/cgroup/$2"
echo 0 >"/sys/fs/cgroup/$2/cgroup.procs"
umount /sys/fs/cgroup
exec unshare --cgroup --mount --pid --fork --kill-child --propagation private --mount-proc sh -euc '
    mount -t cgroup2 cgroup2 /sys/fs/cgroup
    mount -t tmpfs tmpfs /etc/systemd/system
    mount -o remount,bind,ro /
    cp "$1"/*.service /etc/systemd/system
    for target in default sysinit basic shutdown; do
        printf "[Unit]\nDefaultDependencies=no\n" >"/etc/systemd/system/$target.target"
    done
    exec env container=lab /lib/systemd/systemd --system --log-target=console --show-status=0
' boot "$1"

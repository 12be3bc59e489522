# An engine in namespaces of its own: its processes, mounts, bridges and rules of iptables are nowhere else.
#
#     sh -e engine.sh DIRECTORY CONTROL_GROUP
#
# What it says goes to standard error. `/run` is the engine's own too: the shims of containerd leave sockets there. Ports
# that are published are at the `localhost` of the engine's network. The shell stays as the init of the namespace and
# collects what is left to it.
mount -t tmpfs tmpfs /run
busybox ip link set lo up
dockerd --data-root "$1/data" --exec-root "$1/exec" --pidfile "$1/pid" --host "unix://$1/socket" --cgroup-parent "$2" &
wait

"""What a program inside a sandbox is and what it can do, as sorted lines of text. Runs inside; asserts nothing."""

import ctypes
import errno
import os
import socket
import struct

libc = ctypes.CDLL(None, use_errno=True)


def status(name):
    with open("/proc/self/status") as file:
        for line in file:
            if line.startswith(name + ":"):
                return line.split(":", 1)[1].strip()


def listing(path):
    try:
        return " ".join(sorted(os.listdir(path)))
    except OSError as error:
        return errno.errorcode[error.errno]


def called(number, *arguments):
    ctypes.set_errno(0)
    result = libc.syscall(ctypes.c_long(number), *[ctypes.c_long(argument) for argument in arguments])
    return "ok" if result >= 0 else errno.errorcode[ctypes.get_errno()]


def say(name, value):
    print(f"{name} = {value}")


say("user", f"{os.getuid()} {os.getgid()} {' '.join(map(str, os.getgroups()))}".strip())
for name in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp"]:
    say(name, status(name))
say("home", os.environ.get("HOME"))
say("environment", " ".join(sorted(name for name in os.environ if name not in ("_", "OLDPWD"))))
descriptors = []
for name in sorted(os.listdir("/proc/self/fd"), key=int):
    try:
        target = os.readlink(f"/proc/self/fd/{name}")
    except OSError:
        continue
    if not target.startswith("/proc/"):
        descriptors.append(f"{name}:{target.rstrip('0123456789')}")
say("descriptors", " ".join(descriptors))
say("/", listing("/"))
say("/run", listing("/run"))
say("/run/embedenv", listing("/run/embedenv"))
say("/home", listing("/home"))
say("/tmp", listing("/tmp"))
say("/root", listing("/root"))
say("/var", listing("/var"))
say("/sys", listing("/sys"))
with open("/etc/passwd") as file:
    say("accounts", " ".join(line.split(":")[0] for line in file))
say("/etc/shadow", listing("/etc/shadow"))
with open("/proc/1/comm") as file:
    say("first process", file.read().strip())
for secret in ["environ", "fd", "mem", "root"]:
    try:
        path = f"/proc/1/{secret}"
        os.listdir(path) if secret in ("fd", "root") else open(path, "rb").read(1)
        say(path, "readable")
    except OSError as error:
        say(path, errno.errorcode[error.errno])
say("interfaces", " ".join(name for _, name in socket.if_nameindex()))
for address in ["10.0.0.1", "192.168.1.1", "169.254.169.254", "172.17.0.1", "8.8.8.8"]:
    with socket.socket() as probe:
        probe.settimeout(1)
        say(f"connect {address}", errno.errorcode.get(probe.connect_ex((address, 80)), "?"))
with socket.socket() as listener, socket.socket() as probe:
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    say("connect itself", "ok" if probe.connect_ex(listener.getsockname()) == 0 else "refused")
for name, family, kind, protocol in [
    ("unix", 1, 1, 0),
    ("netlink route", 16, 3, 0),
    ("netlink audit", 16, 3, 9),
    ("netlink netfilter", 16, 3, 12),
    ("packet", 17, 3, 0),
    ("raw inet", 2, 3, 1),
    ("raw inet6", 10, 3, 58),
    ("vsock", 40, 1, 0),
    ("alg", 38, 5, 0),
    ("bluetooth", 31, 3, 0),
    ("can", 29, 3, 1),
    ("tipc", 30, 1, 0),
    ("rds", 21, 5, 0),
    ("xdp", 44, 3, 0),
]:
    try:
        socket.socket(family, kind, protocol).close()
        say(f"socket {name}", "ok")
    except OSError as error:
        say(f"socket {name}", errno.errorcode[error.errno])

NEW = {"user": 0x10000000, "mount": 0x20000, "pid": 0x20000000, "net": 0x40000000, "ipc": 0x8000000, "uts": 0x4000000,
       "cgroup": 0x2000000}
for name, flag in NEW.items():
    say(f"unshare {name}", called(272, flag))
say("clone user", called(56, 0x10000000 | 17, 0, 0, 0, 0))
arguments = ctypes.create_string_buffer(struct.pack("<8Q", 0x10000000, 0, 0, 0, 17, 0, 0, 0))
say("clone3 user", called(435, ctypes.addressof(arguments), 64))
for name, number in {
    "mount": 165, "umount2": 166, "pivot_root": 155, "chroot": 161, "fsopen": 430, "fsconfig": 431, "fsmount": 432,
    "fspick": 433, "move_mount": 429, "open_tree": 428, "mount_setattr": 442, "setns": 308, "bpf": 321,
    "perf_event_open": 298, "userfaultfd": 323, "io_uring_setup": 425, "io_uring_enter": 426, "io_uring_register": 427,
    "keyctl": 250, "add_key": 248, "request_key": 249, "open_by_handle_at": 304, "name_to_handle_at": 303,
    "init_module": 175, "finit_module": 313, "delete_module": 176, "kexec_load": 246, "kexec_file_load": 320,
    "reboot": 169, "swapon": 167, "swapoff": 168, "acct": 163, "quotactl": 179, "settimeofday": 164,
    "clock_settime": 227, "clock_adjtime": 305, "adjtimex": 159, "sethostname": 170, "setdomainname": 171,
    "syslog": 103, "vhangup": 153, "fanotify_init": 300, "lookup_dcookie": 212, "move_pages": 279,
    "migrate_pages": 256, "iopl": 172, "ioperm": 173, "uselib": 134, "ustat": 136, "sysfs": 139, "modify_ldt": 154,
}.items():
    say(f"call {name}", called(number, 0, 0, 0, 0, 0))
say("x32 getpid", called(0x40000000 + 39))
say("ptrace of the first process", called(101, 0x4206, 1, 0, 0))
say("kill of the first process", called(62, 1, 0))
terminal = os.open("/dev/tty", os.O_RDWR)
letter = ctypes.create_string_buffer(b"x")
say("ioctl TIOCSTI", called(16, terminal, 0x5412, ctypes.addressof(letter)))
say("ioctl TIOCLINUX", called(16, terminal, 0x541C, ctypes.addressof(letter)))
for path in ["/usr/probe", "/etc/probe", "/probe", "/run/probe", "/dev/probe"]:
    try:
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY))
        say(f"write {path}", "ok")
    except OSError as error:
        say(f"write {path}", errno.errorcode[error.errno])
try:
    os.mknod("/tmp/device", 0o20600, os.makedev(1, 8))
    say("mknod", "ok")
except OSError as error:
    say("mknod", errno.errorcode[error.errno])

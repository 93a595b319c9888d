//! System calls a sandbox may not make: a deny list, with a reason for each row.
//!
//! Three programs, because each has one answer: `EPERM` for the table; `ENOSYS` for `clone3`, whose flags a filter can't
//! read and for which libraries fall back to `clone`; `ENOSYS` for the x32 numbers, which a deny list of x86-64 numbers
//! does not see. `ptrace` is not in the table: it reaches only processes of the same user in the same namespaces, the
//! agent is not dumpable, and debuggers need it.

use std::collections::BTreeMap;

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    TargetArch, sock_filter,
};

/// The programs as the kernel reads them, one instruction after the other.
#[derive(Debug)]
pub(super) struct Filters(Vec<Vec<u8>>);

impl Filters {
    pub(super) fn new() -> Result<Self, String> {
        let arch: TargetArch =
            std::env::consts::ARCH.try_into().map_err(|error| format!("no seccomp filter: {error}"))?;
        let table = compile(table()?, libc::EPERM, arch)?;
        let clone3 = compile(BTreeMap::from([(libc::SYS_clone3, vec![])]), libc::ENOSYS, arch)?;
        let mut programs = vec![bytes(&table), bytes(&clone3)];
        if arch == TargetArch::x86_64 {
            programs.push(bytes(&x32()));
        }
        Ok(Self(programs))
    }

    pub(super) fn programs(&self) -> impl Iterator<Item = &[u8]> {
        self.0.iter().map(Vec::as_slice)
    }
}

type Table = BTreeMap<i64, Vec<SeccompRule>>;

fn compile(table: Table, errno: i32, arch: TargetArch) -> Result<BpfProgram, String> {
    let action = SeccompAction::Errno(errno as u32);
    SeccompFilter::new(table, SeccompAction::Allow, action, arch)
        .and_then(BpfProgram::try_from)
        .map_err(|error| format!("the seccomp filter can't be made: {error}"))
}

/// Calls that are refused whatever their arguments, and why.
const ALWAYS: &[(i64, &str)] = &[
    (libc::SYS_mount, "changes what the sandbox sees"),
    (libc::SYS_umount2, "changes what the sandbox sees"),
    (libc::SYS_pivot_root, "changes what the sandbox sees"),
    (libc::SYS_chroot, "changes what the sandbox sees"),
    (libc::SYS_fsopen, "the newer mount calls"),
    (libc::SYS_fsconfig, "the newer mount calls"),
    (libc::SYS_fsmount, "the newer mount calls"),
    (libc::SYS_fspick, "the newer mount calls"),
    (libc::SYS_move_mount, "the newer mount calls"),
    (libc::SYS_open_tree, "the newer mount calls"),
    (libc::SYS_mount_setattr, "the newer mount calls"),
    (libc::SYS_setns, "enters other namespaces"),
    (libc::SYS_bpf, "programs in the kernel"),
    (libc::SYS_perf_event_open, "looks into the kernel and at neighbours"),
    (libc::SYS_userfaultfd, "stops the kernel at a point of one's choosing"),
    (libc::SYS_io_uring_setup, "a second way to make system calls, which a filter does not see"),
    (libc::SYS_io_uring_enter, "a second way to make system calls, which a filter does not see"),
    (libc::SYS_io_uring_register, "a second way to make system calls, which a filter does not see"),
    (libc::SYS_keyctl, "keyrings are not per namespace"),
    (libc::SYS_add_key, "keyrings are not per namespace"),
    (libc::SYS_request_key, "keyrings are not per namespace"),
    (libc::SYS_open_by_handle_at, "opens files beneath a mount by number"),
    (libc::SYS_name_to_handle_at, "makes the numbers for it"),
    (libc::SYS_init_module, "kernel modules"),
    (libc::SYS_finit_module, "kernel modules"),
    (libc::SYS_delete_module, "kernel modules"),
    (libc::SYS_kexec_load, "another kernel"),
    (libc::SYS_kexec_file_load, "another kernel"),
    (libc::SYS_reboot, "the machine's"),
    (libc::SYS_swapon, "the machine's"),
    (libc::SYS_swapoff, "the machine's"),
    (libc::SYS_acct, "the machine's"),
    (libc::SYS_quotactl, "the machine's"),
    (libc::SYS_quotactl_fd, "the machine's"),
    (libc::SYS_settimeofday, "the machine's clock"),
    (libc::SYS_clock_settime, "the machine's clock"),
    (libc::SYS_clock_adjtime, "the machine's clock"),
    (libc::SYS_adjtimex, "the machine's clock"),
    (libc::SYS_sethostname, "set once, at the start"),
    (libc::SYS_setdomainname, "set once, at the start"),
    (libc::SYS_syslog, "the kernel's log"),
    (libc::SYS_vhangup, "other people's terminals"),
    (libc::SYS_fanotify_init, "watches whole mounts"),
    (libc::SYS_lookup_dcookie, "a profiler's"),
    (libc::SYS_move_pages, "places neighbours' memory"),
    (libc::SYS_migrate_pages, "places neighbours' memory"),
    (libc::SYS_nfsservctl, "gone from kernels, and from here"),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_iopl, "ports of the hardware"),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_ioperm, "ports of the hardware"),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_uselib, "an old way to load libraries"),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_ustat, "an old call"),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_sysfs, "an old call"),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_modify_ldt, "16-bit segments, often at fault"),
];

/// Flags of `clone` and `unshare` that make a namespace: inside a new user namespace a process is its root, and much of
/// the kernel becomes reachable.
const NAMESPACES: [i32; 8] = [
    libc::CLONE_NEWUSER,
    libc::CLONE_NEWNS,
    libc::CLONE_NEWPID,
    libc::CLONE_NEWNET,
    libc::CLONE_NEWIPC,
    libc::CLONE_NEWUTS,
    libc::CLONE_NEWCGROUP,
    0x80, // CLONE_NEWTIME; in `clone` this bit is part of the signal number and never set
];

/// Families of sockets there are; others are drivers that few need and many faults were found in.
const FAMILIES: [i32; 4] = [libc::AF_UNIX, libc::AF_INET, libc::AF_INET6, libc::AF_NETLINK];
/// The part of a socket's type that is not flags.
const SOCKET_TYPE: u64 = 0xf;
/// The old name of packet sockets (socket(2)); the constant is deprecated, and programs of old still ask for it.
const SOCK_PACKET: i32 = 10;
/// Pushes characters into a terminal as if typed; the second also selects text on a console.
const TERMINAL_IOCTLS: [u64; 2] = [0x5412, 0x541c];

fn table() -> Result<Table, String> {
    let mut table: Table = ALWAYS.iter().map(|(call, _why)| (*call, Vec::new())).collect();
    let mut refuse = |call: i64, conditions: Vec<SeccompCondition>| -> Result<(), String> {
        let rule = SeccompRule::new(conditions).map_err(|error| format!("a seccomp rule can't be made: {error}"))?;
        table.entry(call).or_default().push(rule);
        Ok(())
    };
    for flag in NAMESPACES {
        let flag = flag as u64;
        for call in [libc::SYS_clone, libc::SYS_unshare] {
            refuse(call, vec![when(0, SeccompCmpOp::MaskedEq(flag), flag)?])?;
        }
    }
    let known = FAMILIES.iter().map(|family| when(0, SeccompCmpOp::Ne, *family as u64)).collect::<Result<_, _>>()?;
    refuse(libc::SYS_socket, known)?;
    // Of netlink only the route family, with which development servers list their addresses.
    let netlink = when(0, SeccompCmpOp::Eq, libc::AF_NETLINK as u64)?;
    refuse(libc::SYS_socket, vec![netlink, when(2, SeccompCmpOp::Ne, libc::NETLINK_ROUTE as u64)?])?;
    for family in [libc::AF_INET, libc::AF_INET6] {
        for kind in [libc::SOCK_RAW, SOCK_PACKET] {
            let family = when(0, SeccompCmpOp::Eq, family as u64)?;
            let kind = when(1, SeccompCmpOp::MaskedEq(SOCKET_TYPE), kind as u64)?;
            refuse(libc::SYS_socket, vec![family, kind])?;
        }
    }
    for request in TERMINAL_IOCTLS {
        refuse(libc::SYS_ioctl, vec![when(1, SeccompCmpOp::Eq, request)?])?;
    }
    Ok(table)
}

/// A condition on the low 32 bits of an argument: the kernel reads no more of these.
fn when(argument: u8, operator: SeccompCmpOp, value: u64) -> Result<SeccompCondition, String> {
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, operator, value)
        .map_err(|error| format!("a seccomp condition can't be made: {error}"))
}

/// `ENOSYS` for every call number with the x32 bit (seccomp(2), "Architecture support").
fn x32() -> BpfProgram {
    const X32_BIT: u32 = 0x4000_0000;
    let load_number = sock_filter { code: 0x20, jt: 0, jf: 0, k: 0 };
    let is_x32 = sock_filter { code: 0x35, jt: 0, jf: 1, k: X32_BIT };
    let refuse = sock_filter { code: 0x06, jt: 0, jf: 0, k: 0x0005_0000 | libc::ENOSYS as u32 };
    let allow = sock_filter { code: 0x06, jt: 0, jf: 0, k: 0x7fff_0000 };
    vec![load_number, is_x32, refuse, allow]
}

/// As the kernel lays out `struct sock_filter`.
fn bytes(program: &BpfProgram) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(program.len() * 8);
    for sock_filter { code, jt, jf, k } in program {
        bytes.extend_from_slice(&code.to_ne_bytes());
        bytes.extend_from_slice(&[*jt, *jf]);
        bytes.extend_from_slice(&k.to_ne_bytes());
    }
    bytes
}

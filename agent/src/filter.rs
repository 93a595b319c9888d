//! Filters of system calls for everything in the sandbox, on top of those the engine has set: where an engine can't be
//! given them, the server sends them to the agent, which takes them upon itself before it does anything else. Programs
//! inherit them, and nothing takes a filter off again (seccomp(2)).
#![allow(unsafe_code)] // The system call takes a pointer to the program; libc has no safe form of it.

use rustix::io::Errno;

/// Length of one instruction (`struct sock_filter`).
const INSTRUCTION: usize = 8;

/// Takes a program upon this thread and all it starts from now on. A program that the kernel would not run is an error.
pub fn install(program: &[u8]) -> Result<(), Errno> {
    let (count, rest) = (program.len() / INSTRUCTION, program.len() % INSTRUCTION);
    let length = u16::try_from(count).ok().filter(|_| rest == 0).ok_or(Errno::INVAL)?;
    rustix::thread::set_no_new_privs(true)?;
    let program = libc::sock_fprog { len: length, filter: program.as_ptr().cast_mut().cast() };
    // SAFETY: `filter` points to `len` instructions for as long as the call lasts; the kernel only reads them.
    let result =
        unsafe { libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, 0, std::ptr::from_ref(&program)) };
    if result == 0 {
        Ok(())
    } else {
        Err(Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::INVAL))
    }
}

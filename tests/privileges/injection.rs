//! Makes a thread of another process call the kernel: ptrace(2). Calls that are denied to that
//! thread fail.

use nix::libc::{self, c_void, user_regs_struct};
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;

/// `syscall`.
const INSTRUCTION: [u8; 2] = [0x0f, 0x05];
/// Offset below the end of the stack for data passed by pointer: below what the thread itself uses.
const BELOW_STACK: u64 = 8192;

/// An argument of a call.
pub enum Argument {
    Number(u64),
    /// Bytes, by pointer.
    Bytes(Vec<u8>),
}

/// A stopped thread. It continues on drop.
pub struct Stopped {
    thread: i32,
    memory: File,
    before: user_regs_struct,
    /// The address of the instruction.
    instruction: u64,
}

/// The threads of a process.
pub fn threads(process: u32) -> Vec<i32> {
    let tasks = fs::read_dir(format!("/proc/{process}/task")).unwrap();
    tasks
        .map(|task| task.unwrap().file_name().to_str().unwrap().parse().unwrap())
        .collect()
}

impl Stopped {
    /// Stops a thread while it waits in the kernel; `None` if it has ended.
    pub fn new(thread: i32) -> Option<Self> {
        loop {
            if try_request(libc::PTRACE_SEIZE, thread, std::ptr::null_mut()).is_err() {
                return None;
            }
            request(libc::PTRACE_INTERRUPT, thread, std::ptr::null_mut());
            wait_until_stopped(thread);
            let stopped = Stopped::of(thread);
            let mut found = [0; 2];
            let instruction = &mut found;
            stopped
                .memory
                .read_exact_at(instruction, stopped.instruction)
                .unwrap();
            if found == INSTRUCTION {
                return Some(stopped);
            }
            // It is computing at the moment.
            drop(stopped);
            std::thread::yield_now();
        }
    }

    fn of(thread: i32) -> Self {
        let memory = OpenOptions::new()
            .read(true)
            .write(true)
            .open(format!("/proc/{thread}/mem"))
            .unwrap();
        let before = registers(thread);
        let instruction = before.rip - 2;
        Stopped {
            thread,
            memory,
            before,
            instruction,
        }
    }

    /// A system call: its result, or the error number.
    pub fn call(&self, number: i64, arguments: &[Argument]) -> Result<i64, i32> {
        let mut address = self.before.rsp - BELOW_STACK;
        let mut values = [0; 6];
        for (value, argument) in values.iter_mut().zip(arguments) {
            *value = match argument {
                Argument::Number(number) => *number,
                Argument::Bytes(bytes) => {
                    address -= bytes.len() as u64 + 8;
                    self.memory.write_all_at(bytes, address).unwrap();
                    address
                }
            };
        }
        let [rdi, rsi, rdx, r10, r8, r9] = values;
        let mut with = user_regs_struct {
            rip: self.instruction,
            rax: number.cast_unsigned(),
            // The interrupted call must not be restarted now.
            orig_rax: u64::MAX,
            rdi,
            rsi,
            rdx,
            r10,
            r8,
            r9,
            ..self.before
        };
        request(libc::PTRACE_SETREGS, self.thread, (&raw mut with).cast());
        request(libc::PTRACE_SINGLESTEP, self.thread, std::ptr::null_mut());
        wait_until_stopped(self.thread);
        match registers(self.thread).rax.cast_signed() {
            error @ -4095..0 => Err((-error) as i32),
            answer => Ok(answer),
        }
    }
}

impl Drop for Stopped {
    fn drop(&mut self) {
        let mut before = self.before;
        request(libc::PTRACE_SETREGS, self.thread, (&raw mut before).cast());
        request(libc::PTRACE_DETACH, self.thread, std::ptr::null_mut());
    }
}

fn registers(thread: i32) -> user_regs_struct {
    // SAFETY: all bits zero are a valid value.
    let mut registers: user_regs_struct = unsafe { std::mem::zeroed() };
    request(libc::PTRACE_GETREGS, thread, (&raw mut registers).cast());
    registers
}

fn request(what: libc::c_uint, thread: i32, data: *mut c_void) {
    try_request(what, thread, data).unwrap_or_else(|error| panic!("{what}: {error}"));
}

fn try_request(what: libc::c_uint, thread: i32, data: *mut c_void) -> io::Result<()> {
    let nowhere: *mut c_void = std::ptr::null_mut();
    // SAFETY: the data has the type that the request expects: nothing, or registers.
    match unsafe { libc::ptrace(what, thread, nowhere, data) } {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

fn wait_until_stopped(thread: i32) {
    let mut status = 0;
    // SAFETY: the status is written to.
    let waited = unsafe { libc::waitpid(thread, &raw mut status, libc::__WALL) };
    assert_eq!(waited, thread, "{}", io::Error::last_os_error());
    assert!(libc::WIFSTOPPED(status), "{status:#x}");
}

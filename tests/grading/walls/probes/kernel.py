"""Ways to more rights, and the corners of the kernel where ways are found."""

import contextlib
import ctypes
import fcntl
import mmap
import os
import resource
import struct
from pathlib import Path

from calls import MACHINE, syscall


def in_a_child(work):
    """Whether the work succeeded, in a process that it cannot spoil."""
    child = os.fork()
    if child == 0:
        try:
            work()
        except BaseException:
            os._exit(1)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0, "refused"
    return True


def open_a_user_namespace(world):
    return in_a_child(lambda: syscall((272, 97), 0x10000000))


def open_other_namespaces(world):
    return in_a_child(lambda: syscall((272, 97), 0x04000000))


def fork_into_a_user_namespace(world):
    child = syscall((56, 220), 0x10000000 | 17, 0, 0, 0, 0)
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    return True


def fork_into_a_user_namespace_by_the_newer_call(world):
    arguments = ctypes.create_string_buffer(struct.pack("=8Q", 0x10000000, 0, 0, 0, 17, 0, 0, 0))
    child = syscall((435, 435), arguments, 64)
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    return True


def enter_a_namespace_of_the_grader(world):
    handle = os.open(f"/proc/{world['victim']}/ns/uts", os.O_RDONLY)
    return in_a_child(lambda: syscall((308, 268), handle, 0))


def enter_a_namespace_of_its_own_again(world):
    handle = os.open("/proc/self/ns/uts", os.O_RDONLY)
    return in_a_child(lambda: syscall((308, 268), handle, 0))


def mount_something(world):
    os.makedirs("place", exist_ok=True)

    def mount():
        syscall((272, 97), 0x00020000 | (0x10000000 if os.getuid() else 0))
        syscall((165, 40), b"none", b"place", b"tmpfs", 0, None)

    return in_a_child(mount)


def unmount_something(world):
    os.makedirs("place", exist_ok=True)

    def unmount():
        syscall((272, 97), 0x00020000 | (0x10000000 if os.getuid() else 0))
        syscall((165, 40), b"none", b"place", b"tmpfs", 0, None)
        syscall((166, 39), b"place", 2)

    return in_a_child(unmount)


def mount_by_the_newer_calls(world):
    return in_a_child(lambda: syscall((430, 430), b"tmpfs", 0))


def copy_a_mount(world):
    return in_a_child(lambda: syscall((428, 428), -100, b"/", 1))


def change_the_root_folder(world):
    return in_a_child(lambda: os.chroot("."))


def become_root(world):
    return in_a_child(lambda: os.setresuid(0, 0, 0))


def hold_a_capability(world):
    fields = Path("/proc/self/status").read_text().split()
    return int(fields[fields.index("CapEff:") + 1], 16) & ~(1 << 2)


def gain_rights_by_running_a_program(world):
    fields = Path("/proc/self/status").read_text().split()
    return fields[fields.index("NoNewPrivs:") + 1] == "0"


def raise_its_limits(world):
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    if hard != resource.RLIM_INFINITY:
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard + 1, hard + 1))
    return True


def set_the_name_of_the_machine(world):
    name = os.uname().nodename.encode()
    return syscall((170, 161), name, len(name)) == 0


def set_the_clock(world):
    now = ctypes.create_string_buffer(struct.pack("=qq", 0, -1), 16)  # refused as nonsense
    try:
        syscall((227, 112), 0, now)
    except OSError as error:
        return error.errno == 22  # only who may set the clock is told that the time is nonsense


def load_a_program_into_the_kernel(world):
    attributes = ctypes.create_string_buffer(struct.pack("=IIII", 2, 4, 8, 1), 128)
    os.close(syscall((321, 280), 0, attributes, 128))
    return True


def open_a_ring_of_calls(world):
    os.close(syscall((425, 425), 4, ctypes.create_string_buffer(120)))
    return True


def count_events_of_the_processor(world):
    attributes = ctypes.create_string_buffer(struct.pack("=IIQ", 1, 112, 1), 112)
    attributes[40:48] = struct.pack("=Q", 1 << 5 | 1 << 6)  # not in the kernel
    os.close(syscall((298, 241), attributes, 0, -1, -1, 0))
    return True


def look_into_the_keyring(world):
    return syscall((250, 219), 0, -3, 1)


def put_a_key_into_the_keyring(world):
    return syscall((248, 217), b"user", b"mdcv", b"x", 1, -2)


def handle_page_faults_itself(world):
    os.close(syscall((323, 282), 1))
    return True


def keep_a_file_in_memory_only(world):
    os.close(os.memfd_create("mdcv"))
    return True


def share_memory_without_a_file(world):
    place = syscall((29, 194), 0, 4096, 0o1600)
    with contextlib.suppress(OSError):
        syscall((31, 195), place, 0, None)
    return True


def queue_messages_for_others(world):
    place = syscall((68, 186), 0, 0o1600)
    with contextlib.suppress(OSError):
        syscall((71, 187), place, 0, None)
    return True


def share_semaphores(world):
    place = syscall((64, 190), 0, 1, 0o1600)
    with contextlib.suppress(OSError):
        syscall((66, 191), place, 0, 0, None)
    return True


def open_a_message_queue(world):
    name = f"mdcv-{os.getpid()}".encode()
    os.close(syscall((240, 180), name, os.O_CREAT | os.O_RDWR, 0o600, None))
    with contextlib.suppress(OSError):
        syscall((241, 181), name)
    return True


def change_its_personality(world):
    return syscall((135, 92), 0xFFFFFFFF) >= 0


def read_the_log_of_the_kernel(world):
    return syscall((103, 116), 10, None, 0) >= 0


def call_the_kernel_in_32_bits(world):
    assert MACHINE == 0, "there are other ways on this processor"
    # mov eax, 20 (getpid); int 0x80; ret. The plain getpid has another number.
    code = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    code.write(b"\xb8\x14\x00\x00\x00\xcd\x80\xc3")
    address = ctypes.addressof(ctypes.c_char.from_buffer(code))
    return ctypes.CFUNCTYPE(ctypes.c_long)(address)() == os.getpid()


def type_into_a_terminal(world):
    _, theirs = os.openpty()
    if os.getsid(0) != os.getpid():
        os.setsid()
    fcntl.ioctl(theirs, 0x540E, 0)  # make it the terminal of this session
    fcntl.ioctl(theirs, 0x5412, b"x")
    return True

"""Ways to other people's files. Each function returns what it got hold of, and raises or returns
nothing when it got hold of nothing."""

import contextlib
import ctypes
import errno
import mmap
import os
import subprocess
import sys
import time
from pathlib import Path

#: What has been done counts, even if it cannot be undone.
UNDOING = contextlib.suppress(OSError)

LIBC = ctypes.CDLL(None, use_errno=True)


def read_a_solution(world):
    return Path(world["solution"]).read_text()


def list_the_course(world):
    return os.listdir(world["course"])


def find_files_by_walking_from_the_root(world):
    place = "/"
    for part in Path(world["solution"]).parts[1:]:
        assert part in os.listdir(place), f"{place} does not show {part}"
        place = os.path.join(place, part)
    return place


def read_through_a_symbolic_link_of_its_own(world):
    os.symlink(world["solution"], "link")
    return Path("link").read_text()


def read_through_a_hard_link_of_its_own(world):
    name = f"{world['readable']}/link" if world["wall"] == "none" else "link"
    os.link(world["solution"], name)
    try:
        return Path(name).read_text()
    finally:
        os.unlink(name)


def move_a_file_into_its_own_folder(world):
    moved = world["course"] + "/moved"
    os.rename(world["gradebook"], moved)
    with UNDOING:
        os.rename(moved, world["gradebook"])
    return True


def read_through_its_own_entry_in_proc(world):
    return Path("/proc/self/root" + world["solution"]).read_text()


def read_through_the_entry_of_a_grader_in_proc(world):
    return Path(f"/proc/{world['victim']}/root" + world["solution"]).read_text()


def read_through_the_folder_in_which_the_grader_stands(world):
    return os.listdir(f"/proc/{world['victim']}/cwd")


def read_through_an_open_file_that_it_inherited(world):
    for handle in map(int, os.listdir("/proc/self/fd")):
        try:
            if b"secret" in os.pread(handle, 100, 0):
                return handle
        except OSError:
            pass


def read_through_an_open_folder_that_it_inherited(world):
    for handle in range(3, 60):
        try:
            return os.open("solution.py", os.O_RDONLY, dir_fd=handle)
        except OSError:
            pass


def read_from_within_the_folder(world):
    os.chdir(world["course"])
    return Path("solution.py").read_text()


def read_by_the_number_of_the_file(world):
    handle = ctypes.create_string_buffer(b"\x80\0\0\0" + bytes(132), 136)
    mount = ctypes.c_int()
    if LIBC.name_to_handle_at(-100, world["solution"].encode(), handle, ctypes.byref(mount), 0):
        raise OSError(ctypes.get_errno(), "name_to_handle_at")
    return True


def map_a_file_into_memory(world):
    with open(world["solution"], "rb") as file:
        return bytes(mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)[:6])


def read_with_another_program(world):
    return subprocess.run(["cat", world["solution"]], stdout=subprocess.PIPE).stdout


def run_a_program_from_elsewhere(world):
    return subprocess.run([world["program"]], stdout=subprocess.PIPE).stdout


def read_who_lives_on_this_machine(world):
    return Path("/etc/passwd").read_text()


def read_the_answers_in_the_library(world):
    return Path(world["library"], "answers.py").read_text()


def import_the_answers_from_the_library(world):
    sys.path.insert(0, str(Path(world["library"]).parent))
    import mdcv.answers

    return mdcv.answers.chamfer


def read_what_is_hidden_in_a_readable_folder(world):
    return Path(world["hidden"], "answer.py").read_text()


def read_what_is_hidden_through_a_link_in_a_readable_folder(world):
    return Path(world["readable"], "lib64", "hidden", "answer.py").read_text()


def read_what_is_hidden_through_a_link_to_a_readable_folder(world):
    return Path(world["readable"], "..", "link", "lib", "hidden", "answer.py").read_text()


def read_shared_memory_of_others(world):
    return Path(world["shared"]).read_text()


def watch_the_course_for_changes(world):
    handle = LIBC.inotify_init()
    if LIBC.inotify_add_watch(handle, world["course"].encode(), 0x100) < 0:
        raise OSError(ctypes.get_errno(), "inotify_add_watch")
    return True


def write_into_the_course(world):
    path = Path(world["course"], "mine")
    path.write_text("I was here")
    with UNDOING:
        path.unlink()
    return True


def write_into_the_gradebook(world):
    with open(world["gradebook"], "a") as file:
        return file.write("100 %")


def delete_a_file_of_the_course(world):
    os.unlink(world["gradebook"])
    with UNDOING:
        Path(world["gradebook"]).write_text("secret marks")
    return True


def empty_the_gradebook(world):
    os.truncate(world["gradebook"], 0)
    with UNDOING:
        Path(world["gradebook"]).write_text("secret marks")
    return True


def empty_a_readable_file_while_reading_it(world):
    path = Path(world["readable"], "package.py")
    os.close(os.open(path, os.O_RDONLY | os.O_TRUNC))
    emptied = path.stat().st_size == 0
    with UNDOING:
        path.write_text("import this")
    return emptied


def take_away_the_rights_on_the_gradebook(world):
    before = os.stat(world["gradebook"]).st_mode
    os.chmod(world["gradebook"], 0o000)
    after = os.stat(world["gradebook"]).st_mode
    os.chmod(world["gradebook"], before)
    return before != after


def take_away_the_rights_on_a_readable_file_through_a_handle(world):
    with open(Path(world["readable"], "package.py")) as file:
        before = os.fstat(file.fileno()).st_mode
        os.fchmod(file.fileno(), 0o000)
        after = os.fstat(file.fileno()).st_mode
        os.fchmod(file.fileno(), before)
    return before != after


def backdate_the_gradebook(world):
    os.utime(world["gradebook"], (1, 1))
    late = os.stat(world["gradebook"]).st_mtime == 1
    os.utime(world["gradebook"])
    return late


def label_the_gradebook(world):
    label = str(time.time()).encode()
    os.setxattr(world["gradebook"], "user.mdcv", label)
    return os.getxattr(world["gradebook"], "user.mdcv") == label


def lock_the_gradebook_by_a_lease(world):
    import fcntl

    with open(Path(world["readable"], "package.py")) as file:
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_WRLCK)
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    return True


def change_an_installed_package(world):
    path = Path(world["readable"], "package.py")
    path.write_text("import that")
    path.write_text("import this")
    return True


def add_a_package_that_shadows_another(world):
    path = Path(world["readable"], "numpy.py")
    path.write_text("")
    with UNDOING:
        path.unlink()
    return True


def write_into_the_common_scratch_folder(world):
    path = Path("/tmp", f"mdcv-{world['marker']}")
    path.write_text("for my friend")
    with UNDOING:
        path.unlink()
    return True


def leave_something_for_others_in_shared_memory(world):
    with open(world["shared"], "r+") as file:
        return file.write("for my friend")


def make_folders_links_and_pipes_elsewhere(world):
    course = world["course"]
    done = []
    for make, undo in (
        (lambda: os.mkdir(course + "/a"), lambda: os.rmdir(course + "/a")),
        (lambda: os.symlink("/", course + "/b"), lambda: os.unlink(course + "/b")),
        (lambda: os.mkfifo(course + "/c"), lambda: os.unlink(course + "/c")),
    ):
        try:
            make()
            done.append(True)
            undo()
        except OSError as error:
            assert error.errno in (errno.EACCES, errno.ENOENT, errno.EPERM, errno.EROFS)
    return done


def make_a_device_of_the_disk(world):
    os.mknod("disk", 0o60600, os.makedev(8, 0))
    os.unlink("disk")
    return True

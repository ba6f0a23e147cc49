"""Ways to other processes and to the network."""

import ctypes
import fcntl
import os
import resource
import signal
import socket
import struct
import subprocess
from pathlib import Path

from calls import syscall


def see_a_process_of_the_grader(world):
    return world["victim_name"] in Path(f"/proc/{world['victim']}/cmdline").read_text()


def see_it_in_the_list_of_processes(world):
    return str(world["victim"]) in os.listdir("/proc")


def see_it_with_ps(world):
    done = subprocess.run(["ps", "-ef"], stdout=subprocess.PIPE, text=True, check=True)
    return world["victim_name"] in done.stdout


def read_the_environment_of_the_grader(world):
    return b"MARKER" in Path(f"/proc/{world['victim']}/environ").read_bytes()


def read_the_memory_of_the_grader(world):
    handle = os.open(f"/proc/{world['victim']}/mem", os.O_RDONLY)
    os.close(handle)
    return True


def see_whether_a_process_is_there(world):
    os.kill(world["victim"], 0)
    return True


def stop_a_process_of_the_grader(world):
    os.kill(world["victim"], signal.SIGSTOP)
    os.kill(world["victim"], signal.SIGCONT)
    return True


def signal_its_parent(world):
    os.kill(world["template"], 0)
    return True


def signal_everybody(world):
    os.kill(-1, 0)
    return True


def signal_one_thread_of_the_grader(world):
    syscall((234, 131), world["victim"], world["victim"], 0)
    return True


def signal_a_thread_by_its_number_alone(world):
    syscall((200, 130), world["victim"], 0)
    return True


def signal_through_a_queue(world):
    information = ctypes.create_string_buffer(struct.pack("=iii", 0, 0, -1), 128)
    syscall((129, 138), world["victim"], 0, information)
    return True


def signal_through_a_process_handle(world):
    handle = os.pidfd_open(world["victim"])
    signal.pidfd_send_signal(handle, 0)
    os.close(handle)
    return True


def let_the_kernel_signal_somebody(world):
    ours, _ = os.pipe()
    fcntl.fcntl(ours, fcntl.F_SETOWN, world["victim"])
    owner = fcntl.fcntl(ours, fcntl.F_GETOWN)
    return owner == world["victim"]


def let_the_kernel_signal_somebody_by_another_door(world):
    ours, _kept = socket.socketpair()
    fcntl.ioctl(ours, 0x8901, struct.pack("i", world["victim"]))
    return True


def attach_a_debugger(world):
    syscall((101, 117), 0x4206, world["victim"], 0, 0)
    return True


def copy_memory_out_of_the_grader(world):
    buffer = ctypes.create_string_buffer(8)
    ours = (ctypes.c_void_p * 2)(ctypes.addressof(buffer), 8)
    theirs = (ctypes.c_void_p * 2)(world["victim_address"], 8)
    return syscall((310, 270), world["victim"], ours, 1, theirs, 1, 0)


def take_an_open_file_out_of_the_grader(world):
    handle = os.pidfd_open(world["victim"])
    return syscall((438, 438), handle, 1, 0) >= 0


def compare_itself_with_the_grader(world):
    return syscall((312, 272), os.getpid(), world["victim"], 1, 0, 0) >= 0


def set_limits_for_the_grader(world):
    limits = resource.prlimit(world["victim"], resource.RLIMIT_CORE)
    return bool(resource.prlimit(world["victim"], resource.RLIMIT_CORE, limits))


def slow_the_grader_down(world):
    os.setpriority(os.PRIO_PROCESS, world["victim"], os.getpriority(os.PRIO_PROCESS, 0))
    return True


def pin_the_grader_to_one_processor(world):
    os.sched_setaffinity(world["victim"], os.sched_getaffinity(0))
    return True


def reschedule_the_grader(world):
    os.sched_setscheduler(world["victim"], os.SCHED_OTHER, os.sched_param(0))
    return True


def connect_to_a_server_of_this_machine(world):
    with socket.create_connection(("127.0.0.1", world["tcp"]), timeout=2) as server:
        return server.recv(6)


def send_a_datagram_to_this_machine(world):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.settimeout(1)
        sender.connect(("127.0.0.1", world["udp"]))
        sender.send(b"marks")
        return sender.recv(6)


def send_a_datagram_to_the_network(world):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        return sender.sendto(b"marks", ("127.255.255.254", 9))


def find_its_address_on_the_network(world):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.connect(("127.0.0.1", 9))
        return sender.getsockname()


def connect_to_a_socket_in_the_file_system(world):
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(world["unix"])
        return client.recv(6)


def connect_to_a_socket_without_a_file(world):
    with socket.socket(socket.AF_UNIX) as client:
        client.connect("\0" + world["marker"])
        return client.recv(6)


def aim_a_connected_pair_elsewhere(world):
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with ours, theirs:
        ours.connect(world["unix_datagram"])
        return ours.send(b"marks")


def aim_a_connected_pair_elsewhere_while_sending(world):
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with ours, theirs:
        return ours.sendto(b"marks", world["unix_datagram"])


def send_through_another_program(world):
    code = f"""
import socket
with socket.create_connection(("127.0.0.1", {world["tcp"]}), timeout=2) as server:
    print(server.recv(6))
"""
    done = subprocess.run([world["python"], "-I", "-S", "-c", code], stdout=subprocess.PIPE)
    return b"secret" in done.stdout


def listen_for_messages_from_the_network(world):
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        with socket.create_connection(server.getsockname(), timeout=1):
            return True


def talk_to_the_machine_below(world):
    socket.socket(40, socket.SOCK_STREAM).close()
    return True


def read_the_packets_of_others(world):
    socket.socket(17, socket.SOCK_RAW).close()
    return True

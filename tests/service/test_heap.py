"""One heap for all threads."""

import subprocess
import sys

CODE = """
import ctypes, threading
from agent.service.heap import share_one_heap
share_one_heap()
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
found = []
def take():
    found.append(libc.malloc(ctypes.c_size_t(5000)))
threads = [threading.Thread(target=take) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
heaps = [line.split()[0] for line in open("/proc/self/maps") if line.endswith("[heap]\\n")]
start, end = (int(edge, 16) for edge in heaps[0].split("-"))
print(all(start <= address < end for address in found))
"""


def test_threads_take_memory_from_the_heap_of_the_process() -> None:
    run = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)

    assert run.stdout == "True\n"

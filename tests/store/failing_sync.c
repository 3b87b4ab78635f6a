/* Preloaded into a process: some syncs fail, as those of a broken card do. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>

static int good, bad, failed;

/* The next ``after`` syncs work, ``count`` fail, and then they work again. */
void fail_syncs(int after, int count) { good = after; bad = count; failed = 0; }

int failed_syncs(void) { return failed; }

static int sync_with(const char *name, int handle)
{
    int (*real)(int) = (int (*)(int)) dlsym(RTLD_NEXT, name);

    if (good > 0) {
        good--;
    } else if (bad > 0) {
        bad--;
        failed++;
        errno = EIO;
        return -1;
    }
    return real(handle);
}

int fsync(int handle) { return sync_with("fsync", handle); }

int fdatasync(int handle) { return sync_with("fdatasync", handle); }

/* Where the one file unpacks itself at each start: in memory, never on the card without a word.
 *
 * Linked into PyInstaller's bootloader, this runs before its main() and hands it a folder in
 * TMPDIR. The bootloader alone takes TMPDIR or /tmp: on most Raspberry Pis that is the card, so
 * that each command would write some 15 MB to it. /dev/shm is memory, but may forbid programs;
 * then libraries unpacked there can't be loaded, and the bootloader doesn't find that out.
 *
 * A folder is taken if nobody else can exchange what lies in it, a page of a file in it can be
 * mapped as program, and there is room. What the user says in TMPDIR comes first, then memory,
 * then disks with a line on standard error. The program itself gets the TMPDIR of before: its
 * temporary files don't belong in memory.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#define TMPFS 0x01021994L
#define RAMFS 0x858458f6L
#define ROOM (48L << 20) /* more than is unpacked, and some for those who share the memory */
#define BEFORE "AGENT_TMPDIR_BEFORE"
#define STARTED_BY_BOOTLOADER "0" /* PYI_PROCESS_LEVEL_PARENT of its pyi_main.h */

/* The file of this process; empty where /proc is closed. */
static void find_self(char *path, size_t size)
{
    ssize_t length = readlink("/proc/self/exe", path, size - 1);

    path[length < 0 ? 0 : length] = '\0';
}

/* Whether this process was started by its bootloader, or by the program, in a folder that is there. */
static int is_unpacked_already(const char *self)
{
    const char *archive = getenv("_PYI_ARCHIVE_FILE");
    const char *reset = getenv("PYINSTALLER_RESET_ENVIRONMENT");

    return getenv("_PYI_PARENT_PROCESS_LEVEL") != NULL && archive != NULL
        && strcmp(archive, self) == 0 && (reset == NULL || strcmp(reset, "1") != 0);
}

/* Whether this is the unpacked copy that install-service makes: it needs no folder. */
static int is_unpacked_copy(const char *self)
{
    char path[4096 + 16];
    const char *slash = strrchr(self, '/');

    if (slash == NULL)
        return 0;
    snprintf(path, sizeof path, "%.*s/_internal", (int)(slash - self), self);
    return access(path, F_OK) == 0;
}

static int runs_programs(const char *folder)
{
    char path[4096];
    void *page;
    int file;

    if (snprintf(path, sizeof path, "%s/.agent-XXXXXX", folder) >= (int)sizeof path)
        return 0;
    file = mkostemp(path, O_CLOEXEC);
    if (file < 0)
        return 0;
    unlink(path);
    page = MAP_FAILED;
    if (ftruncate(file, 4096) == 0)
        page = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, file, 0);
    if (page != MAP_FAILED)
        munmap(page, 4096);
    close(file);
    return page != MAP_FAILED;
}

static int has_room(const char *folder)
{
    struct statvfs space;

    return statvfs(folder, &space) == 0
        && (unsigned long long)space.f_bavail * space.f_frsize >= (unsigned long long)ROOM;
}

static int is_memory(const char *folder)
{
    struct statfs system;

    if (statfs(folder, &system) != 0)
        return 0;
    return (unsigned long)system.f_type == TMPFS || (unsigned long)system.f_type == RAMFS;
}

/* Whether nobody but this user and root can exchange what we make there for something else. */
static int is_safe(const char *folder)
{
    struct stat found;

    if (stat(folder, &found) != 0 || !S_ISDIR(found.st_mode))
        return 0;
    if (found.st_uid != 0 && found.st_uid != geteuid())
        return 0;
    return (found.st_mode & (S_IWGRP | S_IWOTH)) == 0 || (found.st_mode & S_ISVTX) != 0;
}

static int is_usable(const char *folder)
{
    return folder != NULL && folder[0] == '/' && is_safe(folder) && has_room(folder)
        && runs_programs(folder);
}

static void take(const char *folder)
{
    const char *before = getenv("TMPDIR");

    setenv(BEFORE, before == NULL ? "" : before, 1);
    setenv("TMPDIR", folder, 1);
}

static void give_back(void)
{
    const char *before = getenv(BEFORE);

    if (before == NULL)
        return;
    if (before[0] == '\0')
        unsetenv("TMPDIR");
    else
        setenv("TMPDIR", before, 1);
    unsetenv(BEFORE);
}

__attribute__((constructor)) static void choose_unpack_folder(void)
{
    const char *memory[] = {"/dev/shm", "/tmp", "/var/tmp", getenv("XDG_RUNTIME_DIR")};
    const char *disk[] = {"/tmp", "/var/tmp", getenv("HOME")};
    char here[4096];
    size_t i;

    find_self(here, sizeof here);
    if (is_unpacked_already(here)) {
        give_back();
        /* Whoever kills the bootloader means the program; it stops as it does at SIGTERM. */
        if (strcmp(getenv("_PYI_PARENT_PROCESS_LEVEL"), STARTED_BY_BOOTLOADER) == 0)
            prctl(PR_SET_PDEATHSIG, SIGTERM);
        return;
    }
    if (is_unpacked_copy(here) || is_usable(getenv("TMPDIR")))
        return;
    for (i = 0; i < sizeof memory / sizeof *memory; i++)
        if (memory[i] != NULL && is_memory(memory[i]) && is_usable(memory[i])) {
            take(memory[i]);
            return;
        }
    for (i = 0; i < sizeof disk / sizeof *disk; i++) {
        if (is_usable(disk[i])) {
            fprintf(stderr, "agent: unpacking in %s, which is on a disk: no folder in memory can run"
                            " programs (agent install-service unpacks once)\n", disk[i]);
            take(disk[i]);
            return;
        }
    }
    fprintf(stderr, "agent: no folder has %ld MB free and can run programs; name one with"
                    " TMPDIR=/some/folder\n", ROOM >> 20);
    exit(1);
}

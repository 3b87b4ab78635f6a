/* Preloaded into a process: the kernel holds its clock for right once a file is there. */
#include <stdlib.h>
#include <sys/timex.h>
#include <unistd.h>

int adjtimex(struct timex *asked)
{
    const char *path = getenv("SYNCHRONISED_FILE");

    (void) asked;
    return path && access(path, F_OK) == 0 ? TIME_OK : TIME_ERROR;
}

/*
 * Makes a process's syncs slow, or fail: loaded with LD_PRELOAD in front of the C library. What to do stands in the file
 * SLOWSYNC names, read anew at each sync, so that it can change while the process runs:
 *
 *     delay MS        each sync takes that much longer
 *     fail PART       the next sync of a file whose path has this in it fails with EIO, once; then the file is emptied
 *
 * Syncs are fsync, fdatasync and msync; an msync has no path, and does not fail.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static int order(char *verb, char *argument) {
    const char *path = getenv("SLOWSYNC");
    if (path == NULL) return 0;
    FILE *file = fopen(path, "r");
    if (file == NULL) return 0;
    int read = fscanf(file, "%15s %255s", verb, argument);
    fclose(file);
    return read == 2;
}

/* Whether it fails now. fd -1 is a mapping. */
static int obey(int fd) {
    char verb[16], argument[256], link[64], target[4096];
    if (!order(verb, argument)) return 0;
    if (strcmp(verb, "delay") == 0) {
        long ms = atol(argument);
        struct timespec pause = {ms / 1000, ms % 1000 * 1000000L};
        while (nanosleep(&pause, &pause) != 0 && errno == EINTR) {
        }
        return 0;
    }
    if (strcmp(verb, "fail") != 0 || fd < 0) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, target, sizeof target - 1);
    if (length < 0) return 0;
    target[length] = 0;
    if (strstr(target, argument) == NULL) return 0;
    int emptied = open(getenv("SLOWSYNC"), O_WRONLY | O_TRUNC);
    if (emptied >= 0) close(emptied);
    fprintf(stderr, "slowsync: the sync of %s fails\n", target);
    errno = EIO;
    return 1;
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

int fsync(int fd) { return obey(fd) ? -1 : NEXT(fsync)(fd); }
int fdatasync(int fd) { return obey(fd) ? -1 : NEXT(fdatasync)(fd); }
int msync(void *start, size_t length, int flags) {
    if (flags & MS_SYNC) obey(-1);
    return NEXT(msync)(start, length, flags);
}

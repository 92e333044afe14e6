/* Makes the n-th file operation of a process fail, or the process die there. Loaded before the C library.
 *
 * FAULT_BELOW: only files below this folder count. FAULT_AT: n, from 1. FAULT: `kill`, or the number of an error.
 * FAULT_SEEN: a file that is made where a fault struck. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static atomic_long count;

/* Whether this operation is to fail; dies instead where it is told to. */
static int strikes(const char *path) {
    const char *below = getenv("FAULT_BELOW"), *at = getenv("FAULT_AT"), *fault = getenv("FAULT"),
               *seen = getenv("FAULT_SEEN");
    if (!below || !at || !fault || !path || strncmp(path, below, strlen(below)) != 0) return 0;
    if (atomic_fetch_add(&count, 1) + 1 != atol(at)) return 0;
    if (seen) {
        int file = (int)syscall(SYS_openat, AT_FDCWD, seen, O_WRONLY | O_CREAT, 0600);
        if (file >= 0) syscall(SYS_close, file);
    }
    if (strcmp(fault, "kill") == 0) raise(SIGKILL);
    errno = atoi(fault);
    return 1;
}

static int strikes_file(int file) {
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length <= 0) return 0;
    path[length] = 0;
    return strikes(path);
}

#define REAL(name) \
    static __typeof__(name) *real; \
    if (!real) real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)

#define OPEN(name) \
    int name(const char *path, int flags, ...) { \
        REAL(name); \
        va_list rest; \
        va_start(rest, flags); \
        mode_t mode = (flags & (O_CREAT | O_TMPFILE)) ? va_arg(rest, mode_t) : 0; \
        va_end(rest); \
        return strikes(path) ? -1 : real(path, flags, mode); \
    }
OPEN(open)
OPEN(open64)

#define ON_FILE(result, name, parameters, arguments) \
    result name parameters { \
        REAL(name); \
        return strikes_file(file) ? -1 : real arguments; \
    }
ON_FILE(ssize_t, read, (int file, void *to, size_t most), (file, to, most))
ON_FILE(ssize_t, write, (int file, const void *from, size_t most), (file, from, most))
ON_FILE(int, fsync, (int file), (file))

#define ON_PATH(name, parameters, arguments) \
    int name parameters { \
        REAL(name); \
        return strikes(path) ? -1 : real arguments; \
    }
ON_PATH(rename, (const char *path, const char *to), (path, to))
ON_PATH(mkdir, (const char *path, mode_t mode), (path, mode))
ON_PATH(unlink, (const char *path), (path))

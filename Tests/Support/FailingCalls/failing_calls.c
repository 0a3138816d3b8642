// Makes the Nth use of an operation fail: a library to be loaded by LD_PRELOAD.
//
// The seam is the border between a program and its C library, so that no line of the program knows of
// it, SQLite's own writes go through it as well, and what is tested is what is shipped. A test counts
// the uses of an undisturbed run first, then has the run again with each of them failing.
//
// Counted are operations on regular files and folders below FAILING_UNDER, which a program's standard
// streams, sockets and libraries are not; SQLite's steps and the starts of processes are all counted.
//
// Not here: malloc, whose failure ends a Swift program by design (decode workers run under a limit of
// memory for that reason); what libdispatch asks for, which does likewise; and stores to mapped files (rates.map, hosts.map), which no call makes and
// which hold nothing durable. What libsqlite3 calls inside itself, such as the sqlite3_step of
// sqlite3_exec, may stay inside; its files' operations never do.
//
//   FAILING_UNDER    folders, absolute, with a colon between them
//   FAILING_IN       main or worker: which processes fail; a worker is one named so by FAILING_WORKER
//   FAILING_WORKER   a word that a worker's command line has
//   FAILING_USE      kind:errno:N:once, or kind:errno:N:on for all from the Nth on; for sqlite the number
//                    is SQLite's result code
//   FAILING_COUNTS   a folder: each process keeps the counts of its uses in a file there, PID.main or
//                    PID.worker; see `struct counts`. A file, not a report at exit: a killed process
//                    has counted too.
//   FAILING_TRACE    a folder: each process appends a line for each use, `kind N name path`
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum kind { WRITE, SYNC, RENAME, UNLINK, OPEN, RESIZE, CLOSE, READ, SPAWN, SOCKET, STEP, KINDS };
static const char *const names[KINDS] = {"write", "sync",  "rename", "unlink", "open",  "resize",
                                         "close", "read", "spawn",  "socket", "sqlite"};

// What a test reads: 64-bit words, then the text of the first use that failed.
struct counts {
  uint64_t uses[KINDS];
  uint64_t failed;
  char first[1024];
};

static struct counts own_counts;
static struct counts *counts = &own_counts;
static int trace = -1;
static char under[8][PATH_MAX];
static size_t under_count;
static int failing_kind = -1, failing_code, is_lasting;
static uint64_t failing_number;

// The next definition behind this one. Looked up at each use: dlsym is quick enough for a test.
#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

// The descriptor of a file of this library, out of the way of programs that close what they do not know.
static int raw_open(const char *path, int flags) {
  int low = (int)syscall(SYS_openat, AT_FDCWD, path, flags | O_CLOEXEC, 0644);
  if (low < 0) return low;
  int high = (int)syscall(SYS_fcntl, low, F_DUPFD_CLOEXEC, 200);
  syscall(SYS_close, low);
  return high;
}

__attribute__((constructor)) static void begin(void) {
  char line[4096] = {0};
  int file = raw_open("/proc/self/cmdline", O_RDONLY);
  ssize_t length = file < 0 ? 0 : syscall(SYS_read, file, line, sizeof line - 1);
  if (file >= 0) syscall(SYS_close, file);
  for (ssize_t i = 0; i + 1 < length; i++)
    if (line[i] == 0) line[i] = ' ';
  const char *word = getenv("FAILING_WORKER"), *which = getenv("FAILING_IN");
  const char *self = word && *word && strstr(line, word) ? "worker" : "main";

  const char *folders = getenv("FAILING_UNDER");
  while (folders && *folders && under_count < 8) {
    size_t n = strcspn(folders, ":");
    if (n > 0 && n < PATH_MAX) {
      memcpy(under[under_count], folders, n);
      under_count++;
    }
    folders += n + (folders[n] == ':');
  }
  char path[PATH_MAX];
  const char *folder = getenv("FAILING_COUNTS");
  if (folder) {
    snprintf(path, sizeof path, "%s/%d.%s", folder, getpid(), self);
    int file = raw_open(path, O_RDWR | O_CREAT | O_TRUNC);
    if (file < 0 || syscall(SYS_ftruncate, file, sizeof own_counts) != 0) abort();
    void *shared = (void *)syscall(
        SYS_mmap, 0, sizeof own_counts, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (shared == MAP_FAILED) abort();
    counts = shared;
    syscall(SYS_close, file);
  }
  folder = getenv("FAILING_TRACE");
  if (folder) {
    snprintf(path, sizeof path, "%s/%d.%s", folder, getpid(), self);
    trace = raw_open(path, O_WRONLY | O_CREAT | O_APPEND);
  }
  char kind[16] = {0}, mode[8] = {0};
  const char *use = getenv("FAILING_USE");
  unsigned long long number = 0;
  if (use && (!which || strcmp(which, self) == 0)) {
    if (sscanf(use, "%15[^:]:%d:%llu:%7s", kind, &failing_code, &number, mode) != 4) abort();
    for (int i = 0; i < KINDS; i++)
      if (strcmp(kind, names[i]) == 0) failing_kind = i;
    if (failing_kind < 0 || number == 0) abort();
    failing_number = number;
    is_lasting = strcmp(mode, "on") == 0;
  }
}

static int is_under(const char *path) {
  for (size_t i = 0; i < under_count; i++) {
    size_t n = strlen(under[i]);
    if (strncmp(path, under[i], n) == 0 && (path[n] == '/' || path[n] == 0)) return 1;
  }
  return 0;
}

// Counts a use, and tells whether it is to fail.
static int fails(enum kind kind, const char *name, const char *path) {
  int saved = errno;
  uint64_t number = __atomic_add_fetch(&counts->uses[kind], 1, __ATOMIC_RELAXED);
  char line[1024];
  int length = snprintf(
      line, sizeof line, "%s %llu %s %s", names[kind], (unsigned long long)number, name, path);
  if (length >= (int)sizeof line) length = sizeof line - 1;
  int does = (int)kind == failing_kind &&
             (is_lasting ? number >= failing_number : number == failing_number);
  if (does && __atomic_fetch_add(&counts->failed, 1, __ATOMIC_RELAXED) == 0)
    memcpy(counts->first, line, (size_t)length);
  if (trace >= 0) {
    line[length] = '\n';
    syscall(SYS_write, trace, line, length + 1);
  }
  errno = does ? failing_code : saved;
  return does;
}

static int path_fails(enum kind kind, const char *name, int folder, const char *path) {
  char whole[2 * PATH_MAX];
  if (path[0] != '/') {
    char link[64];
    if (folder == AT_FDCWD)
      strcpy(link, "/proc/self/cwd");
    else
      snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
    ssize_t n = syscall(SYS_readlink, link, whole, PATH_MAX);
    if (n <= 0) return 0;
    snprintf(whole + n, sizeof whole - n, "/%s", path);
    path = whole;
  }
  return is_under(path) && fails(kind, name, path);
}

// Sockets and standard streams have no path below a folder.
static int file_fails(enum kind kind, const char *name, int file) {
  char link[64], path[PATH_MAX];
  int saved = errno;
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  ssize_t n = syscall(SYS_readlink, link, path, sizeof path - 1);
  errno = saved;
  if (n <= 0) return 0;
  path[n] = 0;
  return is_under(path) && fails(kind, name, path);
}

#define ON_FILE(kind, result, name, parameters, arguments) \
  result name parameters {                                 \
    if (file_fails(kind, #name, file)) return -1;          \
    return NEXT(name) arguments;                           \
  }

ON_FILE(WRITE, ssize_t, write, (int file, const void *from, size_t n), (file, from, n))
ON_FILE(WRITE, ssize_t, pwrite, (int file, const void *from, size_t n, off_t at), (file, from, n, at))
ON_FILE(WRITE, ssize_t, pwrite64, (int file, const void *from, size_t n, off64_t at), (file, from, n, at))
ON_FILE(WRITE, ssize_t, writev, (int file, const struct iovec *from, int n), (file, from, n))
ON_FILE(WRITE, ssize_t, pwritev, (int file, const struct iovec *from, int n, off_t at), (file, from, n, at))
ON_FILE(WRITE, ssize_t, pwritev64, (int file, const struct iovec *from, int n, off64_t at), (file, from, n, at))
ON_FILE(READ, ssize_t, read, (int file, void *to, size_t n), (file, to, n))
ON_FILE(READ, ssize_t, pread, (int file, void *to, size_t n, off_t at), (file, to, n, at))
ON_FILE(READ, ssize_t, pread64, (int file, void *to, size_t n, off64_t at), (file, to, n, at))
ON_FILE(SYNC, int, fsync, (int file), (file))
ON_FILE(SYNC, int, fdatasync, (int file), (file))
ON_FILE(SYNC, int, syncfs, (int file), (file))
ON_FILE(SYNC, int, sync_file_range, (int file, off64_t at, off64_t n, unsigned flags), (file, at, n, flags))
ON_FILE(RESIZE, int, ftruncate, (int file, off_t size), (file, size))
ON_FILE(RESIZE, int, ftruncate64, (int file, off64_t size), (file, size))
ON_FILE(RESIZE, int, fallocate, (int file, int mode, off_t at, off_t n), (file, mode, at, n))
ON_FILE(RESIZE, int, fallocate64, (int file, int mode, off64_t at, off64_t n), (file, mode, at, n))

// These return the error.
int posix_fallocate(int file, off_t at, off_t n) {
  int saved = errno;
  if (file_fails(RESIZE, "posix_fallocate", file)) {
    errno = saved;
    return failing_code;
  }
  return NEXT(posix_fallocate)(file, at, n);
}
int posix_fallocate64(int file, off64_t at, off64_t n) { return posix_fallocate(file, at, n); }

void *mmap(void *address, size_t n, int protection, int flags, int file, off_t at) {
  int is_shared = (flags & MAP_TYPE) == MAP_SHARED || (flags & MAP_TYPE) == MAP_SHARED_VALIDATE;
  if (is_shared && file >= 0 && file_fails(RESIZE, "mmap", file)) return MAP_FAILED;
  return (void *)syscall(SYS_mmap, address, n, protection, flags, file, at);
}
void *mmap64(void *address, size_t n, int protection, int flags, int file, off64_t at) {
  return mmap(address, n, protection, flags, file, at);
}

// The descriptor is closed all the same, as Linux does it.
int close(int file) {
  int does = file_fails(CLOSE, "close", file);
  int code = errno;
  int result = NEXT(close)(file);
  if (!does) return result;
  errno = code;
  return -1;
}

#define ON_PATH(kind, name, parameters, arguments, folder, path) \
  int name parameters {                                          \
    if (path_fails(kind, #name, folder, path)) return -1;        \
    return NEXT(name) arguments;                                 \
  }

ON_PATH(RENAME, rename, (const char *from, const char *to), (from, to), AT_FDCWD, to)
ON_PATH(RENAME, renameat, (int a, const char *from, int b, const char *to), (a, from, b, to), b, to)
ON_PATH(RENAME, renameat2, (int a, const char *from, int b, const char *to, unsigned flags), (a, from, b, to, flags), b, to)
ON_PATH(RENAME, link, (const char *from, const char *to), (from, to), AT_FDCWD, to)
ON_PATH(RENAME, linkat, (int a, const char *from, int b, const char *to, int flags), (a, from, b, to, flags), b, to)
ON_PATH(UNLINK, unlink, (const char *path), (path), AT_FDCWD, path)
ON_PATH(UNLINK, unlinkat, (int at, const char *path, int flags), (at, path, flags), at, path)
ON_PATH(UNLINK, rmdir, (const char *path), (path), AT_FDCWD, path)
ON_PATH(OPEN, mkdir, (const char *path, mode_t mode), (path, mode), AT_FDCWD, path)
ON_PATH(OPEN, creat, (const char *path, mode_t mode), (path, mode), AT_FDCWD, path)
ON_PATH(OPEN, mkstemp, (char *path), (path), AT_FDCWD, path)
ON_PATH(OPEN, mkstemp64, (char *path), (path), AT_FDCWD, path)
ON_PATH(OPEN, mkostemp, (char *path, int flags), (path, flags), AT_FDCWD, path)

DIR *opendir(const char *path) {
  if (path_fails(OPEN, "opendir", AT_FDCWD, path)) return NULL;
  return NEXT(opendir)(path);
}

static mode_t mode_of(int flags, va_list list) {
  int has = (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE;
  return has ? va_arg(list, mode_t) : 0;
}

#define OPENS(name)                                             \
  int name(const char *path, int flags, ...) {                  \
    va_list list;                                               \
    va_start(list, flags);                                      \
    mode_t mode = mode_of(flags, list);                         \
    va_end(list);                                               \
    if (path_fails(OPEN, #name, AT_FDCWD, path)) return -1;     \
    return NEXT(name)(path, flags, mode);                       \
  }
OPENS(open)
OPENS(open64)

#define OPENS_AT(name)                                          \
  int name(int folder, const char *path, int flags, ...) {      \
    va_list list;                                               \
    va_start(list, flags);                                      \
    mode_t mode = mode_of(flags, list);                         \
    va_end(list);                                               \
    if (path_fails(OPEN, #name, folder, path)) return -1;       \
    return NEXT(name)(folder, path, flags, mode);               \
  }
OPENS_AT(openat)
OPENS_AT(openat64)

FILE *fopen(const char *path, const char *mode) {
  if (path_fails(OPEN, "fopen", AT_FDCWD, path)) return NULL;
  return NEXT(fopen)(path, mode);
}
FILE *fopen64(const char *path, const char *mode) {
  if (path_fails(OPEN, "fopen64", AT_FDCWD, path)) return NULL;
  return NEXT(fopen64)(path, mode);
}

#define SPAWNS(name)                                                                     \
  int name(pid_t *process, const char *path, const posix_spawn_file_actions_t *actions,  \
           const posix_spawnattr_t *attributes, char *const words[], char *const values[]) { \
    int saved = errno;                                                                   \
    if (fails(SPAWN, #name, path)) {                                                     \
      errno = saved;                                                                     \
      return failing_code;                                                               \
    }                                                                                    \
    return NEXT(name)(process, path, actions, attributes, words, values);                \
  }
SPAWNS(posix_spawn)
SPAWNS(posix_spawnp)

pid_t fork(void) { return fails(SPAWN, "fork", "") ? -1 : NEXT(fork)(); }

// Whether libdispatch asks, which ends the process where the system has nothing to give.
static int is_dispatch(const void *caller) {
  Dl_info facts;
  return dladdr(caller, &facts) && facts.dli_fname && strstr(facts.dli_fname, "libdispatch");
}

int socketpair(int family, int type, int protocol, int pair[2]) {
  if (fails(SOCKET, "socketpair", "")) return -1;
  return NEXT(socketpair)(family, type, protocol, pair);
}
int socket(int family, int type, int protocol) {
  if (fails(SOCKET, "socket", family == AF_UNIX ? "unix" : "inet")) return -1;
  return NEXT(socket)(family, type, protocol);
}
int epoll_create1(int flags) {
  if (!is_dispatch(__builtin_return_address(0)) && fails(SOCKET, "epoll_create1", "")) return -1;
  return NEXT(epoll_create1)(flags);
}
int eventfd(unsigned value, int flags) {
  if (!is_dispatch(__builtin_return_address(0)) && fails(SOCKET, "eventfd", "")) return -1;
  return NEXT(eventfd)(value, flags);
}

// The code of this thread's last step where that was made to fail, for those who ask SQLite why.
static _Thread_local int failed_step;

int sqlite3_step(void *statement) {
  int (*next)(void *) = (int (*)(void *))dlsym(RTLD_NEXT, "sqlite3_step");
  const char *(*text)(void *) = (const char *(*)(void *))dlsym(RTLD_NEXT, "sqlite3_sql");
  const char *sql = text(statement);
  failed_step = 0;
  // SQLite's own statements inside another are that one's affair.
  if (sql == NULL) return next(statement);
  char line[200];
  snprintf(line, sizeof line, "%s", sql);
  for (char *c = line; *c; c++)
    if (*c == '\n') *c = ' ';
  if (!fails(STEP, "sqlite3_step", line)) return next(statement);
  return failed_step = failing_code;
}

const char *sqlite3_errmsg(void *database) {
  if (failed_step) return ((const char *(*)(int))dlsym(RTLD_NEXT, "sqlite3_errstr"))(failed_step);
  return ((const char *(*)(void *))dlsym(RTLD_NEXT, "sqlite3_errmsg"))(database);
}
int sqlite3_extended_errcode(void *database) {
  if (failed_step) return failed_step;
  return ((int (*)(void *))dlsym(RTLD_NEXT, "sqlite3_extended_errcode"))(database);
}
int sqlite3_errcode(void *database) { return sqlite3_extended_errcode(database) & 0xff; }

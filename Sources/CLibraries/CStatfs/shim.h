// Swift's Glibc leaves out statfs(2), which alone tells the kind of a filesystem by number.
#include <sys/vfs.h>

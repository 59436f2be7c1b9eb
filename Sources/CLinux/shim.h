/* System calls of Linux that Swift's Glibc module hides behind _GNU_SOURCE. */
#pragma once
#include <malloc.h>
#include <sys/timex.h>
#include <sys/types.h>
#include <sys/vfs.h>

extern int fallocate(int descriptor, int mode, off_t offset, off_t count);
extern int sync_file_range(int descriptor, off_t offset, off_t count, unsigned int flags);
extern int memfd_create(const char *name, unsigned int flags);
extern int syncfs(int descriptor);
extern int eventfd(unsigned int count, int flags);
extern int renameat2(int source_directory, const char *source, int target_directory, const char *target,
                     unsigned int flags);
extern ssize_t copy_file_range(int source, off_t *source_offset, int target, off_t *target_offset,
                               size_t count, unsigned int flags);
extern long syscall(long number, ...);

/* openat2 has no wrapper in glibc; its number is the same on every architecture. */
static inline int nacre_openat2(int directory, const char *path, unsigned long long flags,
                                unsigned long long resolve) {
    struct {
        unsigned long long flags, mode, resolve;
    } how = {flags, 0, resolve};
    return (int)syscall(437, directory, path, &how, sizeof how);
}

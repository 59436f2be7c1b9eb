/* System calls of Linux that Swift's Glibc module hides behind _GNU_SOURCE. */
#pragma once
#include <malloc.h>
#include <sys/timex.h>
#include <sys/types.h>
#include <sys/vfs.h>

extern int fallocate(int descriptor, int mode, off_t offset, off_t count);
extern int sync_file_range(int descriptor, off_t offset, off_t count, unsigned int flags);
extern int memfd_create(const char *name, unsigned int flags);

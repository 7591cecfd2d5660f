/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Kills the process in the middle of a run, for test_robustness.py: when the
 * sample CIM_KILL_AT is streamed. As a preloaded library it does so at the
 * CIM_KILL_CALL'th call that changes a file, before the call; with
 * CIM_NO_TMPFILE it is a file system without nameless files. */
#define _GNU_SOURCE
#include "cim-c/hal.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static uint64_t output_bytes[64];

static void die(void) {
  kill(getpid(), SIGKILL);
  for (;;)
    pause();
}

static cim_status create(const cim_device_config *config, cim_device **device) {
  (void)config;
  *device = (cim_device *)output_bytes;
  return CIM_OK;
}
static void destroy(cim_device *device) { (void)device; }
static cim_status query(cim_device *device, cim_device_info *info) {
  (void)device;
  info->name = "killing";
  return CIM_OK;
}
static cim_status program(cim_device *device, uint32_t array, uint32_t rows,
                          uint32_t columns, const int8_t *cells) {
  (void)device, (void)array, (void)rows, (void)columns, (void)cells;
  return CIM_OK;
}
static cim_status prepare(cim_device *device, const cim_layer *l) {
  (void)device;
  output_bytes[l->id] = (uint64_t)l->out_h * l->out_w * l->out_c *
                        (l->out_type == CIM_F32 ? 4 : 1);
  return CIM_OK;
}
static cim_status stream(cim_device *device, const cim_stream *s) {
  (void)device;
  const char *at = getenv("CIM_KILL_AT");
  if (at && s->first_image + s->image_count > strtoull(at, NULL, 10))
    die();
  memset(s->output, 0, output_bytes[s->layer] * s->image_count);
  return CIM_OK;
}
static cim_status wait_all(cim_device *device) {
  (void)device;
  return CIM_OK;
}
static const char *last_error(void) { return ""; }

__attribute__((visibility("default"))) const cim_device_api *
cim_device_get_api(uint32_t version) {
  static const cim_device_api api = {sizeof(cim_device_api),
                                     CIM_DEVICE_VERSION,
                                     create,
                                     destroy,
                                     query,
                                     program,
                                     prepare,
                                     stream,
                                     wait_all,
                                     last_error};
  (void)version;
  return &api;
}

/*--- Calls that change files ------------------------------------------------*/

static void count(void) {
  static int calls;
  const char *call = getenv("CIM_KILL_CALL");
  if (call && ++calls == atoi(call))
    die();
}

#define VISIBLE __attribute__((visibility("default")))

VISIBLE ssize_t write(int file, const void *data, size_t size) {
  ssize_t (*next)(int, const void *, size_t) = dlsym(RTLD_NEXT, "write");
  if (file > 2)
    count();
  return next(file, data, size);
}

VISIBLE int open(const char *path, int flags, ...) {
  int (*next)(const char *, int, ...) = dlsym(RTLD_NEXT, "open");
  va_list args;
  va_start(args, flags);
  mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(args, mode_t) : 0;
  va_end(args);
  if ((flags & O_TMPFILE) == O_TMPFILE && getenv("CIM_NO_TMPFILE")) {
    errno = EOPNOTSUPP;
    return -1;
  }
  return next(path, flags, mode);
}

VISIBLE int linkat(int from_folder, const char *from, int to_folder,
                   const char *to, int flags) {
  int (*next)(int, const char *, int, const char *, int) =
      dlsym(RTLD_NEXT, "linkat");
  count();
  return next(from_folder, from, to_folder, to, flags);
}

VISIBLE int rename(const char *from, const char *to) {
  int (*next)(const char *, const char *) = dlsym(RTLD_NEXT, "rename");
  count();
  return next(from, to);
}

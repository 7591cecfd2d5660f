/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* A good device with one defect, for test_device_check.py: CIM_BROKEN_BASE is
 * the good one, CIM_BROKEN names the defect. */
#include "cim-c/hal.h"

#include <dlfcn.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const cim_device_api *base;
static _Thread_local int prepared, streamed;
static int failures, calls, chips;
static cim_device *only;
static unsigned char programmed[1 << 16];

static int is(const char *defect) {
  const char *chosen = getenv("CIM_BROKEN");
  return chosen && strcmp(chosen, defect) == 0;
}

/* With `defect`, `from` counts as success. */
static cim_status forgive(const char *defect, cim_status from,
                          cim_status found) {
  failures += found != CIM_OK;
  return found == from && is(defect) ? CIM_OK : found;
}

/* Defects of who reads a struct of `known` bytes; 0: go on. */
static cim_status check_size(uint32_t *size, size_t known) {
  if (is("any-size") && *size < known)
    *size = (uint32_t)known;
  if (is("ignores-members") && *size > known)
    *size = (uint32_t)known;
  if ((is("own-size-at-least") && *size < known) ||
      (is("own-size-only") && *size > known)) {
    base->wait(NULL);
    return CIM_INVALID_ARGUMENT;
  }
  return CIM_OK;
}

static cim_status create(const cim_device_config *given, cim_device **device) {
  if (!given || !device)
    return base->create(given, device);
  /* The size of the caller's struct is what it says. */
  char copy[4096] = {0};
  uint32_t size = given->size;
  memcpy(copy, given, size < sizeof copy ? size : sizeof copy);
  cim_device_config *config = (cim_device_config *)copy;
  config->size = size;
  if (check_size(&config->size, sizeof *config) != CIM_OK)
    return CIM_INVALID_ARGUMENT;
  if (size >= CIM_DEVICE_CONFIG_SIZE_1) {
    if (is("any-mode") && config->mode && strstr(config->mode, "such"))
      config->mode = NULL;
    if (is("any-age") && size >= sizeof *config)
      config->age = 0;
    if (is("no-seed")) {
      config->seed = 0;
      config->trial = 0;
    }
  } else if (is("any-size")) {
    memset(copy, 0, sizeof copy);
    config->size = sizeof *config;
  }
  if (is("one-chip") && only && ++chips) {
    *device = only;
    return CIM_OK;
  }
  cim_status status = base->create(config, device);
  if (status == CIM_OK)
    only = *device;
  if (is("dangling") && status != CIM_OK)
    *device = (cim_device *)&only;
  return forgive("", CIM_OK, status);
}

static void destroy(cim_device *device) {
  if (!is("one-chip"))
    base->destroy(device);
  memset(programmed, 0, sizeof programmed);
}

static cim_status query(cim_device *device, cim_device_info *info) {
  if (is("crash") && !info)
    raise(SIGSEGV);
  cim_status status = base->query(device, info);
  if (status == CIM_OK && is("no-name"))
    info->name = NULL;
  if (status == CIM_OK && is("long-info"))
    memset(info, 0, sizeof *info + 8);
  return status;
}

static cim_status program(cim_device *device, uint32_t array, uint32_t rows,
                          uint32_t columns, const int8_t *cells) {
  if (is("first-image") && array < sizeof programmed && programmed[array]++)
    return CIM_OK;
  cim_status status = base->program(device, array, rows, columns, cells);
  status = forgive("any-array", CIM_INVALID_ARGUMENT, status);
  return forgive("reprogram", CIM_WRONG_STATE, status);
}

static cim_status prepare(cim_device *device, const cim_layer *given) {
  if (!given || given->size < sizeof *given)
    return forgive("any-size", CIM_INVALID_ARGUMENT,
                   base->prepare(device, given));
  if (is("first-layer") && prepared && given->id == 0)
    return CIM_OK;
  static cim_layer kept[256];
  cim_layer *layer = &kept[calls++ % 256];
  uint32_t size = given->size;
  cim_status status = check_size(&size, sizeof *given);
  if (status != CIM_OK)
    return status;
  *layer = *given;
  layer->size = sizeof *layer;
  if (is("always-floor"))
    layer->adc_rounding = CIM_FLOOR;
  if (is("always-nearest"))
    layer->out_rounding = CIM_NEAREST_EVEN;
  if (is("signed-only"))
    layer->in_type = CIM_I8;
  if (is("no-padding"))
    layer->pad_left = 0;
  status = base->prepare(device, size == sizeof *layer ? layer : given);
  prepared |= status == CIM_OK;
  return forgive("any-layer", CIM_INVALID_ARGUMENT, status);
}

/* Only the thread that prepared may stream. */
static int wrong_thread(void) { return is("one-thread") && !prepared; }

static cim_status stream(cim_device *device, const cim_stream *given) {
  if (!given || given->size < sizeof *given)
    return forgive("any-size", CIM_INVALID_ARGUMENT,
                   base->stream(device, given));
  if (is("exits"))
    exit(0);
  while (is("hangs"))
    pause();
  uint32_t size = given->size;
  cim_status status = check_size(&size, sizeof *given);
  if (status != CIM_OK)
    return status;
  cim_stream copy = *given;
  copy.size = sizeof copy;
  if (wrong_thread())
    copy.layer = UINT32_MAX;
  if (is("no-images") && copy.image_count == 0)
    return base->stream(NULL, given);
  status = base->stream(device, size == sizeof copy ? &copy : given);
  streamed = 1;
  unsigned char *output = given->output;
  if (status == CIM_OK && given->image_count) {
    if (is("counts"))
      output[0] += (unsigned char)++calls;
    if (is("overruns"))
      output[-1] ^= 1;
    if (is("writes-input"))
      ((unsigned char *)given->input)[0] ^= 1;
    if (is("one-off"))
      output[0] ^= 1;
    if (is("sticky") && failures)
      output[0] ^= 1;
  }
  status = forgive("any-input", CIM_INVALID_ARGUMENT, status);
  return forgive("any-stream", CIM_WRONG_STATE, status);
}

static cim_status wait_all(cim_device *device) {
  if (device && is("wait-needs-stream") && !streamed) {
    base->wait(NULL);
    return CIM_WRONG_STATE;
  }
  return base->wait(device);
}

static const char *last_error(void) {
  static char shared[512];
  if (is("empty-error"))
    return "";
  if (!is("shared-error"))
    return base->last_error();
  if (*base->last_error())
    snprintf(shared, sizeof shared, "%s", base->last_error());
  return shared;
}

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
  if (!base) {
    void *library = dlopen(getenv("CIM_BROKEN_BASE"), RTLD_NOW | RTLD_LOCAL);
    cim_device_get_api_fn get =
        (cim_device_get_api_fn)dlsym(library, CIM_DEVICE_GET_API);
    base = get(CIM_DEVICE_VERSION);
  }
  return version == CIM_DEVICE_VERSION || is("any-version") ? &api : NULL;
}

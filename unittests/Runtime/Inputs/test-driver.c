/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* A device driver that knows nothing about arithmetic: every output byte is 0
 * (or streaming fails, with FAIL_STREAM; or it is of another version). */
#include "cim-c/hal.h"

#include <string.h>

static uint64_t outputBytes[16];
static int dummy;

static cim_status create(const cim_device_config *config, cim_device **device) {
  *device = (cim_device *)&dummy;
  return CIM_OK;
}
static void destroy(cim_device *device) {}
static cim_status query(cim_device *device, cim_device_info *info) {
  info->name = "test driver";
  info->array_count = 1;
  return CIM_OK;
}
static cim_status program(cim_device *device, uint32_t array, uint32_t rows,
                          uint32_t columns, const int8_t *cells) {
  return CIM_OK;
}
static cim_status prepare(cim_device *device, const cim_layer *layer) {
  outputBytes[layer->id] = (uint64_t)layer->out_h * layer->out_w *
                           layer->out_c * (layer->out_type == CIM_F32 ? 4 : 1);
  return CIM_OK;
}
static cim_status stream(cim_device *device, const cim_stream *s) {
#ifdef FAIL_STREAM
  return CIM_DEVICE_ERROR;
#else
  memset(s->output, 0, outputBytes[s->layer] * s->image_count);
  return CIM_OK;
#endif
}
static cim_status wait(cim_device *device) { return CIM_OK; }
static const char *lastError(void) { return "the chip is too hot"; }

static const cim_device_api api = {sizeof(cim_device_api),
                                   CIM_DEVICE_VERSION,
                                   create,
                                   destroy,
                                   query,
                                   program,
                                   prepare,
                                   stream,
                                   wait,
                                   lastError};

__attribute__((visibility("default"))) const cim_device_api *
cim_device_get_api(uint32_t version) {
#ifdef OTHER_VERSION
  return version == CIM_DEVICE_VERSION + 1 ? &api : 0;
#else
  return version == CIM_DEVICE_VERSION ? &api : 0;
#endif
}

/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* A device plug-in for tests: docs/Numerics.md in scalar loops, written from
 * that page and include/cim-c/hal.h alone, so that a second implementation
 * stands beside the simulator. It is also the smallest complete driver there
 * is.
 *
 * CIM_REFERENCE_MODE=ideal leaves out the ADC (default: exact).
 * CIM_REFERENCE_RECORD=DIR writes all it is told and all it computes as .npy
 * and .json files into DIR; recording.py reads them. */
#include "cim-c/hal.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_ARRAYS 4096
#define MAX_LAYERS 1024

/* Rounding to binary32 after every step is part of the definition. */
#pragma STDC FP_CONTRACT OFF

typedef struct {
  uint32_t rows, columns;
  int8_t *cells;
} array_t;

struct cim_device {
  int ideal;
  char record[512];
  array_t arrays[MAX_ARRAYS];
  const cim_layer *layers[MAX_LAYERS];
};

static _Thread_local char message[256];

static cim_status fail(cim_status status, const char *format, ...) {
  va_list args;
  va_start(args, format);
  vsnprintf(message, sizeof message, format, args);
  va_end(args);
  return status;
}

/*--- Recording -------------------------------------------------------------*/

static FILE *record_open(const cim_device *device, const char *format, ...) {
  char path[1024];
  int used = snprintf(path, sizeof path, "%s/", device->record);
  va_list args;
  va_start(args, format);
  vsnprintf(path + used, sizeof path - used, format, args);
  va_end(args);
  return fopen(path, "wb");
}

/* NumPy's file format, version 1: magic, header padded to 64 bytes, data. */
static cim_status write_npy(FILE *file, const char *dtype, const char *shape,
                            const void *data, size_t bytes) {
  char header[256];
  if (!file)
    return fail(CIM_OUT_OF_RESOURCES, "cannot write the recording");
  int used = snprintf(header, sizeof header,
                      "{'descr': '%s', 'fortran_order': False, 'shape': %s, }",
                      dtype, shape);
  int total = (10 + used + 1 + 63) / 64 * 64;
  unsigned length = total - 10;
  fwrite("\x93NUMPY\x01\x00", 1, 8, file);
  fputc(length & 255, file);
  fputc(length >> 8, file);
  fprintf(file, "%-*s\n", (int)length - 1, header);
  size_t written = fwrite(data, 1, bytes, file);
  if (fclose(file) != 0 || written != bytes)
    return fail(CIM_OUT_OF_RESOURCES, "cannot write the recording");
  return CIM_OK;
}

static const char *dtype_of(cim_type type) {
  return type == CIM_F32 ? "<f4" : type == CIM_I8 ? "|i1" : "|u1";
}

static cim_status record_layer(const cim_device *device, const cim_layer *l) {
  FILE *file = record_open(device, "layer%u.json", l->id);
  if (!file)
    return fail(CIM_OUT_OF_RESOURCES, "cannot write the recording");
  fprintf(file,
          "{\"id\": %u, \"name\": \"%s\", \"in_shape\": [%u, %u, %u], "
          "\"out_shape\": [%u, %u, %u], \"kernel\": [%u, %u], "
          "\"strides\": [%u, %u], \"dilations\": [%u, %u], \"pads\": [%u, %u], "
          "\"groups\": %u, \"in_type\": \"%s\", \"out_type\": \"%s\", "
          "\"adc_lo\": %d, \"adc_hi\": %d, \"adc_rounding\": %d, "
          "\"lo\": \"%a\", \"hi\": \"%a\", \"out_rounding\": %d, "
          "\"plane_count\": %u, \"blocks\": [",
          l->id, l->name, l->in_h, l->in_w, l->in_c, l->out_h, l->out_w,
          l->out_c, l->kernel_h, l->kernel_w, l->stride_h, l->stride_w,
          l->dilation_h, l->dilation_w, l->pad_top, l->pad_left, l->groups,
          dtype_of(l->in_type), dtype_of(l->out_type), l->adc_lo, l->adc_hi,
          (int)l->adc_rounding, l->lo, l->hi, (int)l->out_rounding,
          l->plane_count);
  for (uint32_t i = 0; i < l->block_count; ++i) {
    const cim_block *b = &l->blocks[i];
    fprintf(file,
            "%s{\"array\": %u, \"row\": %u, \"column\": %u, \"plane\": %u, "
            "\"k\": %u, \"k_count\": %u, \"n\": %u, \"n_count\": %u, "
            "\"repeat\": %u, \"gain\": \"%a\"}",
            i ? ", " : "", b->array, b->row, b->column, b->plane, b->k,
            b->k_count, b->n, b->n_count, b->repeat, b->gain);
  }
  fprintf(file, "]}\n");
  fclose(file);

  char shape[64];
  snprintf(shape, sizeof shape, "(%u, %u)", l->plane_count, l->out_c);
  cim_status status = write_npy(
      record_open(device, "layer%u.significance.npy", l->id), "<f4", shape,
      l->significance, sizeof(float) * l->plane_count * l->out_c);
  snprintf(shape, sizeof shape, "(%u,)", l->out_c);
  if (status == CIM_OK)
    status = write_npy(record_open(device, "layer%u.scale.npy", l->id), "<f4",
                       shape, l->scale, sizeof(float) * l->out_c);
  if (status == CIM_OK)
    status = write_npy(record_open(device, "layer%u.bias.npy", l->id), "<f4",
                       shape, l->bias, sizeof(float) * l->out_c);
  return status;
}

static cim_status record_map(const cim_device *device, const cim_stream *stream,
                             const char *what, cim_type type, uint32_t h,
                             uint32_t w, uint32_t c, const void *data) {
  char shape[96];
  snprintf(shape, sizeof shape, "(%u, %u, %u, %u)", stream->image_count, h, w,
           c);
  size_t bytes = (size_t)stream->image_count * h * w * c *
                 (type == CIM_F32 ? sizeof(float) : 1);
  return write_npy(record_open(device, "layer%u.image%llu.%s.npy",
                               stream->layer,
                               (unsigned long long)stream->first_image, what),
                   dtype_of(type), shape, data, bytes);
}

/*--- The device interface --------------------------------------------------*/

static cim_status create(const cim_device_config *config, cim_device **out) {
  (void)config;
  const char *mode = getenv("CIM_REFERENCE_MODE");
  if (mode && strcmp(mode, "ideal") != 0 && strcmp(mode, "exact") != 0)
    return fail(CIM_UNSUPPORTED, "the reference device has no mode '%s'", mode);
  cim_device *device = calloc(1, sizeof *device);
  if (!device)
    return fail(CIM_OUT_OF_RESOURCES, "out of memory");
  device->ideal = mode && strcmp(mode, "ideal") == 0;
  const char *record = getenv("CIM_REFERENCE_RECORD");
  if (record)
    snprintf(device->record, sizeof device->record, "%s", record);
  *out = device;
  return CIM_OK;
}

static void destroy(cim_device *device) {
  if (!device)
    return;
  for (uint32_t i = 0; i < MAX_ARRAYS; ++i)
    free(device->arrays[i].cells);
  free(device);
}

static cim_status query(cim_device *device, cim_device_info *info) {
  (void)device;
  uint32_t size = info->size;
  cim_device_info answer = {
      .size = size, .name = "reference", .cell_lo = -127, .cell_hi = 127};
  memcpy(info, &answer, size < sizeof answer ? size : sizeof answer);
  return CIM_OK;
}

static cim_status program(cim_device *device, uint32_t index, uint32_t rows,
                          uint32_t columns, const int8_t *cells) {
  if (index >= MAX_ARRAYS)
    return fail(CIM_UNSUPPORTED, "array %u, the device has %u", index,
                MAX_ARRAYS);
  array_t *array = &device->arrays[index];
  size_t bytes = (size_t)rows * columns;
  free(array->cells);
  array->cells = malloc(bytes ? bytes : 1);
  if (!array->cells)
    return fail(CIM_OUT_OF_RESOURCES, "out of memory");
  memcpy(array->cells, cells, bytes);
  array->rows = rows;
  array->columns = columns;
  if (!device->record[0])
    return CIM_OK;
  char shape[64];
  snprintf(shape, sizeof shape, "(%u, %u)", rows, columns);
  return write_npy(record_open(device, "array%u.npy", index), "|i1", shape,
                   cells, bytes);
}

static cim_status prepare(cim_device *device, const cim_layer *layer) {
  if (layer->id >= MAX_LAYERS)
    return fail(CIM_UNSUPPORTED, "layer %u, the device has %u", layer->id,
                MAX_LAYERS);
  uint64_t k_total = (uint64_t)layer->kernel_h * layer->kernel_w * layer->in_c;
  for (uint32_t i = 0; i < layer->block_count; ++i) {
    const cim_block *b = &layer->blocks[i];
    if (b->array >= MAX_ARRAYS ||
        (uint64_t)b->row + (uint64_t)b->k_count * b->repeat >
            device->arrays[b->array].rows ||
        (uint64_t)b->column + b->n_count > device->arrays[b->array].columns ||
        (uint64_t)b->k + b->k_count > k_total ||
        (uint64_t)b->n + b->n_count > layer->out_c ||
        b->plane >= layer->plane_count || !(b->gain > 0))
      return fail(CIM_INVALID_ARGUMENT, "layer '%s': block %u does not fit",
                  layer->name, i);
  }
  device->layers[layer->id] = layer;
  return device->record[0] ? record_layer(device, layer) : CIM_OK;
}

static float round_as(float x, cim_rounding rounding) {
  return rounding == CIM_FLOOR ? floorf(x) : rintf(x);
}

static float clampf(float x, float lo, float hi) {
  return fminf(fmaxf(x, lo), hi);
}

/* The inputs of one window, q[k] in the order of matrix rows. */
static void gather(const cim_layer *l, const cim_stream *s, uint32_t image,
                   uint32_t oh, uint32_t ow, int32_t *q) {
  uint32_t per_group = l->in_c / l->groups;
  const uint8_t *u8 = s->input;
  const int8_t *i8 = s->input;
  for (uint32_t g = 0; g < l->groups; ++g)
    for (uint32_t kh = 0; kh < l->kernel_h; ++kh)
      for (uint32_t kw = 0; kw < l->kernel_w; ++kw)
        for (uint32_t c = 0; c < per_group; ++c, ++q) {
          int64_t y = (int64_t)oh * l->stride_h + kh * l->dilation_h -
                      (int64_t)l->pad_top;
          int64_t x = (int64_t)ow * l->stride_w + kw * l->dilation_w -
                      (int64_t)l->pad_left;
          *q = 0;
          if (y < 0 || y >= l->in_h || x < 0 || x >= l->in_w)
            continue;
          size_t at = (((size_t)image * l->in_h + y) * l->in_w + x) * l->in_c +
                      g * per_group + c;
          *q = l->in_type == CIM_U8 ? u8[at] : i8[at];
        }
}

/* Adds one block's share to sum[n]; acc has room for out_c numbers. */
static void add_block(const cim_device *device, const cim_layer *l,
                      const cim_block *b, const int32_t *q, int32_t *acc,
                      float *sum) {
  const array_t *array = &device->arrays[b->array];
  memset(acc, 0, sizeof(int32_t) * b->n_count);
  for (uint32_t k = 0; k < b->k_count; ++k)
    for (uint32_t r = 0; r < b->repeat; ++r) {
      const int8_t *cells =
          array->cells + (size_t)(b->row + k * b->repeat + r) * array->columns +
          b->column;
      for (uint32_t n = 0; n < b->n_count; ++n)
        acc[n] += q[b->k + k] * cells[n];
    }
  for (uint32_t n = 0; n < b->n_count; ++n) {
    float v = (float)acc[n];
    float coef = l->significance[(size_t)b->plane * l->out_c + b->n + n];
    if (!device->ideal) {
      v = v * b->gain;
      v = clampf(round_as(v, l->adc_rounding), (float)l->adc_lo,
                 (float)l->adc_hi);
      coef = coef / b->gain;
    }
    float product = v * coef;
    sum[b->n + n] = sum[b->n + n] + product;
  }
}

static void store(const cim_layer *l, const float *sum, void *output,
                  size_t at) {
  for (uint32_t n = 0; n < l->out_c; ++n) {
    float y = sum[n] * l->scale[n];
    y = y + l->bias[n];
    if (l->out_type != CIM_F32)
      y = round_as(y, l->out_rounding);
    y = clampf(y, l->lo, l->hi);
    if (l->out_type == CIM_F32)
      ((float *)output)[at + n] = y;
    else if (l->out_type == CIM_I8)
      ((int8_t *)output)[at + n] = (int8_t)y;
    else
      ((uint8_t *)output)[at + n] = (uint8_t)y;
  }
}

static cim_status stream(cim_device *device, const cim_stream *s) {
  const cim_layer *l = s->layer < MAX_LAYERS ? device->layers[s->layer] : NULL;
  if (!l)
    return fail(CIM_WRONG_STATE, "layer %u was not prepared", s->layer);
  int32_t *q = malloc(sizeof(int32_t) * l->kernel_h * l->kernel_w * l->in_c);
  int32_t *acc = malloc(sizeof(int32_t) * l->out_c);
  float *sum = malloc(sizeof(float) * l->out_c);
  cim_status status = q && acc && sum ? CIM_OK : CIM_OUT_OF_RESOURCES;
  if (status != CIM_OK)
    fail(status, "out of memory");
  size_t at = 0;
  for (uint32_t i = 0; status == CIM_OK && i < s->image_count; ++i)
    for (uint32_t oh = 0; oh < l->out_h; ++oh)
      for (uint32_t ow = 0; ow < l->out_w; ++ow, at += l->out_c) {
        gather(l, s, i, oh, ow, q);
        memset(sum, 0, sizeof(float) * l->out_c);
        for (uint32_t b = 0; b < l->block_count; ++b)
          add_block(device, l, &l->blocks[b], q, acc, sum);
        store(l, sum, s->output, at);
      }
  free(q);
  free(acc);
  free(sum);
  if (status == CIM_OK && device->record[0])
    status = record_map(device, s, "in", l->in_type, l->in_h, l->in_w, l->in_c,
                        s->input);
  if (status == CIM_OK && device->record[0])
    status = record_map(device, s, "out", l->out_type, l->out_h, l->out_w,
                        l->out_c, s->output);
  return status;
}

static cim_status wait_all(cim_device *device) {
  (void)device;
  return CIM_OK;
}

static const char *last_error(void) { return message; }

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
  return version == CIM_DEVICE_VERSION ? &api : NULL;
}

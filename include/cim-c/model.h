/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What is inside a compiled network. The compiler writes a shared object that
 * exports one object, `cim_model_v1` of type cim_model_image; the runtime reads
 * it. Applications use runtime.h instead. */
#ifndef CIM_C_MODEL_H
#define CIM_C_MODEL_H

#include "cim-c/status.h"

#ifdef __cplusplus
extern "C" {
#endif

#define CIM_MODEL_MAGIC 0x4d4d4943u /* "CIMM" */
#define CIM_MODEL_VERSION 1u
#define CIM_MODEL_SYMBOL "cim_model_v1"

/* Limits of a network's inputs and outputs, whose first dimension is the batch
 * (samples per call). The compiler refuses a network beyond them, the runtime a
 * file. Elements are those of a whole batch, so 16 GiB of the widest type. */
#define CIM_MODEL_MAX_BATCH 65536u
#define CIM_MODEL_MAX_RANK 8u
#define CIM_MODEL_MAX_ELEMENTS ((uint64_t)1 << 31)

/* Shapes of a float 2-d convolution on an already padded NCHW input:
 * input [n][c][h][w], filter [f][c / groups][kh][kw], output [n][f][oh][ow]. */
typedef struct cim_conv2d_shape {
  int32_t n, c, h, w, f, kh, kw, oh, ow;
  int32_t stride_h, stride_w, dilation_h, dilation_w, groups;
} cim_conv2d_shape;

/* What the compiled host function calls. The runtime makes one per running
 * thread. A failure is remembered inside and reported after the run, so the
 * compiled code checks nothing; after a failure the calls do nothing. */
typedef struct cim_host cim_host;
struct cim_host {
  uint32_t size;
  uint32_t version; /* CIM_MODEL_VERSION */
  /* Runs a whole batch of the model through layer `layer`. */
  void (*stream)(cim_host *host, uint32_t layer, const void *input,
                 void *output);
  /* Shows `count` values of observed tensor `value` (calibration). */
  void (*observe)(cim_host *host, uint32_t value, const float *data,
                  uint64_t count);
  /* output += conv2d(input, filter). */
  void (*conv2d_f32)(cim_host *host, const cim_conv2d_shape *shape,
                     const float *input, const float *filter, float *output);
  /* c[batch][m][n] += a[batch][m][k] * b[batch][k][n]; all dense. */
  void (*matmul_f32)(cim_host *host, int64_t batch, int64_t m, int64_t n,
                     int64_t k, const float *a, const float *b, float *c);
};

/* The exported object. Pointers are into the shared object. */
typedef struct cim_model_image {
  uint32_t magic;   /* CIM_MODEL_MAGIC */
  uint32_t version; /* CIM_MODEL_VERSION */
  uint32_t size;    /* sizeof(cim_model_image) */
  uint32_t reserved;
  const char *manifest; /* JSON, docs/Runtime.md "Manifest" */
  uint64_t manifest_size;
  const uint8_t *data; /* cell images and tables that the manifest names */
  uint64_t data_size;
  const uint8_t *program; /* the placed program as MLIR bytecode */
  uint64_t program_size;
  /* Computes one batch. `inputs` and `outputs` are in manifest order, each
   * dense and as the manifest types it. */
  void (*run)(cim_host *host, const void *const *inputs, void *const *outputs);
} cim_model_image;

/* The last bytes of a network's file may be a seal over all bytes before it.
 * The loader checks it before it maps the file: a damaged shared object can
 * take the process down while it is being mapped. Little endian. */
#define CIM_SEAL_MAGIC "CIMSEAL1"
typedef struct cim_seal {
  char magic[8];     /* CIM_SEAL_MAGIC, without its final zero */
  uint32_t crc32;    /* of every byte before the seal, as zlib's crc32 */
  uint32_t reserved; /* 0 */
} cim_seal;

#ifdef __cplusplus
}
#endif
#endif /* CIM_C_MODEL_H */

/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The device interface: what a chip, or a simulator of one, offers to a
 * compiled network. What a layer computes, bit by bit, is docs/Numerics.md; a
 * complete device in plain C++ is devices/reference; `cim-device-check FILE.so`
 * says whether a device keeps to this page.
 *
 * Order of calls
 *
 *   create --> EMPTY --program--> PROGRAMMED --prepare--> READY --destroy-->
 *                      any number              any number  stream, wait
 *
 *   create   makes one chip; a simulator draws the chip's static variation from
 *            (seed, trial). Different devices know nothing of each other.
 *   program  writes the cells of an array; writing it again replaces them.
 *            After the first prepare it is CIM_WRONG_STATE: layers rely on
 *            their cells.
 *   prepare  announces a layer whose blocks lie on programmed arrays; the
 *            device checks it and may compute what makes streaming fast. An id
 *            that is in use gets the new layer (calibration tries gains so).
 *   stream   runs images through a prepared layer; a layer that is not
 *            prepared is CIM_WRONG_STATE.
 *   wait     returns when every stream of the calling thread is done; without
 *            any it returns at once.
 *   query    is allowed everywhere. destroy too, also of null.
 *
 * `stream` takes a whole layer - its blocks, window geometry and epilogue - so
 * that a simulator can run it as one blocked integer product and a driver as a
 * hardware loop.
 *
 * Threads
 *
 *   create and last_error: any thread, any time. stream, wait and query of one
 *   device: any number of threads at once. program, prepare and destroy of one
 *   device: one thread, while nothing else runs on it.
 *
 * Ownership
 *
 *   The device copies the structs that it is given, strings of a config, and
 *   cells. It does not copy what a cim_layer points to (name, blocks, tables):
 *   that stays as it is until destroy, or until its id is prepared again.
 *   Input and output of a stream belong to the device until the thread's wait
 *   returns; the device writes the output and nothing else, and never writes
 *   the input. Strings that a device returns are its own: cim_device_info::name
 *   lives as long as the device, last_error until the thread's next call.
 *
 * Errors
 *
 *   A function that does not return CIM_OK has done nothing, with one
 *   exception: after a failed stream or wait, the output is unspecified.
 *   Everything that worked before the failure works after it. A failed create
 *   sets *device to null. A failure that is found after stream returned is
 *   reported by the thread's wait. Every failure sets last_error of the calling
 *   thread to one line that says what was expected and what was found; success
 *   need not clear it. Nothing is thrown, and nothing ends the process.
 *
 *   CIM_INVALID_ARGUMENT  null, out of range, contradictory; what exactly is
 *                         said at each member below
 *   CIM_WRONG_STATE       the order of calls above
 *   CIM_UNSUPPORTED       well formed, but not on this device: a mode, an
 *                         effect, a size, a field of a later release
 *   CIM_OUT_OF_RESOURCES  memory, threads
 *   CIM_DEVICE_ERROR      the hardware failed
 *
 * Releases
 *
 *   CIM_DEVICE_VERSION changes when old devices and new callers cannot work
 *   together; the loader asks a device for its own version and refuses others.
 *   Within a version, structs grow at their end only, and 0 in a new member
 *   means what was before. Every struct begins with its size in bytes as its
 *   maker knows it. Whoever reads it
 *     - refuses a size below that of the version's first release, *_SIZE_1
 *       below (CIM_INVALID_ARGUMENT),
 *     - takes members that are missing as 0,
 *     - refuses a larger struct when any byte that it does not know is not 0
 *       (CIM_UNSUPPORTED): it would leave out something that was asked for.
 *   cim_device_info is filled the other way round: the caller sets `size`, the
 *   device writes as many members as both know and leaves the rest alone. */
#ifndef CIM_C_HAL_H
#define CIM_C_HAL_H

#include "cim-c/status.h"

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CIM_DEVICE_VERSION 1u

/* Bytes of a struct up to and with a member. */
#define CIM_SIZE_WITH(type, member)                                            \
  (offsetof(type, member) + sizeof(((type *)0)->member))

/* A rectangle of one array that holds a rectangle of one layer's matrix; it
 * must lie within both.
 *
 * Matrix row k of the block (0 <= k < k_count), cell r of the weight
 * (0 <= r < repeat) and matrix column n (0 <= n < n_count) is the cell
 *   array[row + k * repeat + r][column + n].
 * The cells of one weight share its input and add up on the column. Blocks of
 * one layer, or of several, may share cells. */
typedef struct cim_block {
  uint32_t array; /* one that was programmed */
  uint32_t row;
  uint32_t column;
  uint32_t plane;   /* row of cim_layer::significance that weighs the result */
  uint32_t k;       /* first matrix row */
  uint32_t k_count; /* >= 1 */
  uint32_t n;       /* first matrix column = first output channel */
  uint32_t n_count; /* >= 1 */
  uint32_t repeat;  /* cells per weight on neighbouring rows, >= 1 */
  float gain;       /* ADC codes per unit of the integer sum, finite, > 0 */
} cim_block;

/* One layer: a feature map in, a feature map out, both NHWC and dense.
 *
 * Matrix row k addresses the window of an output position:
 *   k = ((g * kernel_h + kh) * kernel_w + kw) * (in_c / groups) + c
 * is input channel g * (in_c / groups) + c at row
 *   oh * stride_h + kh * dilation_h - pad_top, and so for columns.
 * Positions outside the map read 0. Padding below and on the right is whatever
 * out_h and out_w ask for. A matrix product is the case of a 1 x 1 kernel on a
 * map of 1 x 1 with in_c = its number of rows. Output channels that no block
 * covers are bias alone. Feature maps have fewer than 2^31 elements. */
typedef struct cim_layer {
  uint32_t size;    /* sizeof(cim_layer) */
  uint32_t id;      /* dense from 0; part of the noise counter */
  const char *name; /* for messages, may be null */

  /* All >= 1; groups divides in_c and out_c. */
  uint32_t in_h, in_w, in_c;
  uint32_t out_h, out_w, out_c;
  uint32_t kernel_h, kernel_w;
  uint32_t stride_h, stride_w;
  uint32_t dilation_h, dilation_w;
  uint32_t pad_top, pad_left; /* may be 0 */
  uint32_t groups;
  cim_type in_type; /* CIM_I8 or CIM_U8; a value outside the DAC's range makes
                       stream fail with CIM_INVALID_ARGUMENT */

  /* Blocks in the order in which their results are added up. */
  const cim_block *blocks;
  uint32_t block_count;      /* >= 1 */
  uint32_t plane_count;      /* >= 1 */
  const float *significance; /* [plane_count][out_c], finite */

  /* Smallest and largest ADC code, adc_lo < adc_hi, within 2^23. */
  int32_t adc_lo, adc_hi;
  cim_rounding adc_rounding;

  /* Epilogue of output channel n: y = S * scale[n] + bias[n], clamped to
   * [lo, hi]; for an integer out_type y is rounded first. */
  const float *scale; /* [out_c], finite */
  const float *bias;  /* [out_c], finite */
  /* lo <= hi; integers that fit an integer out_type; may be -inf and +inf for
     CIM_F32. */
  float lo, hi;
  cim_type out_type; /* CIM_F32, CIM_I8 or CIM_U8 */
  cim_rounding out_rounding;
} cim_layer;
#define CIM_LAYER_SIZE_1 CIM_SIZE_WITH(cim_layer, out_rounding)

/* How to make one chip. */
typedef struct cim_device_config {
  uint32_t size;
  /* What to compute: "ideal", "exact" or "analog" (docs/Numerics.md, section
     3), or null for what the device does by itself. Silicon takes null, and
     refuses the modes that it does not have (CIM_UNSUPPORTED). */
  const char *mode;
  /* What the network was compiled for, as JSON (docs/Runtime.md, Simulator),
     or null. A simulator plays the chip described here; a chip may ignore it,
     or refuse the network of another one. */
  const char *target;
  uint64_t seed;  /* of all randomness of a simulator */
  uint32_t trial; /* which chip instance */
  double age;     /* seconds since programming, finite, not negative; 0: what
                     the target says */
} cim_device_config;
#define CIM_DEVICE_CONFIG_SIZE_1 CIM_SIZE_WITH(cim_device_config, trial)

/* What `query` answers. */
typedef struct cim_device_info {
  uint32_t size;
  const char *name;         /* lives as long as the device */
  uint32_t array_count;     /* arrays that can be programmed, 0 = unlimited */
  uint32_t array_rows;      /* 0 = unlimited */
  uint32_t array_columns;   /* 0 = unlimited */
  int32_t cell_lo, cell_hi; /* levels of one cell */
  /* DAC: signed inputs -2^(bits-1) .. 2^(bits-1)-1, unsigned 0 .. 2^bits-1. */
  uint32_t input_bits;
} cim_device_info;
#define CIM_DEVICE_INFO_SIZE_1 CIM_SIZE_WITH(cim_device_info, input_bits)

/* One use of a layer. `first_image` is the index of the first image among all
 * images of the run: noise depends on it and not on how a run is cut into
 * calls. A device may number images with 32 bits (CIM_UNSUPPORTED beyond). */
typedef struct cim_stream {
  uint32_t size;
  uint32_t layer; /* id of a prepared layer */
  uint64_t first_image;
  uint32_t image_count; /* 0: nothing to do, input and output may be null */
  const void *input;    /* [image_count][in_h][in_w][in_c] of in_type */
  void *output;         /* [image_count][out_h][out_w][out_c] of out_type */
} cim_stream;
#define CIM_STREAM_SIZE_1 CIM_SIZE_WITH(cim_stream, output)

typedef struct cim_device cim_device;

/* The table that a device offers; all functions are there. The caller keeps no
 * copy of it longer than the shared object is loaded. */
typedef struct cim_device_api {
  uint32_t size;
  uint32_t version; /* CIM_DEVICE_VERSION */

  cim_status (*create)(const cim_device_config *config, cim_device **device);
  void (*destroy)(cim_device *device);
  cim_status (*query)(cim_device *device, cim_device_info *info);

  /* Programs an array: cells[rows][columns], each within the levels of query,
   * both counts at least 1 and at most those of query. Blocks may use these
   * cells and no others. */
  cim_status (*program)(cim_device *device, uint32_t array, uint32_t rows,
                        uint32_t columns, const int8_t *cells);

  cim_status (*prepare)(cim_device *device, const cim_layer *layer);

  /* May return before it is done. */
  cim_status (*stream)(cim_device *device, const cim_stream *stream);

  cim_status (*wait)(cim_device *device);

  /* Text of the calling thread's last failure on any device, never null. */
  const char *(*last_error)(void);
} cim_device_api;
#define CIM_DEVICE_API_SIZE_1 CIM_SIZE_WITH(cim_device_api, last_error)

/* A driver is a shared object that exports this function under this name. It
 * returns a table of that version, which lives as long as the shared object is
 * loaded, or null when it cannot serve `version`. */
typedef const cim_device_api *(*cim_device_get_api_fn)(uint32_t version);
#define CIM_DEVICE_GET_API "cim_device_get_api"

#ifdef __cplusplus
}
#endif
#endif /* CIM_C_HAL_H */

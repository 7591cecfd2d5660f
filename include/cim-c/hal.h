/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The device interface: what a chip, or a simulator of one, offers to a
 * compiled network.
 *
 * A device owns arrays of cells. The runtime
 *   1. creates it (one instance = one chip; the simulator draws the static
 *      variation of a chip from (seed, trial) at this point),
 *   2. programs every array with its cell image,
 *   3. prepares every layer: the device checks the layer against the arrays and
 *      may compute whatever makes streaming fast,
 *   4. streams feature maps through prepared layers, from any number of threads
 *      at once,
 *   5. waits, and destroys it.
 *
 * `stream` takes a whole layer - its blocks, window geometry and epilogue - so
 * that a simulator can run it as one blocked integer product and a driver as a
 * hardware loop. What a layer computes, bit by bit, is docs/Numerics.md.
 *
 * Every struct begins with its own size in bytes as the caller knows it; a
 * callee built later accepts smaller structs and treats missing fields as 0. */
#ifndef CIM_C_HAL_H
#define CIM_C_HAL_H

#include "cim-c/status.h"

#ifdef __cplusplus
extern "C" {
#endif

#define CIM_DEVICE_VERSION 1u

/* A rectangle of one array that holds a rectangle of one layer's matrix.
 *
 * Matrix row k of the block (0 <= k < k_count), cell r of the weight
 * (0 <= r < repeat) and matrix column n (0 <= n < n_count) is the cell
 *   array[row + k * repeat + r][column + n].
 * The cells of one weight share its input and add up on the column. */
typedef struct cim_block {
  uint32_t array;
  uint32_t row;
  uint32_t column;
  uint32_t plane; /* row of cim_layer::significance that weighs the result */
  uint32_t k;     /* first matrix row */
  uint32_t k_count;
  uint32_t n; /* first matrix column = first output channel */
  uint32_t n_count;
  uint32_t repeat; /* cells per weight on neighbouring rows, >= 1 */
  float gain;      /* ADC codes per unit of the integer sum, > 0 */
} cim_block;

/* One layer: a feature map in, a feature map out, both NHWC and dense.
 *
 * Matrix row k addresses the window of an output position:
 *   k = ((g * kernel_h + kh) * kernel_w + kw) * (in_c / groups) + c
 * is input channel g * (in_c / groups) + c at row
 *   oh * stride_h + kh * dilation_h - pad_top, and so for columns.
 * Positions outside the map read 0. A matrix product is the case of a 1 x 1
 * kernel with in_h = 1 and in_w = its number of rows. */
typedef struct cim_layer {
  uint32_t size; /* sizeof(cim_layer) */
  uint32_t id;   /* dense from 0; part of the noise counter */
  const char *name;

  uint32_t in_h, in_w, in_c;
  uint32_t out_h, out_w, out_c;
  uint32_t kernel_h, kernel_w;
  uint32_t stride_h, stride_w;
  uint32_t dilation_h, dilation_w;
  uint32_t pad_top, pad_left;
  uint32_t groups;
  cim_type in_type; /* CIM_I8 or CIM_U8; a value outside the DAC's range makes
                       stream fail with CIM_INVALID_ARGUMENT */

  /* Blocks in the order in which their results are added up. */
  const cim_block *blocks;
  uint32_t block_count;
  uint32_t plane_count;
  const float *significance; /* [plane_count][out_c] */

  int32_t adc_lo, adc_hi; /* smallest and largest ADC code */
  cim_rounding adc_rounding;

  /* Epilogue of output channel n: y = S * scale[n] + bias[n], clamped to
   * [lo, hi]; for an integer out_type y is rounded first. */
  const float *scale; /* [out_c] */
  const float *bias;  /* [out_c] */
  float lo, hi;       /* may be -inf, +inf when out_type is CIM_F32 */
  cim_type out_type;  /* CIM_F32, CIM_I8 or CIM_U8 */
  cim_rounding out_rounding;
} cim_layer;

/* How to make one chip. */
typedef struct cim_device_config {
  uint32_t size;
  /* Simulator: "ideal", "exact" or "analog". Drivers may ignore it. */
  const char *mode;
  /* Target description as JSON (docs/Targets.md, "device" object). */
  const char *target;
  uint64_t seed;  /* of all randomness */
  uint32_t trial; /* which chip instance */
} cim_device_config;

/* What `query` answers. */
typedef struct cim_device_info {
  uint32_t size;
  const char *name;         /* lives as long as the device */
  uint32_t array_count;     /* arrays that can be programmed, 0 = unlimited */
  uint32_t array_rows;      /* 0 = unlimited */
  uint32_t array_columns;   /* 0 = unlimited */
  int32_t cell_lo, cell_hi; /* levels of one cell */
} cim_device_info;

/* One use of a layer. `first_image` is the index of the first image among all
 * images of the run: noise depends on it and not on how a run is cut into
 * calls. */
typedef struct cim_stream {
  uint32_t size;
  uint32_t layer; /* id of a prepared layer */
  uint64_t first_image;
  uint32_t image_count;
  const void *input; /* [image_count][in_h][in_w][in_c] of in_type */
  void *output;      /* [image_count][out_h][out_w][out_c] of out_type */
} cim_stream;

typedef struct cim_device cim_device;

/* The table that a device offers. `create` may be called many times; distinct
 * devices are independent. On one device, create, program, prepare and destroy
 * are called by one thread at a time; stream and wait by many. */
typedef struct cim_device_api {
  uint32_t size;
  uint32_t version; /* CIM_DEVICE_VERSION */

  cim_status (*create)(const cim_device_config *config, cim_device **device);
  void (*destroy)(cim_device *device);
  cim_status (*query)(cim_device *device, cim_device_info *info);

  /* Programs the upper-left rows x columns cells of an array; the rest is 0.
   * `cells` is [rows][columns] and need not outlive the call. */
  cim_status (*program)(cim_device *device, uint32_t array, uint32_t rows,
                        uint32_t columns, const int8_t *cells);

  /* Announces a layer. The layer and all it points to must outlive the
   * device. Fails when a block lies outside its array or the geometry is
   * contradictory. */
  cim_status (*prepare)(cim_device *device, const cim_layer *layer);

  /* Runs images through a prepared layer. May return before it is done. */
  cim_status (*stream)(cim_device *device, const cim_stream *stream);

  /* Returns when every stream call of the calling thread is done. */
  cim_status (*wait)(cim_device *device);

  /* Text of the calling thread's last failure on any device, never null. */
  const char *(*last_error)(void);
} cim_device_api;

/* A driver is a shared object that exports this function under this name. It
 * returns null when it cannot serve `version`. */
typedef const cim_device_api *(*cim_device_get_api_fn)(uint32_t version);
#define CIM_DEVICE_GET_API "cim_device_get_api"

#ifdef __cplusplus
}
#endif
#endif /* CIM_C_HAL_H */

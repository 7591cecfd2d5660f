/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The embedding interface: load a compiled network and run it on a device.
 *
 *   cim_model *model;
 *   if (cim_model_open("net.so", &model) != CIM_OK)
 *     die(cim_last_error());
 *   cim_session_options options = {sizeof options, "exact"};
 *   cim_session *session;
 *   cim_session_create(model, &options, &session);
 *   cim_session_run(session, 0, 10, inputs, outputs);
 *
 * A model is immutable and may be shared by sessions; a session is one chip
 * instance and runs from one caller at a time (it uses threads of its own). */
#ifndef CIM_C_RUNTIME_H
#define CIM_C_RUNTIME_H

#include "cim-c/hal.h"
#include "cim-c/status.h"

#ifdef __cplusplus
extern "C" {
#endif

#if defined(_WIN32)
#define CIM_EXPORT
#else
#define CIM_EXPORT __attribute__((visibility("default")))
#endif

typedef struct cim_model cim_model;
typedef struct cim_session cim_session;

#define CIM_MAX_RANK 8

/* A network input or output. The first dimension is the batch that the network
 * was compiled for; runs take any number of samples. */
typedef struct cim_tensor_info {
  uint32_t size;
  const char *name;
  cim_type type;
  uint32_t rank;
  int64_t shape[CIM_MAX_RANK];
} cim_tensor_info;

/* Zero means default for every field. */
typedef struct cim_session_options {
  uint32_t size;
  const char *device; /* "ideal", "exact" (default), "analog", or FILE.so */
  uint64_t seed;
  uint32_t trial;
  uint32_t threads; /* default: one per processor; 1 with an observer */
  /* A device that lives in this process, used instead of `device`. */
  const cim_device_api *device_api;
  /* Calibration: sees every observed tensor, in program order, without the
     samples that complete a partial batch. */
  void (*observe)(void *user, uint32_t value, const float *data,
                  uint64_t count);
  void *observe_user;
  double age; /* seconds since programming; default: what the target says */
} cim_session_options;

/* Text of the calling thread's last failure, never null. */
CIM_EXPORT const char *cim_last_error(void);

/* Opens a compiled network and checks everything in it that the runtime will
 * rely on. CIM_BAD_FILE when it is not one. */
CIM_EXPORT cim_status cim_model_open(const char *path, cim_model **model);
CIM_EXPORT void cim_model_close(cim_model *model);

CIM_EXPORT uint32_t cim_model_input_count(const cim_model *model);
CIM_EXPORT uint32_t cim_model_output_count(const cim_model *model);
CIM_EXPORT cim_status cim_model_input(const cim_model *model, uint32_t index,
                                      cim_tensor_info *info);
CIM_EXPORT cim_status cim_model_output(const cim_model *model, uint32_t index,
                                       cim_tensor_info *info);
/* Samples per compiled call. */
CIM_EXPORT uint32_t cim_model_batch(const cim_model *model);
/* Crossbar layers. A network without any needs no device, and its inputs may
 * hold NaN and infinities. */
CIM_EXPORT uint32_t cim_model_layer_count(const cim_model *model);
/* The manifest, zero-terminated JSON, owned by the model. */
CIM_EXPORT const char *cim_model_manifest(const cim_model *model);
/* The placed program as MLIR bytecode, owned by the model. */
CIM_EXPORT const void *cim_model_program(const cim_model *model,
                                         uint64_t *size);

/* Makes a chip: creates the device, programs its arrays, prepares its layers.
 * The model must outlive the session. */
CIM_EXPORT cim_status cim_session_create(cim_model *model,
                                         const cim_session_options *options,
                                         cim_session **session);
CIM_EXPORT void cim_session_destroy(cim_session *session);

/* Runs `count` samples, the first of which has index `first_sample` among all
 * samples of the experiment (noise depends on that index). `inputs[i]` is
 * [count] samples of input i without padding; so are outputs. A last, partial
 * batch is padded inside. */
CIM_EXPORT cim_status cim_session_run(cim_session *session,
                                      uint64_t first_sample, uint64_t count,
                                      const void *const *inputs,
                                      void *const *outputs);

/* Takes back digitally what this chip does differently from its description.
 * The samples run through the network, layer by layer: the scale and bias of
 * every channel are changed such that its mean and deviation over all windows
 * become those of a chip without non-idealities (docs/Runtime.md). At least
 * one sample; of more than 256 batches the first 256 are used. The chip stays
 * calibrated until the session ends; calibrating again starts anew. After a
 * failure the chip is as it was made. */
CIM_EXPORT cim_status cim_session_calibrate(cim_session *session,
                                            uint64_t count,
                                            const void *const *inputs);

#ifdef __cplusplus
}
#endif
#endif /* CIM_C_RUNTIME_H */

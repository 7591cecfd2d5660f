/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Status codes shared by the embedding interface (runtime.h) and the device
 * interface (hal.h). Every function that can fail returns one of these; the
 * text that goes with a failure is kept per thread and read with
 * cim_last_error() or, for a device, with cim_device_api::last_error. */
#ifndef CIM_C_STATUS_H
#define CIM_C_STATUS_H

#include <stdint.h>

/* Enumerations have 32 bits in C and C++. Who reads one may find any value. */
#ifdef __cplusplus
#define CIM_32BIT : int32_t
extern "C" {
#else
#define CIM_32BIT
#endif

typedef enum cim_status CIM_32BIT {
  CIM_OK = 0,
  /* An argument is null, out of range, or contradicts another argument. */
  CIM_INVALID_ARGUMENT = 1,
  /* A call came in the wrong order, e.g. stream before prepare. */
  CIM_WRONG_STATE = 2,
  /* A file is not what it should be: foreign, truncated, corrupt. */
  CIM_BAD_FILE = 3,
  /* The caller and the callee were built for different interface versions. */
  CIM_WRONG_VERSION = 4,
  /* The request is well formed but this device cannot do it. */
  CIM_UNSUPPORTED = 5,
  /* Memory or another resource ran out. */
  CIM_OUT_OF_RESOURCES = 6,
  /* The device failed; retrying may or may not help. */
  CIM_DEVICE_ERROR = 7
} cim_status;

/* Element types of tensors and feature maps. A bool is one byte, 0 or 1. */
typedef enum cim_type CIM_32BIT {
  CIM_F32 = 0,
  CIM_I8 = 1,
  CIM_U8 = 2,
  CIM_I32 = 3,
  CIM_I64 = 4,
  CIM_BOOL = 5,
  CIM_I16 = 6,
  CIM_U16 = 7,
  CIM_U32 = 8,
  CIM_U64 = 9
} cim_type;

/* How a real number becomes an integer (docs/Numerics.md, section 1). A
 * converter may also take the middle of two codes: floor plus a half. */
typedef enum cim_rounding CIM_32BIT {
  CIM_NEAREST_EVEN = 0,
  CIM_FLOOR = 1,
  CIM_MID_RISE = 2 /* cim_layer::adc_rounding only */
} cim_rounding;

#ifdef __cplusplus
}
#endif
#endif /* CIM_C_STATUS_H */

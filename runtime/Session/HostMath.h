// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Float convolutions and matrix products of the digital remainder of a network,
// through oneDNN. Every call runs on the calling thread only: a session is
// parallel over samples.
#ifndef CIM_RUNTIME_SESSION_HOSTMATH_H
#define CIM_RUNTIME_SESSION_HOSTMATH_H

#include "cim-c/model.h"

namespace cim::rt {

/// output += conv2d(input, filter); layouts as cim_conv2d_shape says.
cim_status addConv2D(const cim_conv2d_shape &shape, const float *input,
                     const float *filter, float *output);

/// c[batch][m][n] += a[batch][m][k] * b[batch][k][n].
cim_status addMatmul(int64_t batch, int64_t m, int64_t n, int64_t k,
                     const float *a, const float *b, float *c);

/// While one exists, OpenMP regions that its thread opens (oneDNN's) have one
/// thread.
class SequentialOpenMP {
public:
  SequentialOpenMP();
  ~SequentialOpenMP();

private:
  int previous;
};

} // namespace cim::rt

#endif // CIM_RUNTIME_SESSION_HOSTMATH_H

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The scale with which integers come nearest to real weights.
#ifndef CIM_DIALECT_NN_TRANSFORMS_WEIGHTSEARCH_H
#define CIM_DIALECT_NN_TRANSFORMS_WEIGHTSEARCH_H

#include "cim/Dialect/NN/Transforms/ConstantData.h"

namespace cim::nn {

/// Integers in [-levels, levels] and a scale per index of dimension `dim` that
/// make the sum of squared errors of each channel small: for ternary weights
/// the optimum (of all supports, the one of the k largest magnitudes is best
/// for k values; its scale is their mean), else the best of a sweep of clip
/// points, each refined by least squares. A channel of zeros has scale 1.
ChannelIntegers searchWeights(llvm::ArrayRef<float> weights,
                              llvm::ArrayRef<int64_t> shape, int64_t dim,
                              int64_t levels);

} // namespace cim::nn

#endif // CIM_DIALECT_NN_TRANSFORMS_WEIGHTSEARCH_H

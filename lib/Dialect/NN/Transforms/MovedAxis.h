// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What becomes of a dimension where data moves.
#ifndef CIM_LIB_DIALECT_NN_TRANSFORMS_MOVEDAXIS_H
#define CIM_LIB_DIALECT_NN_TRANSFORMS_MOVEDAXIS_H

#include "cim/Dialect/NN/IR/NN.h"

namespace cim::nn {

/// A dimension on the other side of an op, and which index along the given
/// dimension belongs to each of its indices.
struct MovedAxis {
  int64_t dim = 0;
  llvm::SmallVector<int64_t> origin;
};

/// What `op`, a transpose, reshape, slice or pad, makes of dimension `axis` of
/// its operand. Nothing when no dimension of the result tells the index along
/// `axis`; a slice leaves some of them out.
std::optional<MovedAxis> followAxis(mlir::Operation *op, int64_t axis);

/// The same from the result of a transpose, reshape or slice to its operand.
std::optional<MovedAxis> traceAxis(mlir::Operation *op, int64_t axis);

} // namespace cim::nn

#endif // CIM_LIB_DIALECT_NN_TRANSFORMS_MOVEDAXIS_H

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the type inference functions of the nn dialect share.
#ifndef CIM_LIB_DIALECT_NN_IR_INFERENCE_H
#define CIM_LIB_DIALECT_NN_IR_INFERENCE_H

#include "cim/Dialect/NN/IR/NN.h"

namespace cim::nn {

/// Reports at `location` when there is one; inference may run without.
template <typename... Parts>
llvm::LogicalResult inferenceError(std::optional<mlir::Location> location,
                                   Parts &&...parts) {
  if (!location)
    return llvm::failure();
  mlir::InFlightDiagnostic diagnostic = mlir::emitError(*location);
  (void)(diagnostic << ... << std::forward<Parts>(parts));
  return diagnostic;
}

/// The extent of a sliding window's result: positions of a window of `kernel`
/// taps, `dilation` apart, that moves by `stride` over `size` elements and
/// their padding. Fails when no window fits.
llvm::FailureOr<int64_t>
inferWindowExtent(std::optional<mlir::Location> location, int64_t size,
                  int64_t kernel, int64_t stride, int64_t dilation,
                  int64_t padBegin, int64_t padEnd, bool ceilMode);

/// Shape that `a` and `b` broadcast to as in NumPy.
llvm::FailureOr<llvm::SmallVector<int64_t>>
inferBroadcast(std::optional<mlir::Location> location,
               llvm::ArrayRef<int64_t> a, llvm::ArrayRef<int64_t> b);

/// Checks that an attribute has one entry for each of `count` dimensions.
llvm::LogicalResult checkLength(std::optional<mlir::Location> location,
                                llvm::StringRef name,
                                llvm::ArrayRef<int64_t> values, size_t count);

/// Data movement keeps a per-tensor quantisation; a per-axis one has no meaning
/// once its axis moves.
llvm::LogicalResult checkMovable(std::optional<mlir::Location> location,
                                 mlir::ShapedType type);

} // namespace cim::nn

#endif // CIM_LIB_DIALECT_NN_IR_INFERENCE_H

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the verifiers of the cim dialect share.
#ifndef CIM_LIB_DIALECT_CIM_IR_CHECKS_H
#define CIM_LIB_DIALECT_CIM_IR_CHECKS_H

#include "cim/Dialect/CIM/IR/CIM.h"

namespace cim {

/// Checks shape and element type of an elements attribute.
llvm::LogicalResult verifyElements(mlir::Operation *op, llvm::StringRef name,
                                   mlir::ElementsAttr value,
                                   llvm::ArrayRef<int64_t> shape,
                                   mlir::Type elementType);

/// Checks that `values` has `count` entries, none below `minimum`.
llvm::LogicalResult verifyEntries(mlir::Operation *op, llvm::StringRef name,
                                  llvm::ArrayRef<int64_t> values, size_t count,
                                  int64_t minimum);

/// Checks that along one dimension some window may touch the map: not all lie
/// before it.
llvm::LogicalResult verifyWindow(mlir::Operation *op, llvm::StringRef dim,
                                 int64_t in, int64_t out, int64_t kernel,
                                 int64_t stride, int64_t dilation, int64_t pad);

} // namespace cim

#endif // CIM_LIB_DIALECT_CIM_IR_CHECKS_H

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// From the location of an op to the name of the ONNX node it came from.
#ifndef CIM_DIALECT_CIM_TRANSFORMS_NODENAME_H
#define CIM_DIALECT_CIM_TRANSFORMS_NODENAME_H

#include "mlir/IR/Location.h"

namespace cim {

/// The name that the importer left in `location`, the first one when passes
/// fused several; empty when there is none. Lives as long as the context.
inline llvm::StringRef nodeName(mlir::Location location) {
  llvm::StringRef name;
  location->walk([&](mlir::Location part) {
    auto named = llvm::dyn_cast<mlir::NameLoc>(part);
    if (!named)
      return mlir::WalkResult::advance();
    name = named.getName();
    return mlir::WalkResult::interrupt();
  });
  return name;
}

} // namespace cim

#endif // CIM_DIALECT_CIM_TRANSFORMS_NODENAME_H

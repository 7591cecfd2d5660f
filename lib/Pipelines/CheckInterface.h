// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What a runtime asks of a network's inputs and outputs.
#ifndef CIM_LIB_PIPELINES_CHECKINTERFACE_H
#define CIM_LIB_PIPELINES_CHECKINTERFACE_H

#include "mlir/IR/BuiltinOps.h"

namespace cim {

/// Checks that a runtime will accept the inputs and outputs of `@main` of a
/// module as `importOnnx` makes it: there are inputs, all tensors begin with
/// the batch (`nn.batch`), and batch, ranks and elements are within the limits
/// of cim-c/model.h. Reports one error at `loc` that names the tensor. (That
/// there are outputs is asked by the importer.)
mlir::LogicalResult checkInterface(mlir::ModuleOp module, mlir::Location loc);

} // namespace cim

#endif // CIM_LIB_PIPELINES_CHECKINTERFACE_H

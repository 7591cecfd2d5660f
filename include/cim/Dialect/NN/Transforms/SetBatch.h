// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Another number of samples per call for a network with static shapes.
#ifndef CIM_DIALECT_NN_TRANSFORMS_SETBATCH_H
#define CIM_DIALECT_NN_TRANSFORMS_SETBATCH_H

#include "mlir/IR/BuiltinOps.h"

namespace cim::nn {

/// Samples per call: `nn.batch`, or the leading dimension of the first argument
/// of `@main`; 0 when there is neither.
int64_t getBatch(mlir::ModuleOp module);

/// Rewrites every shape of `@main` (nn ops and cim.mvm) as if the network had
/// been imported with `batch` samples per call. Fails with one error, and
/// leaves the module half rewritten, when samples are not independent along
/// the leading dimension; with `inOrder` also when the results of a layer that
/// arrays could compute do not lie sample behind sample.
llvm::LogicalResult setBatch(mlir::ModuleOp module, int64_t batch,
                             bool inOrder = false);

} // namespace cim::nn

#endif // CIM_DIALECT_NN_TRANSFORMS_SETBATCH_H

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What cim-verify-phase checks, by the phase that first promises it
// (docs/Architecture.md, "Contracts between phases"). The checks recompute what
// they can from docs/Numerics.md and share nothing with the passes they check.
#ifndef CIM_LIB_DIALECT_CIM_TRANSFORMS_PHASECHECKS_H
#define CIM_LIB_DIALECT_CIM_TRANSFORMS_PHASECHECKS_H

#include "cim/Arch/Arch.h"
#include "cim/Dialect/CIM/IR/CIM.h"
#include "mlir/IR/BuiltinOps.h"

namespace cim {

/// One @main with static batch, and quantised crossbar operands that arrays can
/// take.
llvm::LogicalResult checkQuantPhase(mlir::ModuleOp module);

/// No crossbar op with quantised operands that is not explained; mvms that the
/// converters of `arch` can feed.
llvm::LogicalResult checkMvms(mlir::ModuleOp module, const Arch &arch);

/// Integer weights in range, zero outside of the groups.
llvm::LogicalResult checkWeights(MatrixOp matrix);

/// Cells in range that recombine to the weights.
llvm::LogicalResult checkPlanes(MatrixOp matrix, const Arch &arch);

/// Blocks that fit into an array and cover every weight once, in order.
llvm::LogicalResult checkBlocks(MatrixOp matrix, const Arch &arch);

/// Gains of all blocks.
llvm::LogicalResult checkGains(MatrixOp matrix);

/// Blocks inside of their arrays, none over another.
llvm::LogicalResult checkPlaces(mlir::ModuleOp module, const Arch &arch);

/// Arrays, layers and streams that agree, and nothing logical left.
llvm::LogicalResult checkProgram(mlir::ModuleOp module, const Arch &arch);

/// Parts that matrices and layers share.
/// Blocks in the order of accumulation that cover every weight of a `rows` x
/// `columns` matrix with `groups` diagonal blocks once in each of `planes`.
llvm::LogicalResult checkCover(mlir::Operation *owner, int64_t rows,
                               int64_t columns, int64_t groups, int64_t planes);

/// Bounds of an integer epilogue: integers within the range of the result.
llvm::LogicalResult checkBounds(mlir::Operation *op, float lo, float hi,
                                int64_t min, int64_t max);

} // namespace cim

#endif // CIM_LIB_DIALECT_CIM_TRANSFORMS_PHASECHECKS_H

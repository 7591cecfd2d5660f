// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Which values and layers nn-quantize turns into integers: what calibration
// has to look at.
#ifndef CIM_DIALECT_NN_TRANSFORMS_QUANTIZATIONPLAN_H
#define CIM_DIALECT_NN_TRANSFORMS_QUANTIZATIONPLAN_H

#include "cim/Arch/Arch.h"
#include "cim/Dialect/NN/IR/NN.h"
#include <string>
#include <vector>

namespace cim::nn {

/// Discardable attributes that carry calibration from pass to pass.
/// `nn.range = array<f32: lo, hi>` on the op (or argument) that makes a float
/// activation; `nn.mean` and `nn.deviation`, one binary64 value per output
/// channel, on the crossbar op whose float result they describe.
constexpr llvm::StringLiteral rangeAttrName = "nn.range";
constexpr llvm::StringLiteral meanAttrName = "nn.mean";
constexpr llvm::StringLiteral deviationAttrName = "nn.deviation";
/// Why a crossbar op stays digital, in words; one that has it before
/// `nn-quantize` keeps its float weights.
constexpr llvm::StringLiteral digitalAttrName = "nn.digital";

/// The value behind `value` that is made by computing and not by moving data:
/// quantised once, it serves all that moves it.
mlir::Value getActivationRoot(mlir::Value value);

/// True when a block-diagonal matrix of all groups wastes no more cells than
/// `arch` allows. Else `reason` says why in words.
bool fitsGroups(const WindowGeometry &geometry, const Arch &arch,
                std::string &reason);

/// True when `op` can run on the arrays of `arch`: constant weights and a
/// window geometry, not so many groups that a block-diagonal matrix would waste
/// its cells, and no `nn.digital`. Else `reason` says why in words.
bool runsOnArrays(CrossbarOpInterface op, const Arch &arch,
                  std::string &reason);

/// Every one of `names`, which options mention, must be the node name of one of
/// `layers`; else an error at `module` lists these.
llvm::LogicalResult checkLayerNames(mlir::ModuleOp module,
                                    llvm::ArrayRef<llvm::StringRef> names,
                                    llvm::ArrayRef<CrossbarOpInterface> layers);

/// What decides the matrix of a crossbar op: weights, kind of op, channel
/// dimension and groups. Ops with equal keys share the cells of one matrix.
using MatrixKey = std::tuple<mlir::Value, llvm::StringRef, int64_t, int64_t>;
MatrixKey getMatrixKey(CrossbarOpInterface op);

/// For every weight of `op`, in the order of its tensor, the place
/// row * columns + column in its matrix (docs/Numerics.md section 2).
std::vector<int64_t> getMatrixPlaces(CrossbarOpInterface op,
                                     const WindowGeometry &geometry);

/// Number of channels of the result of `op`, and of elements between
/// neighbouring ones.
std::pair<int64_t, int64_t> getResultChannels(CrossbarOpInterface op);

/// True when an input converter of `arch` takes integers of `type`.
bool fitsInput(mlir::quant::UniformQuantizedType type, const Arch &arch);

/// The clip range that calibration or the network itself chose for a float
/// `root`; none when there is neither.
std::optional<std::pair<float, float>> getRange(mlir::Value root);
void setRange(mlir::Value root, float lo, float hi);
void removeRange(mlir::Value root);

/// The 7-bit (or what `arch` takes) type of an activation in [lo, hi]:
/// unsigned when lo >= 0 and the chip has unsigned inputs, else symmetric.
mlir::quant::UniformQuantizedType
getInputType(mlir::MLIRContext *context, const Arch &arch, float lo, float hi);

} // namespace cim::nn

#endif // CIM_DIALECT_NN_TRANSFORMS_QUANTIZATIONPLAN_H

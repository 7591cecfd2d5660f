// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the quantisation passes share: types, weights, and the patterns that
// move quantisation through data movement.
#ifndef CIM_LIB_DIALECT_NN_TRANSFORMS_QUANTTYPES_H
#define CIM_LIB_DIALECT_NN_TRANSFORMS_QUANTTYPES_H

#include "cim/Dialect/NN/Transforms/ConstantData.h"
#include "mlir/IR/PatternMatch.h"

namespace cim::nn {

/// `u8<lo:hi>` when lo >= 0, else `i8<lo:hi>`, zero point 0; null when 8 bits
/// do not hold the range.
mlir::quant::UniformQuantizedType getActivationType(mlir::MLIRContext *context,
                                                    double scale, int64_t lo,
                                                    int64_t hi);

/// The per-tensor element type of a quantised tensor, or null.
mlir::quant::UniformQuantizedType getUniformType(mlir::Value value);

/// True for an op that hands on the values of its first operand (and for
/// `nn.pad`, zeros; for `nn.max_pool`, some of them), so that quantisation
/// before it equals quantisation after it.
bool movesData(mlir::Operation *op);

/// - dequantize sinks below ops that move data, and nn.concat of equal types,
/// - quantize rises above them where nothing else reads them,
/// - quantize of a dequantize that changes no integer disappears,
/// - crossbar ops whose weights are quantised read integers.
void populateQuantizationMovement(mlir::RewritePatternSet &patterns);

} // namespace cim::nn

#endif // CIM_LIB_DIALECT_NN_TRANSFORMS_QUANTTYPES_H

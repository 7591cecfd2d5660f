// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What convolutions and matrix products of integers share.
#ifndef CIM_LIB_CONVERSION_NNTOLINALG_INTEGERPRODUCT_H
#define CIM_LIB_CONVERSION_NNTOLINALG_INTEGERPRODUCT_H

#include "Lowering.h"

namespace cim {

/// Two operands whose product of storage integers differs from the real one by
/// a factor per output channel only.
struct IntegerOperands {
  Quantization a, b;
};

/// Both are quantised, `a` with one scale, `b` with one or one per index of
/// `channelAxis`, and a sum of `terms` products fits into 32 bits; else
/// nothing.
std::optional<IntegerOperands> integerOperands(mlir::Value a, mlir::Value b,
                                               int64_t channelAxis,
                                               int64_t terms);

/// `storage`, dequantised when `original` is quantised.
mlir::Value asFloat(mlir::OpBuilder &builder, mlir::Value original,
                    mlir::Value storage);

/// Sums of (a - zeroA) * (b - zeroB) in 32 bits over the reductions of
/// `iterators`. `operands` are a, b and, when b has a zero point per channel,
/// these; `maps` has one map for each and the map of the sum.
mlir::Value
createIntegerSum(mlir::OpBuilder &builder, mlir::Location loc,
                 mlir::RankedTensorType sumType, mlir::ValueRange operands,
                 llvm::ArrayRef<mlir::AffineMap> maps,
                 llvm::ArrayRef<mlir::utils::IteratorType> iterators,
                 const IntegerOperands &info);

/// float(sum) * scale + bias per output channel (dimension `axis`); `bias`
/// broadcasts to the result or is null.
mlir::Value scaleSum(mlir::OpBuilder &builder, mlir::Location loc,
                     mlir::Value sum, mlir::Value bias, int64_t axis,
                     const IntegerOperands &info);

/// Zero points of the weights, one per channel, as an operand of the loop.
mlir::Value zeroPointTensor(mlir::OpBuilder &builder, mlir::Location loc,
                            const Quantization &quantization, int64_t channels);

} // namespace cim

#endif // CIM_LIB_CONVERSION_NNTOLINALG_INTEGERPRODUCT_H

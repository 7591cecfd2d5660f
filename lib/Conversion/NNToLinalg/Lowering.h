// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the lowering patterns from nn to linalg share: types of storage,
// broadcasting element-wise loops, accumulators.
#ifndef CIM_LIB_CONVERSION_NNTOLINALG_LOWERING_H
#define CIM_LIB_CONVERSION_NNTOLINALG_LOWERING_H

#include "cim/Dialect/NN/IR/NN.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Transforms/DialectConversion.h"

namespace cim {

/// The type of a value that is known to be a tensor.
inline mlir::RankedTensorType typeOf(mlir::Value value) {
  return llvm::cast<mlir::RankedTensorType>(value.getType());
}

/// Replaces quantised element types by their storage and unsigned integers by
/// signless ones.
class StorageTypeConverter : public mlir::TypeConverter {
public:
  StorageTypeConverter();
};

/// The uniform quantisation of an element type, per tensor or per channel.
struct Quantization {
  llvm::SmallVector<double> scales;      ///< one, or one per channel
  llvm::SmallVector<int64_t> zeroPoints; ///< as many as scales
  std::optional<int64_t> axis;           ///< dimension of the channels
  bool isSigned = true;
  int64_t storageMin = 0, storageMax = 0;

  /// Fails for other kinds of quantised types (sub-channel, unknown scale) and
  /// for storage of other than 8 or 16 bits.
  static llvm::FailureOr<Quantization> get(mlir::Type elementType);

  bool hasZeroPoint() const {
    return llvm::any_of(zeroPoints, [](int64_t zero) { return zero != 0; });
  }
};

/// Turns constant float matrices that products read transposed, so that the
/// program holds each of them once and as the product reads it.
void transposeWeights(mlir::ModuleOp module);

/// Emits the scalar computation of an element-wise loop.
using ElementwiseBody = llvm::function_ref<mlir::Value(
    mlir::OpBuilder &, mlir::Location, mlir::ValueRange)>;

/// One linalg.generic over the shape of `resultType`; inputs broadcast to it as
/// in NumPy.
mlir::Value createElementwise(mlir::OpBuilder &builder, mlir::Location loc,
                              mlir::ValueRange inputs,
                              mlir::RankedTensorType resultType,
                              ElementwiseBody body);

/// A tensor filled with `value`, to accumulate into.
mlir::Value createFilled(mlir::OpBuilder &builder, mlir::Location loc,
                         mlir::RankedTensorType type, mlir::TypedAttr value);

/// `input` surrounded by `low` and `high` elements of `value` per dimension;
/// `input` itself when there are none.
mlir::Value createPadded(mlir::OpBuilder &builder, mlir::Location loc,
                         mlir::Value input, llvm::ArrayRef<int64_t> low,
                         llvm::ArrayRef<int64_t> high, mlir::TypedAttr value);

/// The same elements in row-major order under another static shape.
mlir::Value createReshape(mlir::OpBuilder &builder, mlir::Location loc,
                          mlir::Value input, llvm::ArrayRef<int64_t> shape);

/// Dimension i of the result is dimension `permutation[i]` of the input.
mlir::Value createTranspose(mlir::OpBuilder &builder, mlir::Location loc,
                            mlir::Value input,
                            llvm::ArrayRef<int64_t> permutation);

/// A small float tensor constant.
mlir::Value createFloats(mlir::OpBuilder &builder, mlir::Location loc,
                         llvm::ArrayRef<int64_t> shape,
                         llvm::ArrayRef<float> values);

/// Values of scale or zero point along the channels of a tensor of rank `rank`,
/// shaped so that they broadcast to it; a scalar tensor when there is one.
mlir::Value createPerChannel(mlir::OpBuilder &builder, mlir::Location loc,
                             llvm::ArrayRef<float> values,
                             std::optional<int64_t> axis, int64_t rank);

/// `value` as `type`, sign- or zero-extended as the quantisation stores it.
mlir::Value createExtend(mlir::OpBuilder &builder, mlir::Location loc,
                         mlir::Value value, mlir::Type type, bool isSigned);

/// max(a, b) and min(a, b); `b` when `a` is NaN or both are zero. One x86
/// instruction each, which arith.maximumf and arith.maxnumf are not.
mlir::Value createMax(mlir::OpBuilder &builder, mlir::Location loc,
                      mlir::Value a, mlir::Value b);
mlir::Value createMin(mlir::OpBuilder &builder, mlir::Location loc,
                      mlir::Value a, mlir::Value b);

/// A stored integer as an attribute of signless `type`; 200 as i8 is its bits.
mlir::TypedAttr getStorageAttr(mlir::Type type, int64_t value);

/// f32 scalar constant.
mlir::Value createF32(mlir::OpBuilder &builder, mlir::Location loc,
                      double value);

void populateElementwisePatterns(const mlir::TypeConverter &converter,
                                 mlir::RewritePatternSet &patterns);
void populateConvolutionPatterns(const mlir::TypeConverter &converter,
                                 mlir::RewritePatternSet &patterns);
void populateMatMulPatterns(const mlir::TypeConverter &converter,
                            mlir::RewritePatternSet &patterns);
void populatePoolingPatterns(const mlir::TypeConverter &converter,
                             mlir::RewritePatternSet &patterns);
void populateReductionPatterns(const mlir::TypeConverter &converter,
                               mlir::RewritePatternSet &patterns);
void populateIndexingPatterns(const mlir::TypeConverter &converter,
                              mlir::RewritePatternSet &patterns);
void populateTopKPatterns(const mlir::TypeConverter &converter,
                          mlir::RewritePatternSet &patterns);
void populateMovementPatterns(const mlir::TypeConverter &converter,
                              mlir::RewritePatternSet &patterns);
void populateQuantizationPatterns(const mlir::TypeConverter &converter,
                                  mlir::RewritePatternSet &patterns);

} // namespace cim

#endif // CIM_LIB_CONVERSION_NNTOLINALG_LOWERING_H

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Constants as vectors of the C++ type that their elements have.
#ifndef CIM_LIB_DIALECT_NN_TRANSFORMS_TYPEDELEMENTS_H
#define CIM_LIB_DIALECT_NN_TRANSFORMS_TYPEDELEMENTS_H

#include "cim/Dialect/CIM/Transforms/Elements.h"
#include "cim/Dialect/NN/IR/NN.h"
#include "cim/Dialect/NN/Transforms/ConstantData.h"
#include "mlir/IR/TypeUtilities.h"

namespace cim::nn {

/// Strides of a row-major tensor, in elements.
llvm::SmallVector<int64_t> rowMajorStrides(llvm::ArrayRef<int64_t> shape);

/// Calls `visit` with every offset of a strided view, in row-major order.
void forEachOffset(llvm::ArrayRef<int64_t> shape, int64_t offset,
                   llvm::ArrayRef<int64_t> strides,
                   llvm::function_ref<void(int64_t)> visit);

/// Calls `callback` with a zero of the C++ type of `element`: float, bool or
/// an integer; fails for other types.
template <typename Callback>
llvm::FailureOr<mlir::ElementsAttr> withElementType(mlir::Type element,
                                                    Callback callback) {
  if (element.isF32())
    return callback(float(0));
  if (element.isInteger(1))
    return callback(false);
  auto integer = llvm::dyn_cast<mlir::IntegerType>(element);
  if (!integer)
    return llvm::failure();
  bool isUnsigned = integer.isUnsigned();
  switch (integer.getWidth()) {
  case 8:
    return isUnsigned ? callback(uint8_t(0)) : callback(int8_t(0));
  case 16:
    return isUnsigned ? callback(uint16_t(0)) : callback(int16_t(0));
  case 32:
    return isUnsigned ? callback(uint32_t(0)) : callback(int32_t(0));
  case 64:
    return isUnsigned ? callback(uint64_t(0)) : callback(int64_t(0));
  default:
    return llvm::failure();
  }
}

/// The elements of an attribute, whose type T is.
template <typename T>
llvm::FailureOr<std::vector<T>> readTyped(mlir::Location location,
                                          mlir::ElementsAttr attribute) {
  if constexpr (std::is_same_v<T, bool>) {
    auto dense = llvm::dyn_cast<mlir::DenseElementsAttr>(attribute);
    if (!dense)
      return llvm::failure();
    auto values = dense.getValues<bool>();
    return std::vector<bool>(values.begin(), values.end());
  } else {
    return readElements<T>(location, attribute);
  }
}

/// The elements of a constant, whose type T is; floats may be dequantised.
template <typename T>
llvm::FailureOr<std::vector<T>> readTyped(mlir::Value value) {
  if constexpr (std::is_same_v<T, float>)
    return readReals(value);
  auto constant = value.getDefiningOp<ConstantOp>();
  if (!constant)
    return llvm::failure();
  return readTyped<T>(constant.getLoc(), constant.getValue());
}

/// The same, broadcast to `shape`.
template <typename T>
llvm::FailureOr<std::vector<T>> readBroadcast(mlir::Value value,
                                              llvm::ArrayRef<int64_t> shape) {
  llvm::FailureOr<std::vector<T>> from = readTyped<T>(value);
  llvm::ArrayRef<int64_t> own =
      llvm::cast<mlir::ShapedType>(value.getType()).getShape();
  if (failed(from) || own == shape)
    return from;
  llvm::SmallVector<int64_t> ownStrides = rowMajorStrides(own);
  llvm::SmallVector<int64_t> strides(shape.size(), 0);
  for (size_t i = 0; i < own.size(); ++i)
    if (own[i] != 1)
      strides[shape.size() - own.size() + i] = ownStrides[i];
  std::vector<T> to;
  to.reserve(llvm::product_of(shape));
  forEachOffset(shape, 0, strides,
                [&](int64_t offset) { to.push_back((*from)[offset]); });
  return to;
}

/// The attribute that stores `values`.
template <typename T>
mlir::ElementsAttr makeTyped(mlir::RankedTensorType type,
                             const std::vector<T> &values,
                             llvm::StringRef name = "folded") {
  if constexpr (std::is_same_v<T, bool>)
    return mlir::DenseElementsAttr::get(
        type, llvm::SmallVector<bool>(values.begin(), values.end()));
  else
    return makeElements<T>(type, values, name);
}

} // namespace cim::nn

#endif // CIM_LIB_DIALECT_NN_TRANSFORMS_TYPEDELEMENTS_H

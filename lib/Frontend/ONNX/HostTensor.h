// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Constants that the importer computes with: access, evaluation, conversion.
#ifndef CIM_LIB_FRONTEND_ONNX_HOSTTENSOR_H
#define CIM_LIB_FRONTEND_ONNX_HOSTTENSOR_H

#include "Model.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"

namespace cim::onnx {

bool isFloat(DataType type);
bool isInteger(DataType type); ///< bool is none

/// A tensor of half, bfloat or double elements as float.
Tensor withFloat32(const Tensor &tensor);

/// The elements of an integer, bool or float tensor.
llvm::SmallVector<int64_t> toInts(const Tensor &tensor);
llvm::SmallVector<double> toDoubles(const Tensor &tensor);

/// Tensors from values; integers wrap to the width of `type`.
Tensor fromInts(DataType type, llvm::ArrayRef<int64_t> dims,
                llvm::ArrayRef<int64_t> values);
Tensor fromDoubles(DataType type, llvm::ArrayRef<int64_t> dims,
                   llvm::ArrayRef<double> values);

/// Element type in IR (float of any width is f32), or null when there is none.
mlir::Type elementType(mlir::MLIRContext *context, DataType type);

/// The type of ONNX whose elements have type `element`; Undefined for others.
DataType dataType(mlir::Type element);

/// The tensor that a constant of numbers holds; nothing when its data is
/// elsewhere (a resource).
std::optional<Tensor> fromElements(mlir::ElementsAttr value);

/// The attribute that holds the tensor: dense when it is small, a resource
/// called after the tensor, which it shares, otherwise.
mlir::ElementsAttr toElementsAttr(mlir::MLIRContext *context,
                                  const HostTensor &tensor);

/// Row-major strides of a shape, in elements.
llvm::SmallVector<int64_t> rowMajorStrides(llvm::ArrayRef<int64_t> dims);

} // namespace cim::onnx

#endif // CIM_LIB_FRONTEND_ONNX_HOSTTENSOR_H

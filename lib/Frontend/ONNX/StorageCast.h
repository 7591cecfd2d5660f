// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Between integer tensors, as ONNX passes quantised values around, and the
// quantised types of nn: the same bits.
#ifndef CIM_LIB_FRONTEND_ONNX_STORAGECAST_H
#define CIM_LIB_FRONTEND_ONNX_STORAGECAST_H

#include "mlir/Dialect/Quant/IR/QuantTypes.h"
#include "mlir/IR/Builders.h"

namespace cim::onnx {

/// The integer type of ONNX that stores `type`: i8, ui8, ...
mlir::IntegerType storageType(mlir::quant::QuantizedType type);

/// A quantised tensor as the integers that store it; others unchanged.
mlir::Value toStorage(mlir::OpBuilder &builder, mlir::Location loc,
                      mlir::Value value);

/// Integers of storageType(type) as values of `type`.
mlir::Value fromStorage(mlir::OpBuilder &builder, mlir::Location loc,
                        mlir::Value value, mlir::quant::QuantizedType type);

} // namespace cim::onnx

#endif // CIM_LIB_FRONTEND_ONNX_STORAGECAST_H

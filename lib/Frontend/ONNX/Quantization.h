// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the operators share that go between real numbers and integers.
#ifndef CIM_LIB_FRONTEND_ONNX_QUANTIZATION_H
#define CIM_LIB_FRONTEND_ONNX_QUANTIZATION_H

#include "NodeBinder.h"

namespace cim::onnx {

/// The integers of a quantised tensor.
struct Storage {
  unsigned width; ///< bits in memory
  bool isSigned;
  int64_t lowest, highest;
};

/// That of an ONNX type; nothing for types that quantise nothing.
std::optional<Storage> storageOf(DataType type);

/// How integers stand for real numbers: `(q - zeroPoint) * scale`, with one
/// pair for the tensor, or one for each element of dimension `axis`.
struct Channels {
  llvm::SmallVector<double> scales;
  llvm::SmallVector<int64_t> zeroPoints;
  std::optional<int64_t> axis;
};

/// The quantised type; null after an error.
mlir::Type quantizedType(NodeBinder &b, const Channels &channels,
                         const Storage &storage);

/// The numbers of the operands that describe a quantisation.
struct QuantizationOperands {
  size_t scale;
  size_t zeroPoint;      ///< may be left out
  int64_t axis = 0;      ///< of one scale per element, or of blocks
  int64_t blockSize = 0; ///< elements that share a scale; 0 without blocks
};

/// Operand `index` as the real numbers that its integers stand for: as
/// nn.dequantize when scale and zero point are constants for the tensor or a
/// dimension, else as arithmetic.
mlir::Value dequantizeOperand(NodeBinder &b, size_t index,
                              const QuantizationOperands &operands);

/// Real numbers as integers of `type`, in the same two ways.
mlir::Value quantizeValue(NodeBinder &b, mlir::Value real, DataType type,
                          const QuantizationOperands &operands);

/// Whole numbers as integers of `type`; what it does not hold becomes the
/// nearest that it does.
mlir::Value createBounded(NodeBinder &b, mlir::Value x, DataType type);

/// The type of the zero point, or `byDefault` when it is left out.
DataType zeroPointType(NodeBinder &b, const QuantizationOperands &operands,
                       DataType byDefault);

/// Scales or zero points of a tensor of shape `shape` as a tensor that
/// broadcasts to it.
mlir::Value spread(NodeBinder &b, mlir::Value value,
                   llvm::ArrayRef<int64_t> shape,
                   const QuantizationOperands &operands);

} // namespace cim::onnx

#endif // CIM_LIB_FRONTEND_ONNX_QUANTIZATION_H

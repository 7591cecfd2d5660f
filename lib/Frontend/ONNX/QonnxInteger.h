// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The integers that QONNX quantises to, and how it rounds.
#ifndef CIM_LIB_FRONTEND_ONNX_QONNXINTEGER_H
#define CIM_LIB_FRONTEND_ONNX_QONNXINTEGER_H

#include "Quantization.h"

namespace cim::onnx {

/// What a real number becomes as an integer.
struct QonnxInteger {
  /// The names of the attribute 'rounding_mode'.
  enum Mode { HalfEven, Ceil, Floor, Up, Down, HalfUp, HalfDown };
  Mode mode = HalfEven;
  double lowest = 0, highest = 0;
  /// 1 for what is at least 0, else -1: one signed bit.
  bool isBipolar = false;

  /// The integer of one number, as binary32.
  float apply(float x) const;
  /// The same of a tensor at run time.
  mlir::Value apply(NodeBinder &b, mlir::Value x) const;
  /// What stores the integers; nothing when 16 bits do not.
  std::optional<DataType> storageType() const;
};

/// Reads 'rounding_mode'.
QonnxInteger::Mode readRoundingMode(NodeBinder &b, llvm::StringRef byDefault);

/// Reads 'signed' and 'narrow'; operand `bitWidth` holds the number of bits.
QonnxInteger readInteger(NodeBinder &b, size_t bitWidth, bool isSigned,
                         bool isNarrow);

} // namespace cim::onnx

#endif // CIM_LIB_FRONTEND_ONNX_QONNXINTEGER_H

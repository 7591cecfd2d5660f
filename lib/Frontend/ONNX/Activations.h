// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Activation functions as compositions of nn ops, for the operators that are
// one and for those that have some inside.
#ifndef CIM_LIB_FRONTEND_ONNX_ACTIVATIONS_H
#define CIM_LIB_FRONTEND_ONNX_ACTIVATIONS_H

#include "NodeBinder.h"

namespace cim::onnx {

/// What an activation function takes beside its operand.
struct ActivationForm {
  unsigned parameters = 0;   ///< 1: alpha; 2: alpha and beta
  float alpha = 0, beta = 0; ///< by default
};

/// The form of the function that the recurrent operators of ONNX call `name`,
/// in upper or lower case.
std::optional<ActivationForm> findActivation(llvm::StringRef name);

/// The function applied to `x`, of floats. `name` is one of those that
/// `findActivation` knows; parameters that it does not take are ignored. Null
/// after an error.
mlir::Value createActivation(NodeBinder &b, llvm::StringRef name, mlir::Value x,
                             float alpha = 0, float beta = 0);

} // namespace cim::onnx

#endif // CIM_LIB_FRONTEND_ONNX_ACTIVATIONS_H

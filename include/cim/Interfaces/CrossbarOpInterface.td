// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// How an op offers its weights to the crossbar mapper, which knows no op names.
#ifndef CIM_INTERFACES_CROSSBAROPINTERFACE_TD
#define CIM_INTERFACES_CROSSBAROPINTERFACE_TD

include "mlir/IR/OpBase.td"

def CrossbarOpInterface : OpInterface<"CrossbarOpInterface"> {
  let description = [{
    An op that is a matrix-vector multiply with constant weights, applied to
    every window of a feature map. The mapper asks for the weights, the window
    geometry and the bias, and replaces the op by `cim.matrix` and `cim.mvm`.
  }];
  let cppNamespace = "::cim";
  let methods = [
    InterfaceMethod<"The activations that stream through the matrix.",
      "::mlir::Value", "getCrossbarInput">,
    InterfaceMethod<"The weight operand; a constant when the op can be mapped.",
      "::mlir::Value", "getCrossbarWeights">,
    InterfaceMethod<"The bias, one value per output channel, or null.",
      "::mlir::Value", "getCrossbarBias">,
    InterfaceMethod<[{
        The dimension of the weight tensor that counts output channels, i.e. the
        axis of a per-channel quantisation.
      }], "int64_t", "getCrossbarChannelDim">,
    InterfaceMethod<[{
        Window geometry of the op seen as a two-dimensional convolution over an
        NHWC feature map, or failure (without a diagnostic) when the op's form
        cannot be one; `reason` then says why in words for a remark.
      }],
      "::llvm::FailureOr<::cim::WindowGeometry>", "getWindowGeometry",
      (ins "std::string &":$reason)>,
  ];
}

#endif // CIM_INTERFACES_CROSSBAROPINTERFACE_TD
